"""“Test connection”: an administrator's own trip to a provider and back, step by step. Nobody is made or
signed in.

What the provider told is kept sealed with the handshake, which lives for minutes, and is shown to nobody else.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.identity_provider_kinds import Protocol
from directory.identity_provider_settings import certificate_of, missing_fields
from directory.identity_providers import TEST_PASSED, record_test
from directory.models import IdentityProvider, User, UserAttribute
from userflows.errors import UserFlowError
from userflows.federation import documents
from userflows.federation.claims import as_text, mapping_of, value_at
from userflows.federation.errors import FederationError
from userflows.federation.told import Told
from userflows.models import Handshake

RESULT = "result"
MAX_VALUE_LENGTH = 500
MAX_CLAIMS = 200
# What is done, in its order. The stages are those of FederationError.
STEPS: dict[Protocol, tuple[tuple[str, str | Promise], ...]] = {
    Protocol.OPENID_CONNECT: (
        ("discovery", _("Read its settings (discovery document)")),
        ("keys", _("Read its keys")),
        ("authorize", _("Sign in there")),
        ("token", _("Exchange the answer for a token")),
        ("claims", _("Check the token, and read what it tells")),
    ),
    Protocol.OAUTH: (
        ("discovery", _("Look at what is set up here")),
        ("authorize", _("Sign in there")),
        ("token", _("Exchange the answer for a token")),
        ("claims", _("Read what it tells")),
    ),
    Protocol.SAML: (
        ("discovery", _("Look at what is set up here")),
        ("keys", _("Look at its certificates")),
        ("authorize", _("Send a request, and sign in there")),
        ("claims", _("Check the answer, and read what it tells")),
    ),
}
# Once somebody has come back, a key that isn't known is the token's fault.
IN_THE_ANSWER = {"callback": "authorize", "discovery": "token", "keys": "claims"}


@dataclass(frozen=True)
class Step:
    """`state` is done, failed or open; `words` are sentences, `said` is the provider's own error."""

    stage: str
    title: str
    state: str = "open"
    words: str = ""
    said: str = ""


class StepFailed(Exception):
    def __init__(self, words: str, code: str) -> None:
        super().__init__(words)
        self.words, self.code = words, code


def prepare(provider: IdentityProvider) -> list[Step]:
    """Take the steps for which nobody has to sign in. A failure is the outcome of the test."""
    checks = CHECKS[provider.about.protocol]
    steps = []
    has_failed = False
    for stage, title in STEPS[provider.about.protocol]:
        step = Step(stage, str(title))
        if stage in checks and not has_failed:
            try:
                step = replace(step, state="done", words=checks[stage](provider))
            except StepFailed as failure:
                step, has_failed = replace(step, state="failed", words=failure.words), True
                record_test(provider, failure.code)
        steps.append(step)
    return steps


def failed(provider: IdentityProvider, steps: list[Step], error: UserFlowError) -> list[Step]:
    """Return the steps with the one at which the request couldn't even be made."""
    record_test(provider, error.code)
    return _marked(steps, "authorize", error.explanation, _said(error))


def is_ready(steps: list[Step]) -> bool:
    return all(step.state != "failed" for step in steps)


def keep_result(handshake: Handshake, outcome: Told | UserFlowError) -> None:
    """Take in how the trip of an administrator ended: with what the provider told, or with a refusal in words."""
    if isinstance(outcome, Told):
        result: dict[str, Any] = asdict(outcome)
    else:
        stage = outcome.stage if isinstance(outcome, FederationError) else "claims"
        result = {
            "error": outcome.code,
            "stage": IN_THE_ANSWER.get(stage, stage),
            "words": f"{outcome.title}. {outcome.explanation}",
            "said": _said(outcome),
        }
    handshake.keep(**{RESULT: result})
    handshake.save(update_fields=["kept"])
    record_test(handshake.identity_provider, result.get("error", TEST_PASSED))


def result_url(handshake: Handshake) -> str:
    """Return the administrator's page that shows how it ended."""
    return reverse("tenant_admin:directory_identityprovider_test_result", args=[handshake.identity_provider_id])


def last_result(provider: IdentityProvider, admin: User) -> dict[str, Any] | None:
    """Return how the administrator's own last trip to the provider ended, unless it is too long ago."""
    trips = Handshake.objects.filter(
        tenant=provider.tenant_id, identity_provider=provider, tested_by=admin, used_at__isnull=False
    )
    last = trips.order_by("-created_at").first()
    if last is None or last.is_expired:
        return None
    result: dict[str, Any] | None = last.secrets.get(RESULT)
    return result


