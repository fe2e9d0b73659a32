"""Each claim in words, for the end of “Run user flow”: what it is, where it comes from, and why another is missing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.attributes import BUILT_IN_ATTRIBUTES, BY_NAME
from userflows.questions import Question

PORTAL = _("The portal")
REQUEST = _("The application's request")
SIGN_IN = _("How the person signed in")
ACCOUNT = _("The person's account")
FLOW = _("The user flow")
TIMES = frozenset({"iat", "nbf", "exp", "auth_time"})

# Claim: what it is, and where it comes from (OpenID Connect Core 2 and 5.1, RFC 9068 2.2).
GUIDE: dict[str, tuple[str | Promise, str | Promise]] = {
    "iss": (_("Issuer: who made the token. It is the address of the user flow."), FLOW),
    "aud": (_("Audience: the application that the token is for. In a run it is the built-in test client."), REQUEST),
    "azp": (_("The application that asked for the token."), REQUEST),
    "client_id": (_("The application that asked for the token."), REQUEST),
    "scope": (_("What the application was allowed to ask for."), REQUEST),
    "nonce": (_("The number from the request: it shows that the token answers this very request."), REQUEST),
    "iat": (_("When the token was made."), PORTAL),
    "nbf": (_("The token counts from this time."), PORTAL),
    "exp": (_("The token counts until this time."), PORTAL),
    "jti": (_("The token's own id."), PORTAL),
    "at_hash": (_("Ties the ID token to the access token that came with it."), PORTAL),
    "ver": (_("The version of the token's format."), PORTAL),
    "tid": (_("Your tenant's id."), PORTAL),
    "tfp": (_("The name of the user flow that the person came through."), FLOW),
    "sub": (_("The person's id. It never changes: store this one in your application."), ACCOUNT),
    "oid": (_("The person's object id in your directory; the same as sub."), ACCOUNT),
    "auth_time": (_("When the person proved who they are."), SIGN_IN),
    "amr": (_("How they proved it: otp is a one-time code, pwd a password, mfa two factors."), SIGN_IN),
    "idp": (_("The identity provider that they used; mail is the code by email."), SIGN_IN),
    "sid": (_("The id of their session, for signing out."), SIGN_IN),
    "email_verified": (_("Whether they proved that the mailbox is theirs."), SIGN_IN),
    "preferred_username": (_("A name to show. It can change: don't use it as a key."), ACCOUNT),
    "locale": (_("The language in which they signed up."), ACCOUNT),
}


@dataclass(frozen=True)
class ClaimRow:
    """A line of the table. `value` is in words, or empty for a claim that is missing."""

    name: str
    meaning: str
    source: str
    value: str = ""


def explain(claims: Mapping[str, Any], questions: list[Question]) -> list[ClaimRow]:
    """Return each claim with its value, what it is and where it comes from: the person's before the token's own."""
    guide = GUIDE | _guide_of_attributes(questions)
    unknown = (_("A custom attribute."), ACCOUNT)
    rows = []
    for name, value in claims.items():
        meaning, source = guide.get(name, unknown)
        rows.append(ClaimRow(name, str(meaning), str(source), _shown(name, value)))
    order = [str(source) for source in (SIGN_IN, FLOW, REQUEST, PORTAL)]
    return sorted(rows, key=lambda row: order.index(row.source) if row.source in order else -1)


def why_missing(claims: Mapping[str, Any], questions: list[Question]) -> list[ClaimRow]:
    """Return the claims that one might look for, and why each is not in the ID token."""
    asked = {_claim_of(question): question for question in questions}
    rows = [
        ClaimRow(
            name,
            _now("The question “%(label)s” was left open.") % {"label": question["label"]},
            _now("Make the question required if your application can't do without it."),
        )
        for name, question in asked.items()
        if name not in claims
    ]
    rows += [
        ClaimRow(
            attribute.claim,
            _now("The user flow doesn't ask for “%(label)s”.") % {"label": attribute.label},
            _now("Add a question for this attribute."),
        )
        for attribute in BUILT_IN_ATTRIBUTES
        if attribute.claim not in claims and attribute.claim not in asked
    ]
    if "sid" not in claims:
        why = _now("A test run signs nobody in, so there is no session.")
        rows.append(ClaimRow("sid", why, _now("With your own application it is there.")))
    return rows


def _guide_of_attributes(questions: list[Question]) -> dict[str, tuple[str | Promise, str | Promise]]:
    guide: dict[str, tuple[str | Promise, str | Promise]] = {
        attribute.claim: (attribute.label, ACCOUNT) for attribute in BUILT_IN_ATTRIBUTES
    }
    for question in questions:
        answered = _now("The answer to “%(label)s”") % {"label": question["label"]}
        guide[_claim_of(question)] = (question["label"], answered)
    guide["email"] = (_("The email address that they proved."), SIGN_IN)
    return guide


def _claim_of(question: Question) -> str:
    built_in = BY_NAME.get(question["name"])
    return built_in.claim if built_in else question["name"]


def _shown(name: str, value: Any) -> str:
    if name in TIMES and isinstance(value, int):
        return f"{value} ({datetime.fromtimestamp(value, tz=UTC):%Y-%m-%d %H:%M:%S} UTC)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
