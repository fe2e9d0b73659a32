"""From an empty tenant to the first guest, as a tenant admin goes who doesn't write code: by clicking alone.

With PICTURES set to a folder, each stage leaves a picture there: docs/images/admin was made so.
"""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.people import PASSWORD, give_code, give_email
from tests.demo_process import DemoProcess
from tests.processes import ROOT
from tests.totp import code_of

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("PICTURES", "")
AIM = 40
ANSWERS = {"First name": "Amina", "Your company": "Fabrikam", "Last name": "Haddad", "Tax ID": "DE123456789"}


@dataclass
class Nina:
    """The tenant admin: every click of hers counts."""

    page: Page
    clicks: int = 0
    stages: list[str] = field(default_factory=list)

    def click(self, *, button: str = "", link: str = "", inside: Any = None) -> None:
        where = inside or self.page
        target: Locator = where.get_by_role("button" if button else "link", name=button or link, exact=True)
        self.press(target.first)

    def press(self, target: Locator) -> None:
        target.click()
        self.clicks += 1

    def fill(self, label: str, text: str, inside: Any = None) -> None:
        """Into a field one gets by a click."""
        (inside or self.page).get_by_label(label, exact=True).fill(text)
        self.clicks += 1

    def stage(self, name: str) -> None:
        """Look at the page: no violation of accessibility rules, and a picture for the documentation."""
        self.stages.append(name)
        results = Axe().run(self.page)
        assert results.violations_count == 0, f"{name}: {results.generate_report()}"
        if PICTURES:
            self.page.screenshot(path=Path(PICTURES) / f"{len(self.stages):02}-{name}.png")


@pytest.fixture
def sample(demo: DemoProcess) -> Iterator[Callable[[str, str], str]]:
    """Start the sample application as a client of the new tenant."""
    processes = []

    def start(client_id: str, client_secret: str) -> str:
        url = f"http://localhost:{demo.port + 3}"
        environment = {
            "PATH": os.environ["PATH"],
            "APP_NAME": "Northwind Orders",
            "OIDC_ISSUER": f"http://localhost:{demo.port}/northwind/v2.0",
            "OIDC_CLIENT_ID": client_id,
            "OIDC_CLIENT_SECRET": client_secret,
            "BASE_URL": url,
            "SECRET_KEY": "only this test knows this key, for a minute",
            "PORT": str(demo.port + 3),
        }
        command = [sys.executable, str(ROOT / "examples/web/app.py")]
        processes.append(subprocess.Popen(command, env=environment))  # noqa: S603
        wait_for(demo.port + 3)
        return url

    yield start
    for process in processes:
        process.terminate()
        process.wait(timeout=20)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("The sample application does not answer.")


def enter(nina: Nina, link: str) -> None:
    """First run: a password, then an authenticator app as the second factor."""
    page = nina.page
    page.goto(link)
    nina.stage("first-run")
    nina.fill("New password", PASSWORD)
    nina.fill("New password confirmation", PASSWORD)
    nina.click(button="Set password")
    nina.stage("second-factor")
    nina.click(link="Use an authenticator app")
    secret = page.locator('[aria-labelledby="app-key"]').inner_text()
    nina.fill("Code from the app", code_of(secret))
    nina.click(button="Confirm")
    nina.click(button="I have kept them")
    expect(page.get_by_text("2 of 8 done")).to_be_visible()
    nina.stage("home")


def switch_sign_up_on(nina: Nina) -> None:
    nina.click(link="Switch sign-up on")
    nina.press(nina.page.get_by_label("Enable guest self-service sign-up"))
    nina.click(button="Save")


def question(page: Page, title: str) -> Locator:
    return page.locator("[data-question]").filter(has=page.locator("[data-title]", has_text=title))


