"""The preview: the real pages, of what is typed and not saved, for those who may look, and harmless."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from directory.models import AuditEvent, IdentityProvider, User
from directory.roles import Role
from tests.admin.building import flow_url, new_row, open_builder, row
from tests.admin.conftest import Furnished, browser_of
from userflows.models import Journey, SignIn, UserFlow

pytestmark = pytest.mark.any_database

STATIC = Path(__file__).resolve().parent.parent.parent / "static/portal"


def preview(browser: Client, ours: Furnished, **typed: Any) -> str:
    form = open_builder(browser, ours) | typed
    page = browser.post(flow_url(ours, page="preview"), form)
    assert page.status_code == 200
    return page.content.decode()


def test_shows_the_first_page_as_it_is_typed(browser: Client, ours: Furnished) -> None:
    html = preview(browser, ours, heading="Not saved", introduction="Hello\nthere")
    assert "<h1>Not saved</h1>" in html
    assert "<p>Hello<br>there</p>" in html
    assert 'type="email"' in html
    assert "There is a problem" not in html


def test_shows_the_ways_to_sign_in_as_to_somebody_new(
    browser: Client, ours: Furnished, make_provider: Callable[..., IdentityProvider]
) -> None:
    google = make_provider(ours.tenant, "Google", name="Google")
    browser.cookies["portal_last_way"] = str(google.pk)
    html = preview(browser, ours)
    assert "Continue with Google" in html
    assert "Last used" not in html
    html = preview(browser, ours, preview_page="join")
    assert "You already have an account" in html
    assert "Email me a code" in html
    assert "From then on you can use Google too." in html


def test_shows_each_page_and_its_mistakes(browser: Client, ours: Furnished) -> None:
    assert "Check your email" in preview(browser, ours, preview_page="code")
    assert "Enter the code from the email." in preview(browser, ours, preview_page="code", preview_errors="on")
    assert "Enter your email address." in preview(browser, ours, preview_page="first", preview_errors="on")
    html = preview(browser, ours, preview_page="questions-0", questions_heading="About you", **row(0, label="Forename"))
    assert "<h1>About you</h1>" in html
    assert "Forename" in html
    assert "Fill in “First name”." in preview(browser, ours, preview_page="questions-0", preview_errors="on")


def test_shows_several_pages_of_questions(browser: Client, ours: Furnished) -> None:
    more = {**row(1, starts_page="on", page_heading="Second page"), "preview_page": "questions-1"}
    html = preview(browser, ours, **more)
    assert "<h1>Second page</h1>" in html
    assert ours.attribute.display_name in html
    assert "First name" not in html
    assert "Step 4 of 4" in html


@pytest.mark.parametrize("page", ["questions-99", "questions-x", "questions-", "nonsense", "questions-" + "9" * 9])
def test_a_page_that_is_not_there_is_another(browser: Client, ours: Furnished, page: str) -> None:
    assert "<h1>" in preview(browser, ours, preview_page=page)


def test_shows_new_attributes_and_leaves_out_what_is_wrong(browser: Client, ours: Furnished) -> None:
    form = open_builder(browser, ours)
    new = new_row(form, user_attribute="new", label="Shoe size", data_type="int64", input_type="numericTextBox")
    html = preview(browser, ours, preview_page="questions-0", **new)
    assert "Shoe size" in html
    assert "can&#x27;t be saved yet" not in html
    assert "can't be saved yet" not in html
    wrong = row(0, input_type="radioSingleSelect", choices="") | {"admission": "allowedDomains", "domains": "?"}
    html = preview(browser, ours, preview_page="questions-0", **wrong)
    assert "be saved yet. It is left out of this preview." in html
    assert ours.attribute.display_name in html
    assert "First name" not in html


def test_shows_it_in_the_dark(browser: Client, ours: Furnished) -> None:
    assert 'data-scheme="light"' in preview(browser, ours)
    assert 'data-scheme="dark"' in preview(browser, ours, preview_scheme="dark")
    assert 'data-scheme="light"' in preview(browser, ours, preview_scheme='"><script>')


def test_the_colours_are_those_of_the_real_pages() -> None:
    def tokens(css: str, start: str) -> list[str]:
        block = css.partition(start)[2].partition("}")[0]
        return [line.strip() for line in block.splitlines() if line.strip().startswith("--") and "var(" not in line]

    real, shown = (STATIC / "portal.css").read_text(), (STATIC / "preview.css").read_text()
    dark = tokens(real.partition("prefers-color-scheme: dark")[2], ":root {")
    colours = {token.partition(":")[0] for token in dark}
    light = [token for token in tokens(real, ":root {") if token.partition(":")[0] in colours]
    assert len(dark) > 10
    assert tokens(shown, ':root[data-scheme="dark"] {') == dark
    assert tokens(shown, ':root[data-scheme="light"] {') == light


def test_shows_the_saved_draft_to_those_who_may_only_look(ours: Furnished, make_admin: Callable[..., User]) -> None:
    UserFlow.objects.filter(pk=ours.flow.pk).update(heading="Saved")
    reader = browser_of(make_admin(ours.tenant, Role.GLOBAL_READER, mail="reader@woodgrove.example"))
    assert "<h1>Saved</h1>" in reader.get(flow_url(ours, page="preview")).content.decode()
    url = f"{flow_url(ours, page='preview')}?preview_page=questions-0&preview_errors=on"
    assert "Fill in “First name”." in reader.get(url).content.decode()


def test_is_shown_to_nobody_else(ours: Furnished, make_admin: Callable[..., User]) -> None:
    url = flow_url(ours, page="preview")
    assert Client().get(url).status_code == 302
    other = make_admin(ours.tenant, mail="norole@woodgrove.example")
    assert browser_of(other).get(url).status_code == 302


def test_shows_it_as_it_will_be_while_sign_up_is_off(browser: Client, ours: Furnished) -> None:
    ours.tenant.sign_up_enabled = False
    ours.tenant.save()
    UserFlow.objects.filter(pk=ours.flow.pk).update(sign_up_enabled=False)
    assert "Create your account or sign in" in preview(browser, ours)


def test_writes_nothing(browser: Client, ours: Furnished) -> None:
    form = open_builder(browser, ours)
    form |= {"heading": "Typed"} | new_row(form, user_attribute="new", label="Shoe size")
    events = AuditEvent.objects.count()
    with CaptureQueriesContext(connection) as queries:
        for page in ("first", "code", "questions-0"):
            for mistakes in ({}, {"preview_errors": "on"}):
                browser.post(flow_url(ours, page="preview"), {**form, "preview_page": page, **mistakes})
    written = [query["sql"] for query in queries if not query["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))]
    assert [sql for sql in written if "directory_session" not in sql] == []
    assert (AuditEvent.objects.count(), Journey.objects.count()) == (events, 0)
    assert not SignIn.objects.filter(user_flow=ours.flow, outcome="inProgress").exclude(pk=ours.entry.pk).exists()


# Headers


def test_may_be_framed_by_our_own_pages_only(browser: Client, ours: Furnished) -> None:
    page = browser.get(flow_url(ours, page="preview"))
    policy = page["Content-Security-Policy"]
    for directive in ("frame-ancestors 'self'", "form-action 'none'", "sandbox allow-same-origin", "style-src 'self'"):
        assert directive in policy
    assert "script-src" not in policy
    assert "allow-scripts" not in policy
    assert page["X-Frame-Options"] == "SAMEORIGIN"
    assert "<script" not in page.content.decode()
    assert "autofocus" not in preview(browser, ours, preview_errors="on")


def test_every_other_page_may_be_framed_by_nobody(browser: Client, ours: Furnished) -> None:
    builder = browser.get(flow_url(ours))
    assert "frame-src 'self'" in builder["Content-Security-Policy"]
    others = (builder, browser.get(flow_url(ours, page="publish")), browser.get(ours.admin_url))
    for page in others:
        assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
        assert "sandbox" not in page["Content-Security-Policy"]
        assert page["X-Frame-Options"] == "DENY"
    assert "frame-src" not in others[1]["Content-Security-Policy"]


def test_needs_the_token_of_the_form(ours: Furnished) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = browser_of(ours.admin).cookies
    for page in ("preview", "publish", "pause", "discard", "change", "versions/1/roll-back"):
        assert browser.post(flow_url(ours, page=page), {"revision": "0"}).status_code == 403
