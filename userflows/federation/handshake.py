"""The way to an identity provider and back: a Handshake keeps what was asked, and only its own answer counts."""

import hashlib
import logging
import secrets
import uuid
from collections.abc import Mapping
from hmac import compare_digest

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from directory import audit
from directory.identity_provider_kinds import Protocol
from directory.models import IdentityProvider, Tenant, User
from userflows import sign_in_log
from userflows.browser import browser_hash, browser_of
from userflows.federation import oauth, openid_connect, saml
from userflows.federation.errors import AnswerExpired, AnswerUnknown, AnswerUsed, FederationError, ProviderSwitchedOff
from userflows.federation.told import Told
from userflows.models import Handshake, Journey
from userflows.rate_limit import Limit, count_attempt, network_of
from userflows.requests import client_address
from userflows.ways import decline_way

logger = logging.getLogger(__name__)

PROTOCOLS = {
    Protocol.OAUTH: oauth,
    Protocol.OPENID_CONNECT: openid_connect,
    Protocol.SAML: saml,
}
# Going to and fro is cheap for a person and costs a request to the provider for us.
JOURNEY_LIMIT = Limit("federation.journey", count=30, seconds=3600)
NETWORK_LIMIT = Limit("federation.network", count=300, seconds=3600)
TEST_LIMIT = Limit("federation.test", count=60, seconds=3600)
ANSWER_MAX_LENGTH = 1_000_000


def begin(
    request: HttpRequest,
    provider: IdentityProvider,
    *,
    journey: Journey | None,
    tested_by: User | None = None,
    login_hint: str = "",
) -> str:
    """Write a Handshake, and return the URL at the provider. Raises a FederationError, and TooManyRequests.

    It is a person's (`journey`), or an administrator's test of the connection (`tested_by`), which works for a provider
    that is switched off too. Call it outside a transaction.
    """
    _count(request, provider, journey=journey, tested_by=tested_by)
    handshake = Handshake(
        tenant=provider.tenant,
        identity_provider=provider,
        journey=journey,
        tested_by=tested_by,
        browser_hash=journey.browser_hash if journey else _session_hash(request),
    )
    state = secrets.token_urlsafe(32)
    handshake.state_hash = _hash(state)
    handshake.keep(state=state, nonce=secrets.token_urlsafe(32), code_verifier=secrets.token_urlsafe(64))
    try:
        if journey and not provider.is_enabled:
            raise ProviderSwitchedOff
        url = PROTOCOLS[provider.about.protocol].begin(provider, handshake, login_hint[:254])
    except FederationError as error:
        raise refuse(error, provider, journey) from error
    handshake.save(force_insert=True)
    return str(url)


def finish(
    request: HttpRequest, provider: IdentityProvider, handshake: Handshake, parameters: Mapping[str, str]
) -> Told:
    """Exchange and check the answer of a handshake that was taken. Raises a FederationError."""
    if handshake.journey_id and not provider.is_enabled:
        raise ProviderSwitchedOff
    try:
        told: Told = PROTOCOLS[provider.about.protocol].finish(provider, handshake, parameters)
    finally:
        # Codes, verifiers and what else was kept are of no use to anybody any more.
        handshake.kept = ""
        handshake.save(update_fields=["kept"])
    return told


def keep_answer(tenant: Tenant, provider_id: uuid.UUID, state: str, answer: Mapping[str, str]) -> None:
    """Keep an answer that came by POST from the provider's site, and so without this browser's cookies.

    The browser comes again by GET, with cookies and without the answer. Raises AnswerUnknown.
    """
    handshake = Handshake.objects.filter(
        tenant=tenant, identity_provider_id=provider_id, state_hash=_hash(state)
    ).first()
    if handshake is None:
        raise AnswerUnknown
    if handshake.used_at or handshake.is_expired or "answer" in handshake.secrets:
        # The browser is told when it comes again.
        return
    if sum(map(len, answer.values())) <= ANSWER_MAX_LENGTH:
        handshake.keep(answer=dict(answer))
        handshake.save(update_fields=["kept"])