def build(nina: Nina) -> None:
    """Template “suppliers”; two questions changed, and their order."""
    page = nina.page
    nina.click(link="Home")
    nina.click(link="Build a user flow")
    nina.stage("templates")
    nina.click(button="Create user flow")
    nina.press(question(page, "Company name").locator("summary").first)
    nina.fill("Label", "Your company", inside=question(page, "Company name"))
    nina.press(question(page, "Phone number").locator("summary").first)
    nina.press(question(page, "Phone number").get_by_label("Required", exact=True))
    nina.press(question(page, "Your company").get_by_role("button", name=re.compile("^Move .* up$")))
    titles = page.locator("[data-questions] [data-title]")
    assert titles.all_inner_texts()[:3] == ["First name", "Your company", "Last name"]
    page.locator("#questions, [data-questions]").first.scroll_into_view_if_needed()
    nina.stage("builder")


def register(nina: Nina, redirect_uri: str) -> tuple[str, str]:
    """Register a web application, and let it use the flow; return its client id and secret."""
    page = nina.page
    nina.click(link="Applications")
    nina.click(link="Add application")
    nina.press(page.get_by_role("link", name="Web", exact=True))
    nina.fill("Name", "Northwind Orders")
    nina.fill("Redirect URIs", redirect_uri)
    nina.click(button="Save")
    nina.stage("client-secret")
    client_id, secret = page.locator("main code, #content code").all_inner_texts()[:2]
    nina.click(link="I have copied it")
    nina.click(link="Use a user flow")
    nina.click(button="Use B2X_1_Suppliers")
    nina.stage("application")
    return client_id, secret


def run(nina: Nina, demo: DemoProcess) -> None:
    page = nina.page
    nina.click(link="User flows")
    nina.click(link="B2X_1_Suppliers")
    nina.click(button="Run user flow")
    with page.context.expect_page() as opened:
        nina.click(button="Run (opens in a new tab)")
    hosted = opened.value
    sign_up(hosted, demo, "nina+try@northwind.example")
    expect(hosted.get_by_role("heading", name="The sign-up worked")).to_be_visible()
    nina.page, before = hosted, nina.page
    nina.stage("run")
    nina.page = before
    hosted.close()


def publish(nina: Nina) -> None:
    nina.click(link="User flows")
    nina.click(link="B2X_1_Suppliers")
    nina.click(button="Review and publish")
    nina.stage("publish")
    nina.press(nina.page.get_by_role("button", name="Publish"))
    expect(nina.page.get_by_text("Live", exact=False).first).to_be_visible()


def sign_up(page: Page, demo: DemoProcess, address: str) -> None:
    give_email(page, address)
    give_code(page, demo, address)
    for label, text in ANSWERS.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Country or region").select_option("JO")
    page.get_by_role("button", name="Create account").click()


def test_from_an_empty_tenant_to_the_first_guest(
    demo: DemoProcess, visit: Callable[..., Visit], sample: Callable[[str, str], str]
) -> None:
    told = demo.manage("create_tenant", "northwind", "--name", "Northwind", "--admin", "nina@northwind.example")
    visitor = visit()
    nina = Nina(visitor.page)
    enter(nina, told["one_time_link"])
    switch_sign_up_on(nina)
    build(nina)
    nina.click(button="Save draft")
    client_id, secret = register(nina, f"http://localhost:{demo.port + 3}/signin-oidc")
    run(nina, demo)
    publish(nina)
    stranger = visit().page
    stranger.goto(sample(client_id, secret))
    stranger.get_by_role("link", name="Request your supplier account").click()
    expect(stranger.get_by_role("heading", level=1)).to_have_text("Create your supplier account")
    sign_up(stranger, demo, "amina@fabrikam.example")
    expect(stranger).to_have_url(f"http://localhost:{demo.port + 3}/account")
    nina.click(link="Home")
    expect(nina.page.get_by_text("Get your first sign-up")).to_have_count(0)
    nina.stage("first-guest")
    print(f"{nina.clicks} clicks and fields")
    assert nina.clicks <= AIM
    # What axe asks of the page for its report is not a complaint against the page.
    assert [words for words in visitor.complaints if "inline style" not in words and "preload" not in words] == []
