"""“Run user flow” in a browser: from the button to the tokens, in a tab of its own."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.browser.people import answer, become_admin, give_code, give_email
from tests.demo_process import DemoProcess

pytestmark = pytest.mark.browser
# Where a person who looks at the pages wants pictures of them.
PICTURES = os.environ.get("PICTURES", "")


def look_at(page: Page, name: str) -> None:
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


@pytest.mark.parametrize(
    ("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop, light", "phone, dark"]
)
def test_runs_a_flow_to_its_tokens(
    demo: DemoProcess, visit: Callable[..., Visit], size: dict[str, int], scheme: str
) -> None:
    visitor = visit(viewport=size, scheme=scheme)
    page, name = visitor.page, f"{size['width']}-{scheme}"
    url = become_admin(page, demo)
    page.goto(f"{url}userflows/userflow/")
    page.locator("#result_list").get_by_role("link", name="B2X_1_Suppliers").click()
    page.goto(f"{page.url.removesuffix('change/')}run/")
    look_at(page, f"run-{name}")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Run").click()
    hosted = opened.value
    expect(hosted.get_by_text("Test run: whom you sign up here is a test user")).to_be_visible()
    look_at(hosted, f"run-hosted-{name}")
    address = f"ada+{size['width']}@fabrikam.example"
    give_email(hosted, address)
    give_code(hosted, demo, address)
    answer(hosted, **{"Phone number": ""})
    hosted.get_by_role("button", name="Create account").click()
    expect(hosted.get_by_role("heading", level=1)).to_have_text("What came of the run")
    expect(hosted.get_by_role("heading", name="The sign-up worked")).to_be_visible()
    expect(hosted.get_by_text("The question “Phone number” was left open.")).to_be_visible()
    look_at(hosted, f"run-result-{name}")
    # The administrator is still signed in.
    page.goto(f"{url}health/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Health")
    look_at(page, f"health-{name}")
    complaints: list[Any] = visitor.complaints
    assert complaints == []
