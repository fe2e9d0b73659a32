"""Doors that stay shut: each says what happened, what to do, and an id that an administrator can search for."""

from collections.abc import Callable
from typing import Any

import pytest

from directory.models import AuditEvent, Tenant, User
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import UserFlow

ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}


def assert_refused(stranger: Stranger, status: int, *words: str) -> None:
    assert stranger.page.status_code == status, stranger.html
    assert stranger.page["X-Correlation-ID"] in stranger.html
    for word in words:
        assert word in stranger.html
    assert stranger.page["Cache-Control"] == "no-store"


def shut_tenant(party: RelyingParty) -> None:
    Tenant.objects.update(sign_up_enabled=False)


def shut_flow(party: RelyingParty) -> None:
    UserFlow.objects.update(sign_up_enabled=False)


def take_flow_away(party: RelyingParty) -> None:
    party.application.flow_assignment.delete()


def make_first_party(party: RelyingParty) -> None:
    type(party.application).objects.update(is_first_party=True)


SHUT_DOORS = pytest.mark.parametrize(
    ("shut", "reason"),
    [
        (shut_tenant, "tenant_sign_up_off"),
        (shut_flow, "user_flow_sign_up_off"),
        (take_flow_away, "no_user_flow"),
        (make_first_party, "first_party_application"),
    ],
)


@SHUT_DOORS
def test_refuses_strangers(
    relying_party: RelyingParty, stranger: Stranger, shut: Callable[[RelyingParty], Any], reason: str
) -> None:
    shut(relying_party)
    stranger.open(relying_party.request_url()).give_email()
    assert stranger.step == "email_code"
    stranger.give_code()
    assert_refused(stranger, 403, "There is no account", "Woodgrove")
    assert User.objects.count() == 0
    event = AuditEvent.objects.get(activity="sign_up.refused")
    assert (event.reason, str(event.correlation_id)) == (reason, stranger.page["X-Correlation-ID"])


@SHUT_DOORS
def test_still_signs_in_whom_it_knows(
    relying_party: RelyingParty, stranger: Stranger, shut: Callable[[RelyingParty], Any], reason: str
) -> None:
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    shut(relying_party)
    known = Stranger()
    known.open(relying_party.request_url()).give_email().give_code()
    assert "code=" in known.left_to


def test_refuses_when_sign_up_is_switched_off_on_the_way(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url()).give_email().give_code()
    shut_tenant(relying_party)
    stranger.submit(**ANSWERS)
    assert_refused(stranger, 403)
    assert User.objects.count() == 0


def test_refuses_a_disabled_account_only_after_the_proof(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    User.objects.update(account_enabled=False)
    known = Stranger()
    known.open(relying_party.request_url()).give_email()
    assert known.step == "email_code"
    known.give_code()
    assert_refused(known, 403, "switched off", "Woodgrove")
    assert AuditEvent.objects.get(activity="sign_in.refused").reason == "account_disabled"


def test_ends_the_session_of_a_disabled_account(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    User.objects.update(account_enabled=False)
    stranger.open(relying_party.request_url())
    assert stranger.step == "choose"


def test_never_links_silently_to_an_account_that_signs_in_another_way(
    relying_party: RelyingParty, stranger: Stranger, tenant: Tenant
) -> None:
    owner = User.objects.create(tenant=tenant, mail=stranger.email, display_name="Somebody")
    stranger.open(relying_party.request_url()).give_email().give_code()
    assert stranger.step == "link"
    for words in ("already have an account", "Ask your contact at Woodgrove", stranger.page["X-Correlation-ID"]):
        assert words in stranger.html
    # Nor by any step that comes after, or by the journey's end.
    for step in ("attributes", ""):
        stranger.open(stranger.path.replace("link/", f"{step}/").replace("//", "/"))
        assert stranger.step == "link"
    assert User.objects.get() == owner
    assert owner.identities.count() == 0


def test_shows_whom_to_ask(relying_party: RelyingParty, stranger: Stranger) -> None:
    Tenant.objects.update(sign_up_enabled=False, support_contact="help@woodgrove.example")
    stranger.open(relying_party.request_url()).give_email().give_code()
    assert "help@woodgrove.example" in stranger.html
