"""“Your account” in Chromium: every page accessible, whole on a phone, quiet under its own policy."""

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser import people
from tests.browser.conftest import DESKTOP, PHONE, Visit, show
from tests.browser.test_passkey import assert_accessible
from tests.browser.test_second_factor import give_fingerprint_reader
from tests.demo_process import DemoProcess

pytestmark = pytest.mark.browser


def account_url(demo: DemoProcess) -> str:
    return str(demo.told["issuer"].replace("/v2.0", "/account/"))


def enter(page: Page, demo: DemoProcess, address: str) -> None:
    page.goto(account_url(demo))
    people.give_email(page, address)
    people.give_code(page, demo, address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")


def look_at(visitor: Visit) -> None:
    """In light and dark, on a desktop and on a phone."""
    page = visitor.page
    screens: list[tuple[ViewportSize, Literal["light", "dark"]]] = [(DESKTOP, "light"), (PHONE, "dark")]
    for size, scheme in screens:
        show(page, size, scheme)
        assert visitor.complaints == []
        assert_accessible(page)
        visitor.complaints.clear()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_looks_after_ones_own_sign_in(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    visitor, address = visit(), "account@fabrikam.example"
    page = visitor.page
    people.sign_up(page, demo, address)
    give_fingerprint_reader(page)
    page.goto(account_url(demo))
    page.get_by_role("link", name="Add a passkey").click()
    look_at(visitor)
    page.get_by_label("Name").fill("Kitchen")
    page.get_by_role("button", name="Create a passkey").click()
    expect(page.get_by_role("status")).to_contain_text("Your passkey is ready.")
    look_at(visitor)
    page.get_by_role("link", name="Rename Kitchen").click()
    page.get_by_label("Name").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter a name.")
    look_at(visitor)
    page.get_by_role("link", name="Back to your account").click()
    page.get_by_role("link", name="Remove Kitchen").click()
    look_at(visitor)
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("A passkey was removed.")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")


def test_works_without_javascript(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    address, new_address = "plain@fabrikam.example", "plain@contoso.test"
    page = visit(javascript=False, viewport=PHONE).page
    people.sign_up(page, demo, address)
    elsewhere = visit(javascript=False).page
    enter(elsewhere, demo, address)
    elsewhere.get_by_role("link", name="Change your email address").click()
    elsewhere.get_by_label("Email address").fill(new_address)
    elsewhere.get_by_role("button", name="Send the code").click()
    elsewhere.get_by_label("Security code").fill(demo.code_for(new_address))
    elsewhere.get_by_role("button", name="Change my address").click()
    expect(elsewhere.get_by_role("status")).to_contain_text("Your address is changed.")
    expect(elsewhere.get_by_text(new_address).first).to_be_visible()
    # The other browser was signed out by that.
    page.goto(account_url(demo))
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.get_by_role("button", name="Cancel and go back to Your account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are not signed in")
