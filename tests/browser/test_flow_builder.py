"""The flow builder in a real browser: by keyboard, by hand, without script; the preview follows what is typed."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser import people
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.demo_process import DemoProcess

pytestmark = pytest.mark.browser


def new_flow(visitor: Visit, demo: DemoProcess, name: str) -> Page:
    """Make a flow from a template, and return the page of its builder."""
    page = visitor.page
    page.goto(f"{people.become_admin(page, demo)}userflows/userflow/add/")
    page.get_by_text("Suppliers", exact=True).click()
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("button", name="Create user flow").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"B2X_1_{name}")
    return page


def titles(page: Page) -> list[str]:
    return list(page.locator("[data-questions] [data-title]").all_inner_texts())


def shown(page: Page) -> Any:
    return page.frame_locator("[data-preview-frame] iframe:not(.next)")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()


def row(page: Page, title: str) -> Locator:
    return page.locator("[data-question]").filter(has=page.locator("[data-title]", has_text=title))


def test_questions_are_put_in_order_by_keyboard_alone(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    visitor = visit()
    page = new_flow(visitor, demo, "Keyboard")
    assert titles(page)[:3] == ["First name", "Last name", "Company name"]
    page.locator("#id_questions_heading").focus()
    for _press in range(5):
        page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.className")
    while not str(focused).startswith("Move Company name up"):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.ariaLabel")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert titles(page)[:3] == ["Company name", "First name", "Last name"]
    expect(page.locator("[data-announce]")).to_have_text("Company name: place 1 of 6")
    # At the top, up and top are switched off: the focus stays on the card.
    assert page.evaluate("document.activeElement.ariaLabel") == "Move Company name down"
    page.get_by_role("button", name="Move Tax ID to the bottom").press("Enter")
    assert titles(page)[-1] == "Tax ID"
    assert page.evaluate(
        "document.activeElement.closest('li') === document.querySelector('[data-questions]').lastElementChild"
    )
    # The buttons are called by the label that is typed.
    row(page, "Tax ID").locator("summary").click()
    page.locator("[data-question]").last.get_by_label("Label", exact=True).fill("VAT $& number")
    assert page.get_by_role("button", name="Move VAT $& number up").is_visible()
    page.locator("[data-question]").last.get_by_label("Label", exact=True).fill("")
    save(page)
    assert titles(page) == ["Company name", "First name", "Last name", "Phone number", "Country or region", "Tax ID"]
    assert visitor.complaints == []


def test_questions_are_put_in_order_by_hand(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    page = new_flow(visit(), demo, "Dragged")
    grip, target = row(page, "Country or region").locator("[data-grip]"), row(page, "First name")
    target.scroll_into_view_if_needed()
    grip.hover()
    page.mouse.down()
    box = target.bounding_box()
    assert box
    page.mouse.move(box["x"] + 30, box["y"] + box["height"] / 2 + 60, steps=8)
    page.mouse.move(box["x"] + 30, box["y"] - 5, steps=8)
    page.mouse.up()
    assert titles(page)[0] == "Country or region"
    save(page)
    assert titles(page)[:2] == ["Country or region", "First name"]


def test_the_preview_follows_what_is_typed(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    visitor = visit()
    page = new_flow(visitor, demo, "Previewed")
    history = page.evaluate("history.length")
    page.get_by_label("Heading", exact=True).fill("Typed, not saved")
    expect(shown(page).get_by_role("heading", level=1)).to_have_text("Typed, not saved")
    page.get_by_label("Page", exact=True).select_option("questions-0")
    expect(shown(page).get_by_label("Tax ID")).to_be_visible()
    page.get_by_role("button", name="Add a question").click()
    added = page.locator("[data-question]").last
    expect(added.locator("[name$=user_attribute]")).to_be_focused()
    added.locator("[name$=user_attribute]").select_option("new")
    added.get_by_label("Answers are").select_option("int64")
    expect(added.get_by_label("Input type")).to_have_value("numericTextBox")
    added.get_by_label("Label").fill("Number of employees")
    expect(added.locator("[data-title]")).to_have_text("Number of employees")
    expect(shown(page).get_by_label("Number of employees")).to_be_visible()
    added.get_by_label("Start a new page here").check()
    added.get_by_label("Heading of the page").fill("Your company")
    page.get_by_label("Page", exact=True).select_option(label="4 · Your company")
    expect(shown(page).get_by_role("heading", level=1)).to_have_text("Your company")
    page.get_by_label("With mistakes").check()
    expect(shown(page).get_by_role("alert")).to_contain_text("Fill in “Number of employees”.")
    # The preview takes neither the focus nor the Back button.
    assert page.evaluate("document.activeElement.tagName") != "IFRAME"
    assert page.evaluate("history.length") == history
    page.get_by_text("Dark", exact=True).click()
    expect(shown(page).locator("html")).to_have_attribute("data-scheme", "dark")
    assert visitor.complaints == []
    save(page)
    assert titles(page)[-1] == "Number of employees"


def test_everything_can_be_done_without_script(demo: DemoProcess, visit: Callable[..., Visit]) -> None:
    page = new_flow(visit(javascript=False), demo, "NoScript")
    page.get_by_label("Heading", exact=True).fill("Without script")
    page.get_by_role("button", name="Show preview").click()
    expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_have_text("Without script")
    row(page, "Country or region").get_by_label("Place").fill("0")
    page.get_by_role("button", name="Add a question").click()
    expect(page.get_by_label("Heading", exact=True)).to_have_value("Without script")
    added = page.locator("[data-question]").last
    added.get_by_label("What to ask").select_option(label="Job title")
    save(page)
    assert titles(page)[0] == "Country or region"
    assert titles(page)[-1] == "Job title"
    page.get_by_role("button", name="Review and publish").click()
    page.get_by_role("button", name="Publish version 1").click()
    expect(page.get_by_text("Version 1 is live.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_a_flow_is_accessible_quiet_and_fits(
    demo: DemoProcess, visit: Callable[..., Visit], scheme: str
) -> None:
    visitor = visit(scheme=scheme, viewport=PHONE if scheme == "dark" else DESKTOP)
    page = new_flow(visitor, demo, f"Looks_{scheme}")
    builder = page.url
    for question in page.locator("[data-question] [data-title]").all()[:3]:
        question.click()
    check(page)
    page.locator("[name$='-input_type']").first.select_option("radioSingleSelect")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("alert").first).to_contain_text("Write at least one choice.")
    check(page)
    page.goto(f"{builder}../publish/")
    check(page)
    page.get_by_role("button", name="Publish version 1").click()
    expect(page.get_by_text("Version 1 is live.")).to_be_visible()
    for path in ("versions/", "versions/1/", "pause/", "discard/", "versions/1/roll-back/", "delete/"):
        page.goto(f"{builder}../{path}")
        check(page)
    page.goto(re.sub(r"[^/]+/change/$", "add/", builder))
    check(page)
    assert visitor.complaints == []


def check(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url
