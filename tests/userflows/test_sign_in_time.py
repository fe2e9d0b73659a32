"""When somebody proved who they are: nothing but proving it again makes a sign-in younger."""

from typing import Any

import pytest
from django.utils import timezone
from freezegun import freeze_time

from directory.models import Tenant
from tests.oidc.browsing import ANSWERS
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import Handshake, Journey

HOME = "/woodgrove/account/"


@pytest.fixture(autouse=True)
def _at_localhost(settings: Any) -> None:
    settings.BASE_URL = "http://localhost"


def leave_elsewhere(browser: Stranger) -> None:
    browser.open(HOME)
    browser.path = f"{HOME}sessions/end/"
    assert "signed out everywhere else" in browser.submit(session="others").html


def handshake_of(browser: Stranger) -> Handshake:
    return Handshake(journey=Journey.objects.get(pk=browser.path.split("/")[3]))


def test_signing_out_elsewhere_makes_no_sign_in_younger(relying_party: RelyingParty) -> None:
    """Neither for an application that counts the seconds, nor for the time after which it ends."""
    Tenant.objects.update(session_hours=1)
    browser = Stranger()
    with freeze_time(timezone.now()) as clock:
        browser.sign_up(relying_party.request_url(), **ANSWERS)
        clock.tick(700)
        leave_elsewhere(browser)
        for max_age, outcome in (("600", "error"), ("800", "code")):
            browser.open(relying_party.request_url(prompt="none", max_age=max_age))
            assert outcome in relying_party.answer(browser.left_to)
        clock.tick(2850)
        leave_elsewhere(browser)
        clock.tick(100)
        browser.open(relying_party.request_url(prompt="none"))
        assert relying_party.answer(browser.left_to)["error"] == "login_required"


def test_providers_are_asked_to_prove_anew_who_changes_how_they_sign_in(relying_party: RelyingParty) -> None:
    """A person who is signed in there would come back at once, and so would whoever sits at their desk."""
    with freeze_time(timezone.now()) as clock:
        browser = Stranger()
        assert not handshake_of(browser.open(HOME)).wants_sign_in_anew
        browser.sign_up(relying_party.request_url(), **ANSWERS)
        clock.tick(601)
        assert handshake_of(browser.open(f"{HOME}address/")).wants_sign_in_anew
        assert not handshake_of(browser.open(relying_party.request_url(max_age="600"))).wants_sign_in_anew
        assert handshake_of(browser.open(relying_party.request_url(max_age="0"))).wants_sign_in_anew
