"""What a person does on the pages, by the words that they see."""

import re

from playwright.sync_api import Page, expect

from tests.demo_process import DemoProcess


def begin(page: Page, demo: DemoProcess) -> None:
    """From the sample application's home to the first hosted page."""
    page.goto(demo.app_url)
    page.get_by_role("link", name="Request your supplier account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Create your account or sign in")


def give_email(page: Page, address: str) -> None:
    page.get_by_label("Email address").fill(address)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your email")


def give_code(page: Page, demo: DemoProcess, address: str) -> None:
    page.get_by_label("Security code").fill(demo.code_for(address))
    page.get_by_role("button", name="Continue").click()


def answer(page: Page, **changes: str) -> None:
    answers = {
        "First name": "Amina",
        "Last name": "Haddad",
        "Business name": "Fabrikam",
        "Business registration code": "HRB 12345",
        "Phone number": "+962 79 123 4567",
    }
    for label, value in (answers | changes).items():
        page.get_by_label(re.compile(f"^{label}")).fill(value)
    page.get_by_label("Country or region").select_option("JO")


def create_account(page: Page) -> None:
    page.get_by_role("button", name="Create account").click()


def sign_up(page: Page, demo: DemoProcess, address: str) -> None:
    begin(page, demo)
    give_email(page, address)
    give_code(page, demo, address)
    answer(page)
    create_account(page)
    expect(page).to_have_url(f"{demo.app_url}/account")
