"""Every hosted page: accessible, light in weight, quiet under its own policy, whole on a narrow screen."""

import gzip
from collections.abc import Callable
from urllib.request import Request, urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser import people
from tests.browser.conftest import PHONE, Visit, show
from tests.demo_process import DemoProcess

pytestmark = pytest.mark.browser
Open = Callable[[Page, DemoProcess], None]
ADDRESS = "pages@fabrikam.example"
MAX_COMPRESSED_BYTES = 12_000
NARROW: ViewportSize = {"width": 320, "height": 640}


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


def violations(page: Page) -> list[str]:
    results = Axe().run(page)
    return [results.generate_report()] if results.violations_count else []


def widths(page: Page) -> dict[str, int]:
    """Return what the page takes of the screen, by the direction of its text."""
    found = {}
    for direction in ("ltr", "rtl"):
        page.evaluate("direction => { document.documentElement.dir = direction }", direction)
        found[direction] = page.evaluate("document.documentElement.scrollWidth")
    return found


def small_targets(page: Page) -> list[str]:
    """Return what fingers cannot hit."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary")]
            .filter(e => e.offsetParent && !e.closest("p, li") && !e.matches(".skip"))
            .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
            .filter(([, r]) => r.height > 0 && (r.height < 24 || r.width < 24)).map(([html]) => html)"""
    )
    return found


def compressed_bytes(page: Page, *, files: int) -> int:
    """Return the weight of the page with its `files`: style sheet, scripts, marks."""
    sources = page.evaluate(
        """() => [...new Set([...document.querySelectorAll("link[rel=stylesheet], script[src], use")]
            .map(e => new URL(e.src || e.href.baseVal || e.href, location).href.split("#")[0]))]"""
    )
    assert len(sources) == files
    bodies = [page.content().encode()]
    for source in sources:
        with urlopen(Request(source, headers={"Accept-Encoding": "identity"}), timeout=10) as response:  # noqa: S310
            bodies.append(response.read())
    return sum(len(gzip.compress(body)) for body in bodies)


@pytest.mark.parametrize("open_page", PAGES)
def test_is_light_accessible_quiet_and_fits(demo: DemoProcess, visit: Callable[..., Visit], open_page: Open) -> None:
    visitor = visit()
    page = visitor.page
    open_page(page, demo)
    # The first page has the providers' marks and the script for passkeys besides.
    files = 4 if open_page in (choose, choose_with_error) else 2
    assert compressed_bytes(page, files=files) <= MAX_COMPRESSED_BYTES
    assert violations(page) == []
    show(page, PHONE, "dark")
    assert violations(page) == []
    assert small_targets(page) == []
    show(page, NARROW, "light")
    found = widths(page)
    assert max(found.values()) <= NARROW["width"], found
    assert visitor.complaints == []


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
