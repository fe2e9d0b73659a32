"""The admin in a real browser: accessible, quiet under its strict policy, whole on a phone.

The pages on which a flow is edited and published are in test_flow_builder.py, the platform's in
test_second_factor.py, and what works without script in those of each subject.
"""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser import people
from tests.browser.conftest import DESKTOP, PHONE, SCHEMES, Visit, show
from tests.demo_process import DemoProcess

pytestmark = pytest.mark.browser
LISTS = (
    *("userflows/userflow/", "directory/identityprovider/", "directory/application/", "directory/userattribute/"),
    *("directory/user/", "directory/auditevent/"),
)
PAGES = (
    *("", "search/?q=woodgrove", "search/?q=nothing-like-it", "health/", "your-sign-in/", "password_change/"),
    *("your-sign-in/recovery-codes/new/", "step-up/", "set-up/app/", "set-up/passkey/", "userflows/signin/"),
    *("userflows/userflow/add/", "directory/application/add/", "directory/identityprovider/add/"),
    *("directory/identityprovider/add/?kind=Google", "directory/identityprovider/explain/"),
    *("directory/userattribute/add/", "directory/user/add/", "directory/user/deleted/", "directory/user/export/"),
    *("directory/roleassignment/", "directory/roleassignment/global_administrator/", "directory/tenant/"),
    *("userflows/signin/?q=nothing-like-it", "directory/auditevent/?q=nothing-like-it", "oidc/signingkey/"),
)
LOOKS = [(size, scheme) for size in (DESKTOP, PHONE) for scheme in SCHEMES]
# Of the first row of a list, beside its own page.
BESIDE = {
    "userflows/userflow/": ("run", "history"),
    "directory/application/": ("history", "delete", "flow", "secrets/add"),
    "directory/identityprovider/": ("history", "switch"),
    "directory/user/": ("history", "delete", "disable", "revoke-sessions"),
}


def opened(page: Page, url: str) -> Iterator[str]:
    """Open them one by one, the pages of rows by the links that the lists have."""
    for path in PAGES:
        page.goto(url + path)
        yield path
    for path in LISTS:
        page.goto(url + path)
        yield path
        link = page.locator("#result_list tbody th a").first.get_attribute("href")
        page.goto(urljoin(page.url, link))
        row = re.sub("change/.*", "", page.url)
        yield page.url
        for name in BESIDE.get(path, ()):
            page.goto(f"{row}{name}/")
            yield page.url


def complaints_about(page: Page) -> Iterator[str]:
    if not page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"):
        yield "scrolls sideways"
    results = Axe().run(page)
    if results.violations_count:
        yield results.generate_report()


def test_every_page_is_accessible_quiet_and_fits(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    visitor = visit()
    page = visitor.page
    found = {}
    for name in opened(page, people.become_admin(page, demo)):
        # What axe asks of a page for its report is no complaint against it: those before are.
        wrong = list(visitor.complaints)
        if not page.locator("h1").count():
            wrong.append("no heading")
        for size, scheme in LOOKS:
            show(page, size, scheme)
            wrong += [f"{size['width']} {scheme}: {complaint}" for complaint in complaints_about(page)]
        visitor.complaints.clear()
        if wrong:
            found[name] = wrong
    assert found == {}


def test_the_sign_in_page_is_accessible(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    visitor = visit()
    visitor.page.goto(demo.told["admin"]["url"])
    assert visitor.complaints == []
    results = Axe().run(visitor.page)
    assert results.violations_count == 0, results.generate_report()
