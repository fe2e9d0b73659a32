"""Journeys of strangers, over HTTP, from the application's request to its verified tokens."""

from collections.abc import Callable

from directory.models import AppRoleAssignment, AuditEvent, CreationType, Identity, Tenant, User, UserType
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import Journey, UserFlow

ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}


def test_makes_a_guest_and_returns_verified_tokens(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url())
    assert stranger.step == "choose"
    assert "Supplier Portal" in stranger.html
    stranger.give_email()
    assert stranger.step == "email_code"
    stranger.give_code()
    assert stranger.step == "attributes"
    assert User.objects.count() == 0
    stranger.submit(**ANSWERS)

    answer = relying_party.answer(stranger.left_to)
    assert answer["state"] == relying_party.state
    assert answer["iss"] == "http://testserver/woodgrove/v2.0"
    tokens = relying_party.redeem(answer["code"]).json()
    claims = relying_party.verified(tokens["id_token"])

    guest = User.objects.get()
    assert claims["sub"] == claims["oid"] == str(guest.pk)
    assert claims["nonce"] == relying_party.nonce
    assert claims["tid"] == str(guest.tenant_id)
    assert (claims["idp"], claims["tfp"], claims["amr"]) == ("mail", "B2X_1_Suppliers", ["otp"])
    assert (claims["email"], claims["preferred_username"]) == (stranger.email, stranger.email)
    assert (claims["name"], claims["given_name"], claims["family_name"]) == ("Amina Haddad", "Amina", "Haddad")
    assert {"auth_time", "sid", "iat", "exp", "at_hash"} <= set(claims)


def test_keeps_what_the_directory_needs_and_nothing_else(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    guest = User.objects.get()
    assert (guest.user_type, guest.creation_type) == (UserType.GUEST, CreationType.SELF_SERVICE_SIGN_UP)
    assert (guest.given_name, guest.surname, guest.display_name) == ("Amina", "Haddad", "Amina Haddad")
    assert not guest.has_usable_password()
    identity = Identity.objects.get()
    assert (identity.user, identity.issuer, identity.issuer_assigned_id) == (guest, "mail", stranger.email)
    assert AppRoleAssignment.objects.get().application == relying_party.application
    journey = Journey.objects.get()
    # Who signed in, how: nothing of what was told or answered.
    assert set(journey.facts) == {"session"}
    assert stranger.email not in str(journey.facts)
    assert journey.code_hash == ""
    events = AuditEvent.objects.filter(correlation_id=journey.correlation_id)
    assert set(events.values_list("activity", flat=True)) >= {
        "email_code.sent",
        "email_code.verified",
        "user.signed_up",
        "user.signed_in",
    }


def test_asks_the_questions_once_in_a_life(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    later = Stranger(email=stranger.email.upper())
    later.open(relying_party.request_url()).give_email().give_code()
    claims = relying_party.verified(
        relying_party.redeem(relying_party.answer(later.left_to)["code"]).json()["id_token"]
    )
    assert claims["given_name"] == "Amina"
    assert User.objects.count() == 1


def test_signs_in_to_the_second_application_at_once(
    tenant: Tenant,
    user_flow: UserFlow,
    relying_party: RelyingParty,
    make_relying_party: Callable[..., RelyingParty],
    stranger: Stranger,
) -> None:
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    second = make_relying_party(tenant, user_flow, name="Order Tracker", redirect_uris="https://orders.example.com/cb")
    stranger.open(second.request_url())
    claims = second.verified(second.redeem(second.answer(stranger.left_to)["code"]).json()["id_token"])
    assert claims["sub"] == str(User.objects.get().pk)


def test_leaves_no_user_when_abandoned_at_any_step(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url())
    assert User.objects.count() == 0
    stranger.give_email()
    assert User.objects.count() == 0
    stranger.give_code()
    assert (User.objects.count(), Identity.objects.count()) == (0, 0)
