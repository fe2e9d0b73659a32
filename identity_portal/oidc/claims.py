"""What tokens say about a person (OpenID Connect Core 5.1, spec: Entra ID and access tokens v2.0)."""

from typing import Any, Protocol

from directory.attributes import BY_NAME
from directory.models import CreationType, User
from identity_portal.oidc.models import SignInContext
from userflows.definition import questions_in
from userflows.models import UserFlowVersion
from userflows.questions import Question

TOKEN_VERSION = "2.0"  # noqa: S105


class HasScopes(Protocol):
    scopes: list[str]


def sign_in_claims(user: User, context: SignInContext) -> dict[str, Any]:
    """Return who it is and how they signed in: in every token, whatever the scopes."""
    claims: dict[str, Any] = {
        "sub": str(user.pk),
        "oid": str(user.pk),
        "tid": str(user.tenant_id),
        "ver": TOKEN_VERSION,
    }
    if context.user_flow:
        claims["tfp"] = context.user_flow.name
    if context.auth_time:
        claims["auth_time"] = int(context.auth_time.timestamp())
    optional = {"idp": context.idp, "amr": context.amr, "sid": context.sid}
    return claims | {name: value for name, value in optional.items() if value}


def profile_claims(user: User, scopes: list[str]) -> dict[str, Any]:
    """Return what the scopes `profile` and `email` open: names and address.

    An address counts as verified when its owner proved it at sign-up, not when an administrator typed it.
    """
    claims: dict[str, Any] = {}
    if "email" in scopes:
        is_proven = user.creation_type == CreationType.SELF_SERVICE_SIGN_UP
        claims |= {"email": user.mail, "email_verified": is_proven}
    if "profile" in scopes:
        claims |= {
            "name": user.display_name,
            "preferred_username": user.mail,
            "given_name": user.given_name,
            "family_name": user.surname,
            "locale": user.preferred_language,
        }
    return _without_gaps(claims)


def attribute_claims(user: User, context: SignInContext, scopes: list[str]) -> dict[str, Any]:
    """Return the values of the attributes that the live version of the flow asks for: under `profile` too."""
    if context.user_flow_id is None or "profile" not in scopes:
        return {}
    if user.is_test:
        # A run shows what it ran: maybe the draft.
        journey = user.journeys.order_by("-completed_at").first()
        return claims_of_questions(user, questions_in(journey.definition) if journey else [])
    version = UserFlowVersion.objects.filter(live_in=context.user_flow_id).first()
    return claims_of_questions(user, questions_in(version.definition) if version else [])


def claims_of_questions(user: User, questions: list[Question]) -> dict[str, Any]:
    """Return a person's answers, each under its claim's name."""
    claims = {}
    for question in questions:
        built_in = BY_NAME.get(question["name"])
        # The names of columns come from the closed list of built-in attributes.
        value = getattr(user, built_in.field) if built_in else user.extension_values.get(question["name"])
        claims[built_in.claim if built_in else question["name"]] = value
    return _without_gaps(claims)


def _without_gaps(claims: dict[str, Any]) -> dict[str, Any]:
    """Zero and false are answers, too."""
    return {name: value for name, value in claims.items() if value not in ("", None)}
