"""What a person does on the pages, by the words that they see."""

import json
import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.demo_process import DemoProcess
from tests.totp import code_of

PASSWORD = "staple battery horse correct"
# By the demo's port: the session of its administrator, whose one-time link works once.
_sessions: dict[int, Any] = {}


def begin(page: Page, demo: DemoProcess) -> None:
    """From the sample application's home to the first hosted page."""
    page.goto(demo.app_url)
    page.get_by_role("link", name="Request your supplier account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Create your account or sign in")


def give_email(page: Page, address: str) -> None:
    page.get_by_label("Email address").fill(address)
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your email")


def give_code(page: Page, demo: DemoProcess, address: str) -> None:
    page.get_by_label("Security code").fill(demo.code_for(address))
    page.get_by_role("button", name="Continue", exact=True).click()


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


def claims_at(page: Page, demo: DemoProcess) -> dict[str, Any]:
    """Back at the application, return the claims of the ID token that it has verified."""
    expect(page).to_have_url(f"{demo.app_url}/account")
    return dict(json.loads(page.locator("pre").text_content() or ""))


def set_password(page: Page, link: str) -> None:
    """Open a one-time link and choose a password: it ends where a second factor is to be set up."""
    page.goto(link)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Add a second step to your sign-in")


def set_up_app(page: Page) -> str:
    """Set up an authenticator app, and return its secret."""
    page.get_by_role("link", name="Use an authenticator app").click()
    secret: str = page.locator('[aria-labelledby="app-key"]').inner_text()
    page.get_by_label("Code from the app").fill(code_of(secret, step=-1))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep these recovery codes")
    page.get_by_role("button", name="I have kept them").click()
    return secret


def become_admin(page: Page, demo: DemoProcess) -> str:
    """Enter the demo's tenant administration, the first time by its link; return the address of the front page."""
    url = str(demo.told["admin"]["url"])
    if demo.port not in _sessions:
        set_password(page, demo.told["admin"]["one_time_link"])
        set_up_app(page)
        _sessions[demo.port] = page.context.cookies()
    page.context.add_cookies(_sessions[demo.port])
    page.goto(url)
    # It stands in a menu that may be closed.
    page.locator("#logout-form").wait_for(state="attached")
    return url
