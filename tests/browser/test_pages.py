"""Every hosted page: accessible, light in weight, quiet under its own policy, whole on a narrow screen."""

import gzip
from collections.abc import Callable
from urllib.request import Request, urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import people
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.demo_process import DemoProcess

pytestmark = pytest.mark.browser
Open = Callable[[Page, DemoProcess], None]
ADDRESS = "pages@fabrikam.example"
MAX_COMPRESSED_BYTES = 12_000


def choose(page: Page, demo: DemoProcess) -> None:
    people.begin(page, demo)


def choose_with_error(page: Page, demo: DemoProcess) -> None:
    people.begin(page, demo)
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()


def code(page: Page, demo: DemoProcess) -> None:
    people.begin(page, demo)
    # Each opening of a page mails a code; a mailbox gets six an hour.
    people.give_email(page, f"{abs(hash(page)) % 10**9}@fabrikam.example")


def code_with_error(page: Page, demo: DemoProcess) -> None:
    code(page, demo)
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()


def attributes(page: Page, demo: DemoProcess) -> None:
    address = f"{abs(hash(page)) % 10**9}@fabrikam.example"
    people.begin(page, demo)
    people.give_email(page, address)
    people.give_code(page, demo, address)
    expect(page.get_by_label("First name")).to_be_visible()


def attributes_with_errors(page: Page, demo: DemoProcess) -> None:
    attributes(page, demo)
    people.create_account(page)
    expect(page.get_by_role("alert")).to_be_visible()


def refusal(page: Page, demo: DemoProcess) -> None:
    page.goto(demo.told["issuer"].replace("/v2.0", "/journey/00000000-0000-4000-8000-000000000000/"))


def application_error(page: Page, demo: DemoProcess) -> None:
    client = demo.told["clients"][0]
    sent = client["redirect_uris"][0] + "/"
    url = demo.told["issuer"].replace("/v2.0", "/oauth2/v2.0/authorize")
    page.goto(f"{url}?client_id={client['client_id']}&redirect_uri={sent}&response_type=code&scope=openid")
    expect(page.get_by_text("OIDC-1104")).to_be_attached()


def sign_out_question(page: Page, demo: DemoProcess) -> None:
    people.sign_up(page, demo, f"{abs(hash(page)) % 10**9}@fabrikam.example")
    page.goto(demo.told["issuer"].replace("/v2.0", "/oauth2/v2.0/logout"))
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def signed_out(page: Page, demo: DemoProcess) -> None:
    page.goto(demo.told["issuer"].replace("/v2.0", "/oauth2/v2.0/logout"))


def not_found(page: Page, demo: DemoProcess) -> None:
    page.goto(demo.told["issuer"].replace("/woodgrove/v2.0", "/nobody/"))


def outbox(page: Page, demo: DemoProcess) -> None:
    page.goto(demo.told["outbox_url"])


PAGES = [
    choose,
    choose_with_error,
    code,
    code_with_error,
    attributes,
    attributes_with_errors,
    refusal,
    application_error,
    sign_out_question,
    signed_out,
    not_found,
    outbox,
]
EVERY_PAGE = pytest.mark.parametrize("open_page", PAGES)


@EVERY_PAGE
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_has_no_accessibility_violations(
    demo: DemoProcess, visit: Callable[..., Visit], open_page: Open, scheme: str
) -> None:
    visitor = visit(scheme=scheme, viewport=PHONE if scheme == "dark" else DESKTOP)
    open_page(visitor.page, demo)
    results = Axe().run(visitor.page)
    assert results.violations_count == 0, results.generate_report()
    assert visitor.complaints == []


@EVERY_PAGE
def test_fits_a_narrow_screen_in_both_directions(
    demo: DemoProcess, visit: Callable[..., Visit], open_page: Open
) -> None:
    visitor = visit(viewport={"width": 320, "height": 640})
    open_page(visitor.page, demo)
    for direction in ("ltr", "rtl"):
        visitor.page.evaluate("direction => { document.documentElement.dir = direction }", direction)
        width = visitor.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 320, f"{direction}: {width}"


@EVERY_PAGE
def test_offers_targets_that_fingers_can_hit(demo: DemoProcess, visit: Callable[..., Visit], open_page: Open) -> None:
    visitor = visit(viewport=PHONE)
    open_page(visitor.page, demo)
    small = visitor.page.evaluate(
        """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary")]
            .filter(e => e.offsetParent && !e.closest("p, li") && !e.matches(".skip"))
            .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
            .filter(([, r]) => r.height > 0 && (r.height < 24 || r.width < 24)).map(([html]) => html)"""
    )
    assert small == []


@EVERY_PAGE
def test_weighs_at_most_twelve_kilobytes(demo: DemoProcess, visit: Callable[..., Visit], open_page: Open) -> None:
    visitor = visit()
    open_page(visitor.page, demo)
    sources = visitor.page.evaluate(
        """() => [...new Set([...document.querySelectorAll("link[rel=stylesheet], script[src], use")]
            .map(e => new URL(e.src || e.href.baseVal || e.href, location).href.split("#")[0]))]"""
    )
    bodies = [visitor.page.content().encode()]
    for source in sources:
        with urlopen(Request(source, headers={"Accept-Encoding": "identity"}), timeout=10) as response:  # noqa: S310
            bodies.append(response.read())
    # The first page has the providers' marks and the script for passkeys besides.
    assert len(sources) == (4 if open_page in (choose, choose_with_error) else 2)
    assert sum(len(gzip.compress(body)) for body in bodies) <= MAX_COMPRESSED_BYTES


def test_moves_the_focus_to_what_went_wrong(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    page = visit().page
    attributes_with_errors(page, demo)
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    page.get_by_role("alert").get_by_role("link").first.click()
    expect(page.get_by_label("First name")).to_be_focused()


def test_says_the_one_wrong_character_to_the_developer(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    page = visit().page
    application_error(page, demo)
    text = page.content()
    assert "one “/” too many at the end" in text
    assert demo.told["clients"][0]["redirect_uris"][0] in text
