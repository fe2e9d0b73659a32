"""The list of people as a file: who the filter shows, what the role may see, nothing that a spreadsheet runs."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from directory.admin import people_export
from directory.models import AuditEvent, User
from directory.roles import PERMISSIONS, Role
from tests.admin.conftest import Furnished, browser_of
from userflows.models import SignUp


def export_url(ours: Furnished, query: str = "") -> str:
    return f"{ours.admin_url}directory/user/export/{query}"


def rows_of(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode("utf-8")
    # Excel takes a file without the mark for one of the machine's own code page.
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_says_what_leaves_the_house_and_writes_it_down(browser: Client, ours: Furnished) -> None:
    query = "?user_type__exact=Guest&q=marker"
    page = browser.get(export_url(ours, query)).content.decode()
    for words in ("The file has one person.", "Search: marker", "user type: Guest", "displayName", ours.attribute.name):
        assert words in page
    response = browser.post(export_url(ours, query))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Disposition"].startswith('attachment; filename="woodgrove-people-')
    assert [row["mail"] for row in rows_of(response)] == [ours.guest.mail]
    event = AuditEvent.objects.get(activity="people.exported")
    assert (event.actor_id, event.tenant) == (str(ours.admin.pk), ours.tenant)
    assert event.details["count"] == 1
    assert event.details["filters"] == {"user_type__exact": "Guest", "q": "marker"}


def test_gives_every_column(browser: Client, ours: Furnished) -> None:
    SignUp.objects.create(
        user=ours.guest,
        tenant=ours.tenant,
        user_flow_name="B2X_1_Suppliers",
        version_number=3,
        application_name="Supplier Portal",
        identity_provider="mail",
        journey_id=ours.guest.pk,
        correlation_id=ours.guest.pk,
    )
    User.objects.filter(pk=ours.guest.pk).update(city="Graz", is_test=True, account_enabled=False)
    row = next(row for row in rows_of(browser.post(export_url(ours))) if row["userType"] == "Guest")
    expected = {
        "id": str(ours.guest.pk),
        "city": "Graz",
        "state": "disabled",
        "isTest": "True",
        "userFlow": "B2X_1_Suppliers",
        "userFlowVersion": "3",
        "application": "Supplier Portal",
        "identityProvider": "mail",
        "lastSignInDateTime": "",
        "createdDateTime": ours.guest.created_at.isoformat(timespec="seconds"),
        ours.attribute.name: ours.marker,
    }
    assert {name: row[name] for name in expected} == expected
    assert not {"password", "search_text", "tenant"} & set(row)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "＝"])
def test_gives_nothing_that_a_spreadsheet_runs(browser: Client, ours: Furnished, start: str) -> None:
    hostile = f'{start}cmd|"/c calc"!A1'
    ours.guest.display_name = hostile
    ours.guest.extension_values = {ours.attribute.name: hostile}
    ours.guest.save()
    row = next(row for row in rows_of(browser.post(export_url(ours))) if row["userType"] == "Guest")
    assert (row["displayName"], row[ours.attribute.name]) == (f"'{hostile}", f"'{hostile}")


def test_keeps_any_other_text_as_it_is(browser: Client, ours: Furnished) -> None:
    name = 'Ünï "quoted", 🧨\nsecond; line \u202eltr'
    User.objects.filter(pk=ours.guest.pk).update(display_name=name)
    assert name in [row["displayName"] for row in rows_of(browser.post(export_url(ours)))]


def test_walks_through_all_in_steps_of_bounded_memory(
    browser: Client, ours: Furnished, make_guest: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_export, "ROWS_AT_ONCE", 4)
    for i in range(9):
        make_guest(ours.tenant, f"{i}@x.example")
    # At one and the same time: the id decides.
    User.objects.filter(tenant=ours.tenant).update(created_at=ours.guest.created_at)
    response = browser.post(export_url(ours))
    with CaptureQueriesContext(connection) as queries:
        rows = rows_of(response)
    assert len({row["id"] for row in rows}) == len(rows) == 11
    assert len(queries) == 3


def test_leaves_out_the_deleted_and_other_tenants(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    User.objects.filter(pk=ours.guest.pk).update(deleted_at=ours.guest.created_at)
    assert [row["mail"] for row in rows_of(browser.post(export_url(ours)))] == [ours.admin.mail]
    foreign = f"?user_flow={theirs.flow.pk}"
    assert rows_of(browser.post(export_url(ours, foreign))) == []


def test_asks_who_is_there_first(ours: Furnished) -> None:
    browser = browser_of(ours.admin, proven=False)
    for response in (browser.get(export_url(ours)), browser.post(export_url(ours))):
        assert response.status_code == 302
    assert not AuditEvent.objects.filter(activity="people.exported").exists()


@pytest.mark.parametrize("role", list(Role))
def test_gives_a_role_what_its_row_says(ours: Furnished, make_admin: Callable[..., User], role: Role) -> None:
    helper = browser_of(make_admin(ours.tenant, role, mail="one.role@woodgrove.example"))
    response = helper.post(export_url(ours))
    if "view" not in PERMISSIONS[role].get("user", frozenset()):
        assert response.status_code == 403
        assert helper.get(export_url(ours)).status_code == 403
        return
    assert "userFlow" in rows_of(response)[0]


def test_leaves_out_columns_that_the_role_may_not_see(
    browser: Client, ours: Furnished, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row of the table sees people without flows today."""
    monkeypatch.delitem(PERMISSIONS[Role.GLOBAL_ADMINISTRATOR], "userflow")
    row = rows_of(browser.post(export_url(ours)))[0]
    assert not {"userFlow", "userFlowVersion"} & set(row)
    assert "application" in row


@pytest.mark.parametrize("query", ["?password__startswith=a", "?tenant__slug=globex", "?identities__issuer=mail"])
def test_answers_no_guesses_in_the_query(browser: Client, ours: Furnished, query: str) -> None:
    assert browser.post(export_url(ours, query)).status_code == 400


def test_links_from_the_list_with_its_filter(browser: Client, ours: Furnished) -> None:
    page = browser.get(f"{ours.admin_url}directory/user/?account=enabled").content.decode()
    assert f'href="{export_url(ours)}?account=enabled"' in page
    assert export_url(ours) not in browser.get(f"{ours.admin_url}directory/user/deleted/").content.decode()
