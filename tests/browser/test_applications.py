"""Registering an application in a real browser: words while one types, values to copy, and all of it without script."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import people
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.demo_process import DemoProcess

pytestmark = pytest.mark.browser


def check(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_registers_an_application_and_lets_it_use_a_flow(
    demo: DemoProcess, visit: Callable[..., Visit], scheme: str
) -> None:
    visitor = visit(scheme=scheme, viewport=PHONE if scheme == "dark" else DESKTOP)
    page = visitor.page
    page.goto(people.become_admin(page, demo) + "directory/application/add/")
    check(page)
    page.goto(page.url)
    page.get_by_role("link", name="Single-page application").click()
    page.get_by_label("Name", exact=True).fill(f"Order tracker {scheme}")
    uris = page.get_by_label("Redirect URIs", exact=True)
    uris.fill("https://app.example.com/cb\nhttp://app.example.com/cb")
    expect(page.get_by_text("Line 2: http://app.example.com/cb must begin with https://.")).to_be_visible()
    expect(uris).to_have_attribute("aria-invalid", "true")
    check(page)
    uris.fill("https://app.example.com/cb/")
    expect(page.get_by_text("ends with a slash")).to_be_visible()
    expect(uris).to_have_attribute("aria-invalid", "false")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Use a user flow").click()
    check(page)
    page.goto(page.url)
    page.get_by_role("button", name="Use B2X_1_Suppliers").click()
    expect(page.get_by_text("through B2X_1_Suppliers now.")).to_be_visible()
    # What axe asks of the page for its report is not a complaint against the page.
    assert [words for words in visitor.complaints if "inline style" not in words and "preload" not in words] == []
    check(page)


def test_copies_a_value(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    visitor = visit()
    page = visitor.page
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(people.become_admin(page, demo) + "directory/application/")
    page.get_by_role("link", name="Woodgrove Supplier Portal").click()
    value = page.locator("[data-label='fact-1']")
    page.locator(".facts button.copy").first.click()
    expect(page.locator(".facts button.copy").first).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == value.text_content()
    assert visitor.complaints == []


def test_registers_an_application_without_script(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    page = visit(javascript=False).page
    page.goto(people.become_admin(page, demo) + "directory/application/add/")
    page.get_by_role("link", name="Mobile and desktop").click()
    page.get_by_label("Name", exact=True).fill("Field app")
    page.get_by_label("Redirect URIs", exact=True).fill("com.example.app:/cb\nmyapp:/cb")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Line 2: myapp:/cb must begin with")).to_be_visible()
    page.get_by_label("Redirect URIs", exact=True).fill("com.example.app:/cb")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Field app")
    page.get_by_text("Python: MSAL, for the command line").click()
    expect(page.get_by_text("PublicClientApplication")).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
