"""A flow whose questions stand on several pages: forth, back, and nothing typed is lost."""

import re
from collections.abc import Callable

import pytest

from directory.models import User, UserAttribute
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import AttributeAssignment, InputType, UserFlow


@pytest.fixture
def two_pages(
    user_flow: UserFlow, make_attribute: Callable[..., UserAttribute], ask: Callable[..., AttributeAssignment]
) -> UserFlow:
    choices = [{"name": "Screws", "value": "screws"}, {"name": "Nails", "value": "nails"}]
    company = {"starts_page": True, "page_heading": "Your company"}
    ask(user_flow, make_attribute(user_flow.tenant, "Goods"), InputType.CHECKBOXES, choices=choices, **company)
    ask(user_flow, UserAttribute.objects.get(tenant=user_flow.tenant, name="City"), InputType.TEXT)
    return user_flow


@pytest.fixture
def at_first_page(two_pages: UserFlow, relying_party: RelyingParty, stranger: Stranger) -> Stranger:
    return stranger.open(relying_party.request_url()).give_email().give_code()


def test_asks_page_after_page_and_keeps_all_answers(at_first_page: Stranger) -> None:
    stranger = at_first_page
    assert "Step 3 of 4" in stranger.html
    assert "Your details" in stranger.html
    assert "Create account" not in stranger.html
    assert 'value="back"' not in stranger.html
    stranger.submit(GivenName="Amina", Surname="Haddad")
    assert "Step 4 of 4" in stranger.html
    assert "<h1>Your company</h1>" in stranger.html
    assert User.objects.count() == 0
    stranger.submit(extension_Goods=["screws", "nails"], City="Amman")
    guest = User.objects.get()
    assert (guest.given_name, guest.city) == ("Amina", "Amman")
    assert guest.extension_values == {"extension_Goods": "screws,nails"}


def test_goes_back_with_nothing_lost(at_first_page: Stranger) -> None:
    stranger = at_first_page.submit(GivenName="Amina", Surname="Haddad")
    stranger.submit(extension_Goods=["nails"], City="", action="back")
    assert "Step 3 of 4" in stranger.html
    assert 'value="Amina"' in stranger.html
    stranger.submit(GivenName="Aminah", Surname="Haddad")
    assert re.search(r'value="nails"[^>]*checked', stranger.html)
    assert not re.search(r'value="screws"[^>]*checked', stranger.html)
    stranger.submit(extension_Goods=["nails"], City="Amman")
    guest = User.objects.get()
    assert (guest.given_name, guest.extension_values) == ("Aminah", {"extension_Goods": "nails"})


def test_goes_nowhere_back_from_the_first_page(at_first_page: Stranger) -> None:
    at_first_page.submit(GivenName="", Surname="", action="back")
    assert "Step 3 of 4" in at_first_page.html
    assert "There is a problem" in at_first_page.html


def test_refuses_a_page_that_was_answered_in_another_tab(at_first_page: Stranger) -> None:
    stale = at_first_page.hidden_fields()
    at_first_page.submit(GivenName="Amina", Surname="Haddad")
    at_first_page.http.post(at_first_page.path, stale | {"GivenName": "Mallory", "Surname": "M"})
    at_first_page.submit(extension_Goods=["nails"], City="Amman")
    assert User.objects.get().given_name == "Amina"


def test_takes_no_answers_of_another_page(at_first_page: Stranger) -> None:
    at_first_page.submit(GivenName="Amina", Surname="Haddad", City="Elsewhere", JobTitle="Boss")
    at_first_page.submit(extension_Goods=["nails"], City="Amman", Surname="Other")
    guest = User.objects.get()
    assert (guest.city, guest.surname, guest.job_title) == ("Amman", "Haddad", "")