def steps_of(provider: IdentityProvider, result: Mapping[str, Any]) -> list[Step]:
    """Return all steps of a trip that has ended, with the one that failed."""
    steps = [Step(stage, str(title), "done") for stage, title in STEPS[provider.about.protocol]]
    if "error" not in result:
        return steps
    return _marked(steps, result["stage"], result["words"], result["said"])


@dataclass(frozen=True)
class ClaimRow:
    """One thing that the provider told; `attributes` are those that are filled from it."""

    claim: str
    value: str
    attributes: str


def claim_rows(provider: IdentityProvider, result: Mapping[str, Any]) -> list[ClaimRow]:
    claims: dict[str, Any] = result["claims"]
    labels = dict(UserAttribute.objects.filter(tenant=provider.tenant_id).values_list("name", "display_name"))
    filled: dict[str, list[str]] = {}
    for attribute, names in mapping_of(provider).items():
        source = next((name for name in names if value_at(claims, name) is not None), None)
        if source and attribute in result["answers"]:
            filled.setdefault(source, []).append(labels.get(attribute, attribute))
    flat = dict(_flattened(claims))
    return [
        ClaimRow(claim, as_text(value)[:MAX_VALUE_LENGTH] or "–", ", ".join(filled.get(claim, [])))
        for claim, value in list(flat.items())[:MAX_CLAIMS]
    ]


def _flattened(claims: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in claims.items():
        if isinstance(value, Mapping) and not prefix.count("."):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _marked(steps: list[Step], stage: str, words: str, said: str) -> list[Step]:
    stages = [step.stage for step in steps]
    at = stages.index(stage) if stage in stages else len(stages) - 1
    failed_step = replace(steps[at], state="failed", words=words, said=said)
    return [*steps[:at], failed_step, *(replace(step, state="open", words="") for step in steps[at + 1 :])]


def _said(error: UserFlowError) -> str:
    if not isinstance(error, FederationError):
        return ""
    return " – ".join(words for words in (error.provider_error, error.provider_description) if words)


# --- the steps without a person -----------------------------------------------------------------------------------


def _discovery(provider: IdentityProvider) -> str:
    _set_up(provider)
    began = time.monotonic()
    try:
        document = documents.discovery(provider, is_fresh_wanted=True)
    except documents.ProviderUnreachable as error:
        raise StepFailed(f"{error.url}: {error.words}", f"unreachable_{error.reason}") from error
    except documents.ProviderMisconfigured as error:
        raise StepFailed(error.words, error.code) from error
    words = _now("%(url)s answered in %(milliseconds)d ms. The issuer is %(issuer)s, as it should be.")
    return words % {
        "url": documents.discovery_url(provider),
        "milliseconds": 1000 * (time.monotonic() - began),
        "issuer": str(document["issuer"])[:200],
    }


def _keys(provider: IdentityProvider) -> str:
    try:
        url = str(documents.discovery(provider)["jwks_uri"])
        keys = documents.fetch(provider, url, is_fresh_wanted=True).get("keys")
    except documents.ProviderUnreachable as error:
        raise StepFailed(f"{error.url}: {error.words}", f"unreachable_{error.reason}") from error
    except documents.ProviderMisconfigured as error:
        raise StepFailed(error.words, error.code) from error
    if not isinstance(keys, list) or not keys:
        raise StepFailed(_now("%(url)s has no keys.") % {"url": url}, "no_keys")
    return _now("%(url)s has %(count)d.") % {"url": url, "count": len(keys)}


def _set_up(provider: IdentityProvider) -> str:
    if missing_fields(provider):
        raise StepFailed(_now("Something is still missing. Enter it, save, and test again."), "incomplete")
    return _now("Everything that is needed is there.")


def _certificates(provider: IdentityProvider) -> str:
    ends = []
    for pem in provider.setting("certificates", []):
        try:
            ends.append(certificate_of(pem).not_valid_after_utc)
        except ValidationError as error:
            raise StepFailed(" ".join(error.messages), "certificate") from error
    if max(ends) <= timezone.now():
        raise StepFailed(_now("All of its certificates have ended. Ask for its new metadata."), "certificate_ended")
    return _now("The last one ends on %(date)s.") % {"date": f"{max(ends):%Y-%m-%d}"}


CHECKS: dict[Protocol, dict[str, Callable[[IdentityProvider], str]]] = {
    Protocol.OPENID_CONNECT: {"discovery": _discovery, "keys": _keys},
    Protocol.OAUTH: {"discovery": _set_up},
    Protocol.SAML: {"discovery": _set_up, "keys": _certificates},
}