def find(request: HttpRequest, tenant: Tenant, provider_id: uuid.UUID, state: str) -> Handshake:
    """Return the handshake that this browser began with this provider. Raises AnswerUnknown."""
    handshake = (
        Handshake.objects.filter(tenant=tenant, identity_provider_id=provider_id, state_hash=_hash(state))
        .select_related("identity_provider", "tenant", "journey__tenant", "tested_by")
        .first()
    )
    if handshake is None:
        raise AnswerUnknown
    handshake.identity_provider.tenant = handshake.tenant
    if handshake.journey:
        mark = browser_hash(browser_of(request)) if browser_of(request) else ""
    else:
        mark = _session_hash(request) if request.user == handshake.tested_by else ""
    if not mark or not compare_digest(mark, handshake.browser_hash):
        raise AnswerUnknown
    return handshake


def last_journey(request: HttpRequest, tenant: Tenant, provider_id: uuid.UUID) -> Journey | None:
    """Return the journey for which this browser left for the provider last, and hasn't come back."""
    if not browser_of(request):
        return None
    trips = Handshake.objects.filter(
        tenant=tenant,
        identity_provider_id=provider_id,
        browser_hash=browser_hash(browser_of(request)),
        used_at=None,
        expires_at__gt=timezone.now(),
        journey__completed_at=None,
    )
    last = trips.select_related("journey").order_by("-created_at").first()
    return last.journey if last else None


def take(handshake: Handshake) -> None:
    """Use the handshake up: its answer counts once. Raises AnswerUsed and AnswerExpired."""
    now = timezone.now()
    if handshake.is_expired:
        raise AnswerExpired
    if not Handshake.objects.filter(pk=handshake.pk, used_at=None).update(used_at=now):
        raise AnswerUsed
    handshake.used_at = now


def refuse(error: FederationError, provider: IdentityProvider, journey: Journey | None) -> FederationError:
    """Give an error its words and its way on, and note it in the logs. Returns it, to be raised."""
    error.name_provider(provider.shown_name)
    logger.info("Identity provider %s: %s at %s", provider.pk, error.code, error.stage)
    if error.is_set_up_problem and journey:
        audit.record(
            "identity_provider.failed",
            tenant=provider.tenant,
            target=provider,
            reason=error.code,
            details={"error": error.provider_error, "description": error.provider_description, "stage": error.stage},
        )
    if journey:
        _note(error, provider, journey)
        error.action_url = reverse("journey-resume", args=[journey.pk])
        has_others = len(journey.definition["ways"]) > 1
        error.action_label = _("Choose another way to sign in") if has_others else _("Try again")
        if not error.blames_provider:
            error.action_label = _("Continue")
    return error


@transaction.atomic
def _note(error: FederationError, provider: IdentityProvider, journey: Journey) -> None:
    problem = getattr(error, "problem", "")
    said = error.provider_description if problem else f"{error.provider_error} {error.provider_description}".strip()
    details = {"provider": provider.name, "problem": problem, "said": said}
    known = {name: detail for name, detail in details.items() if detail}
    sign_in_log.note(journey, "federation", reached=None, reason=error.code, **known)
    if not error.blames_provider:
        return
    locked = Journey.objects.select_for_update().get(pk=journey.pk)
    if locked.is_completed or locked.facts.get("way", {}).get("id") != str(provider.pk):
        return
    decline_way(locked)
    locked.version += 1
    locked.save(update_fields=["collected", "version"])


def _count(
    request: HttpRequest, provider: IdentityProvider, *, journey: Journey | None, tested_by: User | None
) -> None:
    if journey is None:
        count_attempt((TEST_LIMIT, str(tested_by.pk if tested_by else provider.tenant_id)))
        return
    network = f"{provider.tenant_id}|{network_of(client_address(request))}"
    count_attempt((JOURNEY_LIMIT, str(journey.pk)), (NETWORK_LIMIT, network))


def _session_hash(request: HttpRequest) -> str:
    """Return what an administrator's browser is known by: their session."""
    if isinstance(request.user, AnonymousUser) or not request.session.session_key:
        return ""
    return _hash(request.session.session_key)


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode(errors="replace")).hexdigest()
