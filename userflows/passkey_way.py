"""The passkey as a way of a journey: asked for on its first page, offered when it is over."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from directory import audit
from directory.models import PASSKEY, IdentityProvider, User
from userflows import sign_in_log
from userflows.errors import NoWayToSignIn
from userflows.models import Journey, Reached
from userflows.passkey import challenge_in, may_have_passkeys, passkey_of_anybody, passkeys_of, person_with_passkey
from userflows.passkey_challenge import challenge_of, use_challenge
from userflows.proofs import Proof, add_proof
from userflows.rate_limit import Limit
from userflows.ways import open_ways

NAME = "passkey"
TRY_LIMIT = Limit("passkey.try", count=100, seconds=3600)
# Says nothing of who it was that said it.
NOT_NOW_COOKIE = "portal_passkey_not_now"
NOT_NOW_SECONDS = 30 * 24 * 3600
# How long an offer may lie open and the sign-in before it still be a fresh one for the application.
STILL_FRESH = timedelta(minutes=10)
# Nobody else vouches for a passkey: `idp` says so, whichever way its owner came the first time.
ISSUER = "passkey"
# RFC 8176: a key in hardware (or in the care of a password manager), and a person who was there.
METHODS = ["hwk", "user"]


def passkey_among(ways: list[IdentityProvider]) -> IdentityProvider | None:
    """Return the way by passkey, if the flow has it and browsers have passkeys for this host."""
    return next((way for way in ways if way.kind == PASSKEY), None) if may_have_passkeys() else None


def options_for(journey: Journey, ways: list[IdentityProvider]) -> str:
    """Return what the first page asks of the browser (JSON), "" where passkeys are no way."""
    return passkey_of_anybody(challenge_of(journey)) if passkey_among(ways) else ""


def note_browser(journey: Journey, sent: Mapping[str, str]) -> None:
    """Note what the page's script has said: that this device can make a passkey. The caller saves."""
    if sent.get("can_passkey") == "1":
        journey.learn(can_passkey=True)


def prove(journey: Journey, provider: IdentityProvider, answer: str) -> bool:
    """Take a passkey's answer in. The caller saves, whatever comes out: a challenge counts once."""
    challenge = challenge_in(answer)
    is_new = use_challenge(journey, challenge)
    user = person_with_passkey(journey.tenant, challenge=challenge, answer=answer) if is_new else None
    if user is None:
        # The same for another tenant's passkey, a removed one and a forged one: nobody learns which exist.
        audit.record("sign_in.refused", tenant=journey.tenant, target=journey.application, reason="passkey_refused")
        sign_in_log.note(journey, NAME, reason="passkey_refused")
        return False
    add_proof(journey, proof_of_passkey(user, way=str(provider.pk)))
    sign_in_log.note(journey, NAME, reached=Reached.PROVEN)
    return True


def proof_of_passkey(user: User, *, way: str) -> Proof:
    return Proof(
        way=way,
        kind=PASSKEY,
        issuer=ISSUER,
        subject=str(user.pk),
        methods=list(METHODS),
        user=str(user.pk),
        sign_out={},
    )


# The offer, when somebody has signed in another way


def should_offer(request: HttpRequest, journey: Journey) -> bool:
    """Answer whether the person is asked, on the way back to the application, to make a passkey.

    Not where the application counts the seconds since the sign-in (max_age): the question would use them up. The
    portal's own pages need not ask: they have a button for it.
    """
    user = journey.user
    if user is None or journey.is_test or journey.application.is_first_party:
        return False
    if not journey.facts["session"].get("can_passkey") or request.COOKIES.get(NOT_NOW_COOKIE):
        return False
    if "max_age" in parse_qs(urlsplit(journey.return_path).query):
        return False
    return bool(way_id(journey)) and not passkeys_of(user)


def way_id(journey: Journey) -> str:
    """Return the id of the identity provider, "" where the flow has no passkeys (any more)."""
    try:
        provider = passkey_among(open_ways(journey))
    except NoWayToSignIn:
        provider = None
    return str(provider.pk) if provider else ""


def begin_offer(journey: Journey) -> None:
    """Note that the person is asked."""
    journey.learn(passkey_offered=True)
    journey.save(update_fields=["collected"])


def end_offer(journey: Journey) -> None:
    """Note that the person has answered, once. The time that it took is not held against the application's request."""
    now = timezone.now()
    journey.forget("passkey_offered")
    if journey.signed_in_at and now - journey.signed_in_at < STILL_FRESH:
        journey.signed_in_at = now
    journey.save(update_fields=["collected", "signed_in_at"])


def remember_not_now(response: HttpResponse, *, path: str) -> None:
    response.set_cookie(
        NOT_NOW_COOKIE,
        "1",
        max_age=NOT_NOW_SECONDS,
        path=path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
