"""From the one-time link to the admin with a passkey that Chromium keeps, and in again with it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import people
from tests.browser.conftest import PHONE, Visit
from tests.demo_process import DemoProcess

pytestmark = pytest.mark.browser
PLATFORM_PAGES = (
    *("", "directory/tenant/", "directory/tenant/add/", "directory/user/", "directory/auditevent/"),
    "search/?q=woodgrove",
)


def give_fingerprint_reader(page: Page) -> Any:
    """Let Chromium have a built-in authenticator whose owner always says yes."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devtools, made["authenticatorId"]


def assert_accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def look_at_the_platform(visitor: Visit, url: str) -> None:
    page = visitor.page
    for path in PLATFORM_PAGES:
        page.goto(url + path)
        # What axe asks of the page for its report is not a complaint against the page.
        assert visitor.complaints == []
        assert_accessible(page)
        visitor.complaints.clear()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


def test_an_operator_sets_up_a_passkey_and_comes_in_again_with_it(
    demo: DemoProcess, visit: Callable[..., Visit]
) -> None:
    visitor = visit(viewport=PHONE)
    page, operator = visitor.page, demo.told["operator"]
    devtools, authenticator = give_fingerprint_reader(page)
    page.goto(operator["one_time_link"])
    assert_accessible(page)
    people.set_password(page, operator["one_time_link"])
    assert_accessible(page)
    page.get_by_role("link", name="Make a passkey").click()
    expect(page.get_by_label("Name")).to_have_value("Chrome on Linux")
    assert_accessible(page)
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep these recovery codes")
    assert_accessible(page)
    page.get_by_role("button", name="I have kept them").click()
    expect(page).to_have_url(operator["url"])

    page.locator(".user-menu > summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Email address").fill(operator["email"])
    page.get_by_label("Password").fill(people.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    # Whoever turns their finger away is told what to do.
    devtools.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("Your passkey was not used.")
    assert_accessible(page)
    devtools.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": True})
    page.get_by_role("button", name="Use your passkey").click()
    expect(page).to_have_url(operator["url"])
    page.goto(f"{operator['url']}your-sign-in/")
    expect(page.get_by_role("heading", name=re.compile("Chrome on Linux"))).to_have_count(2)
    assert_accessible(page)
    look_at_the_platform(visitor, operator["url"])
    assert visitor.complaints == []


def test_forgetting_a_password_works_without_javascript(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    page = visit(javascript=False).page
    page.goto(demo.told["admin"]["url"])
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("Email address").fill("nobody@woodgrove.example")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your email")
