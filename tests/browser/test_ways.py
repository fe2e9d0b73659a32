"""Ways to sign in, in a real browser: two ways joined, and pages that hold with every kind of provider on them."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import people
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.demo_process import DemoProcess
from tests.upstream.server import UpstreamServer
from tests.upstream.vendors import VENDORS

pytestmark = pytest.mark.browser
OFFER_ALL = """
import json
from directory.models import IdentityProvider, Tenant
from userflows.models import IdentityProviderAssignment, UserFlow
from userflows.publishing import publish
tenant = Tenant.objects.get(slug="woodgrove")
Tenant.objects.filter(pk=tenant.pk).update(keep_signed_in_days=30)
flow = UserFlow.objects.get(tenant=tenant)
for place, values in enumerate(json.loads(PROVIDERS)):
    provider = IdentityProvider.objects.create(tenant=tenant, **values)
    IdentityProviderAssignment.objects.create(user_flow=flow, identity_provider=provider, order=50 + place)
publish(flow)
"""


def values_of(kind: str, vendors: UpstreamServer) -> dict[str, Any]:
    values: dict[str, Any] = {"kind": kind, "name": kind, "client_id": "the-portal", "secret": "the-client-secret"}
    if kind == "OpenIdConnect":
        values |= {"name": "Northwind", "settings": {"issuer": vendors.issuer(kind), "trusts_mail": True}}
    return values | VENDORS[kind].values


@pytest.fixture(scope="module")
def started() -> Iterator[UpstreamServer]:
    server = UpstreamServer().start()
    yield server
    server.stop()


@pytest.fixture
def vendors(started: UpstreamServer) -> UpstreamServer:
    started.reset()
    return started


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, started: UpstreamServer) -> Iterator[DemoProcess]:
    """A demo of our own: its flow offers every kind of provider, and our server stands in for all of them."""
    endpoints = {"PROVIDER_ENDPOINTS": json.dumps(started.endpoints)}
    process = DemoProcess(tmp_path_factory.mktemp("ways"), environment=endpoints)
    process.start()
    providers = json.dumps([values_of(kind, started) for kind in VENDORS])
    process.run_python(f"PROVIDERS = {providers!r}\n{OFFER_ALL}")
    yield process
    process.stop()


def choose(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"Continue with {name}").click()


def keep_picture(page: Page, name: str) -> None:
    folder = os.environ.get("PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_joins_another_way_only_after_a_yes(
    demo: DemoProcess, visit: Callable[..., Visit], vendors: UpstreamServer
) -> None:
    address = "joins@fabrikam.example"
    people.sign_up(visit().page, demo, address)
    visitor = visit(viewport=PHONE)
    page = visitor.page
    vendors.claims = {"id": 4711}
    people.begin(page, demo)
    choose(page, "GitHub")
    people.give_email(page, address)
    people.give_code(page, demo, address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Join GitHub to your account?")
    page.get_by_role("button", name="Join GitHub").click()
    expect(page).to_have_url(f"{demo.app_url}/account")
    again = visit().page
    people.begin(again, demo)
    choose(again, "GitHub")
    expect(again).to_have_url(f"{demo.app_url}/account")
    expect(again.get_by_text(address).first).to_be_visible()
    assert visitor.complaints == []


def first_page(page: Page, demo: DemoProcess, vendors: UpstreamServer) -> None:
    people.begin(page, demo)


def first_page_again(page: Page, demo: DemoProcess, vendors: UpstreamServer) -> None:
    people.begin(page, demo)
    value = page.get_by_role("button", name="Continue with Google").get_attribute("value")
    url = demo.told["issuer"].removesuffix("v2.0")
    page.context.add_cookies([{"name": "portal_last_way", "value": str(value), "url": url}])
    page.reload()
    expect(page.get_by_role("button", name="Continue with Google Last used")).to_be_visible()


def address_page(page: Page, demo: DemoProcess, vendors: UpstreamServer) -> None:
    people.begin(page, demo)
    vendors.claims = {"id": 4712}
    choose(page, "GitHub")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your email address")


def join_page(page: Page, demo: DemoProcess, vendors: UpstreamServer) -> None:
    """Who signed up by code comes with Google, which vouches for the same address."""
    people.begin(page, demo)
    address = "join-page@fabrikam.example"
    people.give_email(page, address)
    people.give_code(page, demo, address)
    page.wait_for_url(re.compile(r"/attributes/$|/account$"))
    if page.get_by_role("button", name="Create account").is_visible():
        people.answer(page)
        people.create_account(page)
    expect(page).to_have_url(f"{demo.app_url}/account")
    page.get_by_role("button", name="Sign out").click()
    vendors.claims = {"sub": "4713", "email": address}
    people.begin(page, demo)
    choose(page, "Google")
    expect(page.get_by_role("heading", level=1)).to_have_text("You already have an account")


def down_page(page: Page, demo: DemoProcess, vendors: UpstreamServer) -> None:
    people.begin(page, demo)
    vendors.token_answer = (503, {})
    choose(page, "Google")
    expect(page.get_by_role("heading", level=1)).to_have_text("Google can't be reached")


def details_page(page: Page, demo: DemoProcess, vendors: UpstreamServer) -> None:
    people.begin(page, demo)
    vendors.claims = {"sub": "4714", "email": "details@fabrikam.example"}
    choose(page, "LinkedIn")
    expect(page.get_by_text("You signed in with LinkedIn")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("open_page", [first_page, first_page_again, address_page, join_page, down_page, details_page])
def test_has_pages_that_everybody_can_use(
    demo: DemoProcess, visit: Callable[..., Visit], vendors: UpstreamServer, open_page: Any, scheme: str
) -> None:
    visitor = visit(scheme=scheme, viewport=PHONE if scheme == "dark" else DESKTOP)
    open_page(visitor.page, demo, vendors)
    results = Axe().run(visitor.page)
    assert results.violations_count == 0, results.generate_report()
    assert visitor.complaints == []
    keep_picture(visitor.page, f"{open_page.__name__}-{scheme}")
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    for direction in ("rtl", "ltr"):
        visitor.page.evaluate("direction => { document.documentElement.dir = direction }", direction)
        keep_picture(visitor.page, f"{open_page.__name__}-{scheme}-320-{direction}")
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 320, direction
