"""E-mail address and password in a real browser: signing up, signing in, a new one, and pages that hold on a phone."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import people
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.demo_process import DemoProcess

pytestmark = pytest.mark.browser
WRONG = "This password doesn't go with this email address"
OFFER_PASSWORDS = """
from directory.models import IdentityProvider, Tenant
from userflows.models import IdentityProviderAssignment, UserFlow
from userflows.publishing import publish
tenant = Tenant.objects.get(slug="woodgrove")
Tenant.objects.filter(pk=tenant.pk).update(keep_signed_in_days=30)
provider = IdentityProvider.objects.create(tenant=tenant, kind="EmailPassword", name="Email with password")
flow = UserFlow.objects.get(tenant=tenant)
IdentityProviderAssignment.objects.create(user_flow=flow, identity_provider=provider, order=0)
publish(flow)
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    """A demo of our own: its flow asks for passwords."""
    process = DemoProcess(tmp_path_factory.mktemp("passwords"))
    process.start()
    process.run_python(OFFER_PASSWORDS)
    yield process
    process.stop()


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    return f"{abs(hash(request.node.name)) % 10**9}@fabrikam.example"


def at_password(page: Page, demo: DemoProcess, address: str) -> None:
    people.begin(page, demo)
    page.get_by_label("Email address").fill(address)
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter your password")


def at_new_password(page: Page, demo: DemoProcess, address: str) -> None:
    at_password(page, demo, address)
    page.get_by_role("button", name="Create an account or choose a new password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your email")
    people.give_code(page, demo, address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a password")


def choose_password(page: Page, demo: DemoProcess, address: str, password: str) -> None:
    at_new_password(page, demo, address)
    page.get_by_label("New password").fill(password)
    page.get_by_role("button", name="Continue", exact=True).click()


def sign_up(page: Page, demo: DemoProcess, address: str) -> None:
    choose_password(page, demo, address, people.PASSWORD)
    people.answer(page)
    people.create_account(page)
    expect(page).to_have_url(f"{demo.app_url}/account")


def give_password(page: Page, password: str) -> None:
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_signs_up_signs_in_and_chooses_another_password(
    demo: DemoProcess, visit: Callable[..., Visit], address: str
) -> None:
    first = visit()
    sign_up(first.page, demo, address)
    second = visit(viewport=PHONE)
    at_password(second.page, demo, address)
    give_password(second.page, "not the password")
    expect(second.page.get_by_role("alert")).to_contain_text(WRONG)
    assert second.page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    give_password(second.page, people.PASSWORD)
    told = people.claims_at(second.page, demo)
    assert (told["idp"], told["amr"]) == ("mail", ["pwd"])
    assert told["oid"] == people.claims_at(first.page, demo)["oid"]
    third = visit()
    choose_password(third.page, demo, address, "another battery staple horse")
    expect(third.page).to_have_url(f"{demo.app_url}/account")
    # The browsers of before are signed out.
    people_again = first.page
    people_again.goto(demo.app_url)
    assert [*first.complaints, *second.complaints, *third.complaints] == []


def test_works_without_javascript(demo: DemoProcess, visit: Callable[..., Visit], address: str) -> None:
    page = visit(javascript=False).page
    sign_up(page, demo, address)
    page = visit(javascript=False).page
    at_password(page, demo, address)
    expect(page.get_by_role("button", name="Show password")).to_be_hidden()
    give_password(page, people.PASSWORD)
    expect(page).to_have_url(f"{demo.app_url}/account")


def test_shows_what_is_typed_and_sends_it_as_a_password(
    demo: DemoProcess, visit: Callable[..., Visit], address: str
) -> None:
    page = visit().page
    at_new_password(page, demo, address)
    field, reveal = page.get_by_label("New password"), page.get_by_role("button", name="Show password")
    field.fill("elevenchars")
    expect(page.get_by_role("status")).to_have_text("11 of at least 12 characters.")
    field.press_sequentially("x")
    expect(page.get_by_role("status")).to_have_text("Long enough.")
    expect(field).to_have_attribute("type", "password")
    reveal.click()
    expect(field).to_have_attribute("type", "text")
    expect(reveal).to_have_attribute("aria-pressed", "true")
    reveal.click()
    expect(field).to_have_attribute("type", "password")


def test_tells_password_managers_whose_password_it_is(
    demo: DemoProcess, visit: Callable[..., Visit], address: str
) -> None:
    page = visit().page
    at_password(page, demo, address)
    assert page.locator("[autocomplete=username]").input_value() == address
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("autocomplete", "current-password")
    page.get_by_role("button", name="Create an account").click()
    people.give_code(page, demo, address)
    expect(page.get_by_label("New password")).to_have_attribute("autocomplete", "new-password")
    assert page.locator("[autocomplete=username]").input_value() == address


def wrong_password(page: Page, demo: DemoProcess, address: str) -> None:
    at_password(page, demo, address)
    give_password(page, "not the password")
    expect(page.get_by_role("alert")).to_be_visible()


def weak_password(page: Page, demo: DemoProcess, address: str) -> None:
    choose_password(page, demo, address, "password1234")
    expect(page.get_by_role("alert")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("open_page", [at_password, wrong_password, at_new_password, weak_password])
def test_has_pages_that_everybody_can_use(
    demo: DemoProcess, visit: Callable[..., Visit], address: str, open_page: Any, scheme: str
) -> None:
    visitor = visit(scheme=scheme, viewport=PHONE if scheme == "dark" else DESKTOP)
    open_page(visitor.page, demo, address)
    results = Axe().run(visitor.page)
    assert results.violations_count == 0, results.generate_report()
    assert visitor.complaints == []
    keep_picture(visitor.page, f"{open_page.__name__}-{scheme}")
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 320


def keep_picture(page: Page, name: str) -> None:
    folder = os.environ.get("PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
