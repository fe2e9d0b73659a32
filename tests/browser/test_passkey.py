"""Passkeys that Chromium makes, keeps and uses: offered once, then the fastest way in."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import people
from tests.browser.conftest import PHONE, Visit
from tests.browser.test_second_factor import give_fingerprint_reader
from tests.demo_process import DemoProcess

pytestmark = pytest.mark.browser
BUTTON = "Sign in with a passkey"


def assert_accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def sign_up(page: Page, demo: DemoProcess, address: str) -> None:
    """Up to the offer, which a browser with a fingerprint reader gets."""
    people.begin(page, demo)
    expect(page.locator("[name=can_passkey]")).to_have_value("1")
    people.give_email(page, address)
    people.give_code(page, demo, address)
    people.answer(page)
    people.create_account(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in faster next time")


def sign_out(page: Page, demo: DemoProcess) -> None:
    page.goto(demo.told["issuer"].replace("/v2.0", "/oauth2/v2.0/logout"))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    # The application has a session of its own.
    page.context.clear_cookies(name=re.compile("^(?!portal_)"))


def set_verified(devtools: Any, authenticator: str, *, is_verified: bool) -> None:
    """Whether the finger on the reader is the owner's."""
    devtools.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": is_verified})


def credentials(devtools: Any, authenticator: str) -> list[dict[str, Any]]:
    return list(devtools.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"])


def test_signs_in_with_what_was_made_after_the_first_sign_in(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    visitor = visit(viewport=PHONE)
    page, address = visitor.page, "passkey@fabrikam.example"
    devtools, authenticator = give_fingerprint_reader(page)
    sign_up(page, demo, address)
    assert_accessible(page)
    visitor.complaints.clear()
    # A finger turned away endangers nothing.
    set_verified(devtools, authenticator, is_verified=False)
    page.get_by_role("button", name="Create a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was made.")
    assert_accessible(page)
    set_verified(devtools, authenticator, is_verified=True)
    page.get_by_role("button", name="Create a passkey").click()
    expect(page).to_have_url(f"{demo.app_url}/account")
    kept = credentials(devtools, authenticator)
    assert [one["isResidentCredential"] for one in kept] == [True]

    sign_out(page, demo)
    set_verified(devtools, authenticator, is_verified=False)
    people.begin(page, demo)
    page.get_by_role("button", name=BUTTON).click()
    expect(page.get_by_role("alert")).to_contain_text("Your passkey was not used.")
    assert_accessible(page)
    set_verified(devtools, authenticator, is_verified=True)
    page.get_by_role("button", name=BUTTON).click()
    expect(page).to_have_url(f"{demo.app_url}/account")
    expect(page.get_by_text(address).first).to_be_visible()
    assert visitor.complaints == []


def test_the_browser_offers_it_in_the_email_box(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    """Chromium's stand-in takes the offer as soon as it is made. A removed passkey is none any more."""
    visitor = visit()
    page, address = visitor.page, "autofill@fabrikam.example"
    devtools, authenticator = give_fingerprint_reader(page)
    sign_up(page, demo, address)
    page.get_by_role("button", name="Create a passkey").click()
    expect(page).to_have_url(f"{demo.app_url}/account")
    sign_out(page, demo)
    page.goto(demo.app_url)
    page.get_by_role("link", name="Request your supplier account").click()
    expect(page).to_have_url(f"{demo.app_url}/account")

    account = demo.told["issuer"].replace("/v2.0", "/account/")
    page.goto(account)
    page.get_by_role("link", name="Remove Chrome on Linux").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_role("status")).to_contain_text("The passkey is removed.")
    assert len(credentials(devtools, authenticator)) == 1
    sign_out(page, demo)
    page.goto(demo.app_url)
    page.get_by_role("link", name="Request your supplier account").click()
    expect(page.get_by_role("alert")).to_contain_text("We could not sign you in with this passkey.")
    assert_accessible(page)
    visitor.complaints.clear()


def test_tells_nothing_without_javascript(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    page = visit(javascript=False).page
    people.begin(page, demo)
    expect(page.get_by_role("button", name=BUTTON)).to_be_hidden()
