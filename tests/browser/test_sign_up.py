"""The whole way in a real browser, from the sample application and back, with and without JavaScript."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import people
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.demo_process import DemoProcess

pytestmark = pytest.mark.browser

BROWSERS = pytest.mark.parametrize(
    ("javascript", "viewport", "name"),
    [
        (True, DESKTOP, "js-desktop"),
        (True, PHONE, "js-phone"),
        (False, DESKTOP, "nojs-desktop"),
        (False, PHONE, "nojs-phone"),
    ],
)


@BROWSERS
def test_signs_up_out_and_in_again(
    demo: DemoProcess, visit: Callable[..., Visit], javascript: bool, viewport: dict[str, int], name: str
) -> None:
    address = f"{name}@fabrikam.example"
    visitor = visit(javascript=javascript, viewport=viewport)
    page = visitor.page
    people.begin(page, demo)
    people.give_email(page, address)
    people.give_code(page, demo, address)

    # First with mistakes: nothing that was typed is lost.
    people.answer(page, **{"Last name": "", "Phone number": "079 12"})
    people.create_account(page)
    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.get_by_label("First name")).to_have_value("Amina")
    expect(page.get_by_label(re.compile("^Phone number"))).to_have_value("079 12")
    expect(page.get_by_label("Country or region")).to_have_value("JO")
    people.answer(page)
    people.create_account(page)

    expect(page).to_have_url(f"{demo.app_url}/account")
    expect(page.get_by_text("Amina Haddad").first).to_be_visible()
    expect(page.get_by_text(address).first).to_be_visible()
    expect(page.get_by_text("HRB 12345").first).to_be_visible()

    # The second application: signed in at once.
    page.goto(f"{demo.second_app_url}/sign-in")
    expect(page).to_have_url(f"{demo.second_app_url}/account")

    # Out, and in again without the questions.
    page.goto(f"{demo.app_url}/account")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile(f"^{re.escape(demo.app_url)}/signed-out"))
    people.begin(page, demo)
    people.give_email(page, address)
    people.give_code(page, demo, address)
    expect(page).to_have_url(f"{demo.app_url}/account")
    assert visitor.complaints == []


def test_the_guest_can_be_found_in_the_admin(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    address = "found@fabrikam.example"
    people.sign_up(visit().page, demo, address)
    visitor = visit()
    page = visitor.page
    url = people.become_admin(page, demo)
    page.get_by_role("link", name="Users").first.click()
    page.get_by_role("searchbox").first.fill(address)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Amina Haddad").first.click()
    for text in ("HRB 12345", "Self-service sign-up", "mail", "Woodgrove Supplier Portal"):
        expect(page.get_by_text(text).first).to_be_attached()
    found = re.search(r"/directory/user/([0-9a-f-]{36})/", page.url)
    assert found
    page.goto(f"{url}directory/auditevent/?q={found[1]}")
    expect(page.get_by_role("link", name="Signed up", exact=True)).to_be_visible()
    assert visitor.complaints == []


def test_cancelling_goes_back_to_the_application(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    visitor = visit()
    people.begin(visitor.page, demo)
    visitor.page.get_by_role("button", name=re.compile("^Cancel")).click()
    expect(visitor.page).to_have_url(re.compile(f"^{re.escape(demo.app_url)}"))
    assert visitor.complaints == []


def test_the_back_button_leads_to_no_dead_end(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    address = "back@fabrikam.example"
    visitor = visit()
    page = visitor.page
    people.begin(page, demo)
    people.give_email(page, "typo@fabrikam.example")
    page.go_back()
    people.give_email(page, address)
    people.give_code(page, demo, address)
    expect(page.get_by_label("First name")).to_be_visible()
    page.go_back()
    page.go_back()
    expect(page.get_by_label("First name")).to_be_visible()
    people.answer(page)
    people.create_account(page)
    expect(page).to_have_url(f"{demo.app_url}/account")
    page.go_back()
    expect(page.locator("h1")).to_be_visible()
    assert visitor.complaints == []
