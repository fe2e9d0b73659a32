"""The offer of a passkey: after a sign-in, once a month, and never in the way back to the application."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.mail import EmailMessage
from django.utils import timezone
from freezegun import freeze_time

from directory.models import PASSKEY, AuditEvent, IdentityProvider, Tenant, User
from tests.hosted_passkeys import ANSWERS, claims_of, give_passkey, offered, options_on, use
from tests.passkey import SoftPasskey
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import SignIn, UserFlow
from userflows.passkey import passkeys_of
from userflows.publishing import publish

pytestmark = pytest.mark.any_database


@pytest.fixture(autouse=True)
def _at_localhost(settings: Any) -> None:
    """The one name without https for which browsers have passkeys."""
    settings.BASE_URL = "http://localhost"


@pytest.fixture(autouse=True)
def provider(tenant: Tenant) -> IdentityProvider:
    return IdentityProvider.objects.create(tenant=tenant, kind=PASSKEY, name="Passkey", may_create_accounts=False)


@pytest.fixture
def person(relying_party: RelyingParty, stranger: Stranger) -> User:
    """Somebody who has signed up by code, and said nothing of passkeys."""
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    person: User = User.objects.get(mail=stranger.email)
    return person


def test_is_offered_after_the_first_sign_in_and_signs_in_from_then_on(
    relying_party: RelyingParty, stranger: Stranger, mailoutbox: list[EmailMessage]
) -> None:
    offered(relying_party, stranger)
    assert stranger.step == "passkey-offer"
    asked = json.loads(options_on(stranger.html))
    assert asked["user"]["name"] == "amina@fabrikam.example (Woodgrove)"
    selection = asked["authenticatorSelection"]
    assert (selection["residentKey"], selection["userVerification"]) == ("required", "required")
    passkey = SoftPasskey()
    stranger.submit(answer=passkey.make(options_on(stranger.html)))
    user = User.objects.get()
    assert claims_of(relying_party, stranger.left_to)["sub"] == str(user.pk)
    assert [kept.name for kept in passkeys_of(user)] == ["Unknown browser"]
    assert AuditEvent.objects.get(activity="passkey.added").target_id == str(user.pk)
    assert "http://localhost/woodgrove/account/" in str(mailoutbox[-1].body)

    later = Stranger().open(relying_party.request_url())
    asked = json.loads(options_on(later.html))
    assert (asked["rpId"], asked["userVerification"]) == ("localhost", "required")
    assert not asked.get("allowCredentials")
    assert 'autocomplete="username webauthn"' in later.html
    use(later, passkey)
    claims = claims_of(relying_party, later.left_to)
    assert (claims["sub"], claims["idp"], claims["amr"]) == (str(user.pk), "passkey", ["hwk", "user"])
    entry = SignIn.objects.latest("started_at")
    assert (entry.user, entry.outcome, entry.identity_provider) == (user, "signedIn", "passkey")


def test_asks_once_in_thirty_days(relying_party: RelyingParty, stranger: Stranger) -> None:
    offered(relying_party, stranger).submit()
    assert stranger.left_to
    cookie = stranger.http.cookies["portal_passkey_not_now"]
    assert (cookie.value, cookie["max-age"], cookie["path"]) == ("1", 30 * 24 * 3600, "/woodgrove/")
    assert stranger.http.get(relying_party.request_url()).status_code == 302
    assert offered(relying_party, stranger, prompt="login").left_to
    del stranger.http.cookies["portal_passkey_not_now"]
    assert offered(relying_party, stranger, prompt="login").step == "passkey-offer"


def test_whoever_thinks_about_it_is_still_freshly_signed_in(relying_party: RelyingParty, stranger: Stranger) -> None:
    with freeze_time(timezone.now()) as clock:
        offered(relying_party, stranger, prompt="login")
        clock.tick(300)
        assert stranger.submit().left_to


@pytest.mark.parametrize("seconds", [700, 3600])
def test_an_offer_left_open_for_long_makes_nobody_fresh(
    relying_party: RelyingParty, stranger: Stranger, seconds: int
) -> None:
    with freeze_time(timezone.now()) as clock:
        offered(relying_party, stranger, prompt="login")
        clock.tick(seconds)
        assert stranger.submit().step == "choose"
        # Without prompt=login they are simply let through.
        assert stranger.open(relying_party.request_url()).left_to


def test_is_answered_once(relying_party: RelyingParty, stranger: Stranger) -> None:
    with freeze_time(timezone.now()) as clock:
        offered(relying_party, stranger, prompt="login")
        offer = stranger.path
        clock.tick(100)
        assert stranger.submit().left_to
        clock.tick(100)
        assert stranger.open(offer).step == "choose"


@pytest.mark.parametrize("answer", ["{}", "\x00", "[" * 9999, '{"id": "x"}'], ids=["empty", "NUL", "deep", "half"])
def test_what_the_browser_spoils_endangers_nobodys_way_back(
    relying_party: RelyingParty, stranger: Stranger, answer: str
) -> None:
    offered(relying_party, stranger)
    assert stranger.submit(answer=answer).left_to
    assert not Authenticator.objects.exists()


def test_is_for_whom_the_journey_signed_in(
    relying_party: RelyingParty, stranger: Stranger, person: User, tenant: Tenant
) -> None:
    """Signed out meanwhile, or somebody else now: nothing is added to anybody."""
    other = offered(relying_party, Stranger(email="noor@fabrikam.example"))
    passkey, options, offer = SoftPasskey(), options_on(other.html), other.path
    fields = other.hidden_fields()
    other.http.cookies["portal_session"] = stranger.http.cookies["portal_session"].value
    assert other.open(offer).left_to
    other._follow(other.http.post(offer, fields | {"answer": passkey.make(options)}), offer)
    assert other.left_to
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize(
    "without",
    [
        "the browser's word",
        "a way in the flow",
        "a way in the tenant",
        "max_age",
        "a name for a host",
        "a stranger",
    ],
)
def test_is_not_offered_without(
    relying_party: RelyingParty,
    stranger: Stranger,
    user_flow: UserFlow,
    provider: IdentityProvider,
    settings: Any,
    without: str,
) -> None:
    stranger.open(relying_party.request_url(**({"max_age": "600"} if without == "max_age" else {})))
    if without == "a way in the flow":
        user_flow.identity_provider_assignments.filter(identity_provider=provider).delete()
        publish(user_flow)
        stranger.open(relying_party.request_url())
    if without == "a way in the tenant":
        IdentityProvider.objects.filter(pk=provider.pk).update(is_enabled=False)
    if without == "a name for a host":
        settings.BASE_URL = "http://127.0.0.1"
    can_passkey = "" if without == "the browser's word" else "1"
    stranger.submit(email=stranger.email, can_passkey=can_passkey).give_code().submit(**ANSWERS)
    if without == "a stranger":
        stranger.submit()
        del stranger.http.cookies["portal_passkey_not_now"]
        give_passkey(User.objects.get())
        offered(relying_party, stranger, prompt="login")
    assert stranger.left_to
