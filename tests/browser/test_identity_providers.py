"""Setting an identity provider up as an administrator does, without script; and its page in every dress."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser import people
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.demo_process import DemoProcess

pytestmark = pytest.mark.browser
# One of each shape: columns only, a key and a file, metadata and certificates.
KINDS = ("EntraID", "Apple", "Saml")


def add(page: Page, url: str, kind: str, name: str) -> None:
    """From the list by the cards to the page of the new one."""
    page.goto(f"{url}directory/identityprovider/")
    page.get_by_role("link", name="Add an identity provider").click()
    page.locator(f'.kind-cards a[href="?kind={kind}"]').click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Add", exact=True).click()


def test_sets_one_up_without_script(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    page = visit(javascript=False).page
    url = people.become_admin(page, demo)
    add(page, url, "OpenIdConnect", "Fabrikam")
    assert "/federation/" in page.locator(".facts code").first.inner_text()
    page.get_by_label("Issuer").fill("https://nobody.fabrikam.example")
    page.get_by_label("Client ID").fill("portal")
    page.get_by_label("Client secret", exact=True).fill("secret")
    page.get_by_role("button", name="Save and test the connection").click()
    assert page.locator(".test-steps .failed").count() == 1
    assert page.locator(".test-steps .open").count() == 4
    page.get_by_role("link", name="Back").click()
    assert page.get_by_label("Client secret", exact=True).input_value() == ""
    page.get_by_role("link", name="Switch on").click()
    page.get_by_role("button", name="Switch on").click()
    assert page.locator(".badges .badge-success").inner_text() == "On"
    # The other tests' strangers are offered what is on.
    page.get_by_role("link", name="Switch off").click()
    page.get_by_role("button", name="Switch off").click()
    assert page.locator(".badges .badge-success").count() == 0


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_its_page_is_accessible_quiet_and_fits(
    demo: DemoProcess, visit: Callable[..., Visit], size: dict[str, int], scheme: str
) -> None:
    visitor = visit(viewport=size, scheme=scheme)
    page = visitor.page
    url = people.become_admin(page, demo)
    for kind in KINDS:
        page.goto(f"{url}directory/identityprovider/add/?kind={kind}")
        if page.get_by_role("button", name="Add", exact=True).count():
            page.get_by_role("button", name="Add", exact=True).click()
        else:
            page.goto(f"{url}directory/identityprovider/")
            page.locator("#result_list th a", has_text=kind).first.click()
        page.wait_for_url("**/change/")
        assert visitor.complaints == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), kind
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        visitor.complaints.clear()
