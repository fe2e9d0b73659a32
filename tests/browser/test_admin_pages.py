"""The admin in a real browser: accessible, quiet under its strict policy, whole on a phone."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser import people
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.demo_process import DemoProcess

pytestmark = pytest.mark.browser

PAGES = (
    "",
    "search/?q=demo",
    "health/",
    "password_change/",
    "your-sign-in/",
    "your-sign-in/recovery-codes/new/",
    "step-up/",
    "set-up/app/",
    "set-up/passkey/",
    "userflows/userflow/",
    "userflows/userflow/add/",
    "directory/application/",
    "directory/application/add/",
    "directory/userattribute/",
    "directory/user/",
    "directory/user/add/",
    "directory/auditevent/",
    "oidc/signingkey/",
)


def test_every_page_keeps_to_the_policy(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    visitor = visit()
    url = people.become_admin(visitor.page, demo)
    for path in PAGES:
        visitor.page.goto(url + path)
        assert visitor.page.title()
    assert visitor.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits(demo: DemoProcess, visit: Callable[..., Visit], scheme: str) -> None:
    visitor = visit(scheme=scheme, viewport=PHONE if scheme == "dark" else DESKTOP)
    url = people.become_admin(visitor.page, demo)
    found = {}
    for path in PAGES:
        visitor.page.goto(url + path)
        results = Axe().run(visitor.page)
        if results.violations_count:
            found[path] = results.generate_report()
        assert visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    assert found == {}


def test_the_sign_in_page_is_accessible(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    visitor = visit()
    visitor.page.goto(demo.told["admin"]["url"])
    assert visitor.complaints == []
    results = Axe().run(visitor.page)
    assert results.violations_count == 0, results.generate_report()
