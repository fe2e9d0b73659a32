"""Logs as CSV files: what the filters show, harmless in a spreadsheet, and written down who took them."""

import csv
import io
from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.test import Client

from directory import audit
from directory.models import AuditEvent, User
from directory.roles import Role
from tests.admin.conftest import Furnished, browser_of, make_sign_in

LOGS = {"directory/auditevent": "audit_log.exported", "userflows/signin": "sign_in_log.exported"}


def exported(browser: Client, url: str) -> list[dict[str, str]]:
    response = browser.post(url)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith("attachment; filename=")
    assert response.streaming
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("path", LOGS)
def test_exports_the_tenants_own_rows_and_says_who_did(
    browser: Client, ours: Furnished, theirs: Furnished, path: str
) -> None:
    rows = exported(browser, f"{ours.admin_url}{path}/export/")
    assert any(ours.marker in str(row) for row in rows)
    assert not any(theirs.marker in str(row) for row in rows)
    event = AuditEvent.objects.get(activity=LOGS[path])
    assert (event.tenant, event.actor_id) == (ours.tenant, str(ours.admin.pk))


def test_exports_what_search_and_filters_show(browser: Client, ours: Furnished) -> None:
    audit.record("sign_up.refused", tenant=ours.tenant, reason="tenant_sign_up_off", details={"mail": "a@b.example"})
    audit.record("sign_up.refused", tenant=ours.tenant, reason="tenant_sign_up_off", details={"mail": "c@d.example"})
    url = f"{ours.admin_url}directory/auditevent/"
    page = browser.get(f"{url}?q=b.example&result__exact=failure").content.decode()
    action = f"{url}export/?q=b.example&amp;result__exact=failure"
    assert f'action="{action}"' in page
    rows = exported(browser, action.replace("&amp;", "&"))
    assert [row["details"] for row in rows] == ['{"mail": "a@b.example"}']
    exports = AuditEvent.objects.get(activity="audit_log.exported")
    assert exports.details == {"filters": {"q": "b.example", "result__exact": "failure"}}


def test_exports_every_page(browser: Client, ours: Furnished) -> None:
    for number in range(120):
        make_sign_in(ours.flow, ours.application, mail=f"{number}@x.example")
    rows = exported(browser, f"{ours.admin_url}userflows/signin/export/?p=after.{ours.entry.pk}")
    assert len(rows) == 121
    times = [row["started_at"] for row in rows]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "\r=1", '=",x'])
def test_is_harmless_in_a_spreadsheet(browser: Client, ours: Furnished, name: str) -> None:
    audit.record("user.updated", tenant=ours.tenant, actor=User(pk=ours.guest.pk, display_name=name))
    make_sign_in(ours.flow, ours.application, mail=name)
    events = exported(browser, f"{ours.admin_url}directory/auditevent/export/?activity=user.updated")
    assert events[0]["actor_name"] == f"'{name}"
    entries = exported(browser, f"{ours.admin_url}userflows/signin/export/")
    assert f"'{name}" in [row["mail"] for row in entries]


def test_keeps_names_of_all_scripts(browser: Client, ours: Furnished) -> None:
    name = "Ωμέγα 株式会社 😀 ‮evil"
    audit.record("user.updated", tenant=ours.tenant, actor=User(pk=ours.guest.pk, display_name=name))
    events = exported(browser, f"{ours.admin_url}directory/auditevent/export/?activity=user.updated")
    assert events[0]["actor_name"] == name


@pytest.mark.parametrize("path", LOGS)
def test_refuses_who_may_not_read_and_who_only_looks(
    browser: Client, ours: Furnished, theirs: Furnished, make_admin: Callable[..., User], path: str
) -> None:
    url = f"{ours.admin_url}{path}/export/"
    assert browser.get(url).status_code == 405
    flow_admin = browser_of(make_admin(ours.tenant, Role.USER_FLOW_ADMINISTRATOR))
    assert flow_admin.post(url).status_code == 403
    assert browser_of(theirs.admin).post(url).status_code in (302, 403)
    assert Client().post(url).status_code == 302
    checking = Client(enforce_csrf_checks=True)
    checking.cookies = browser.cookies
    assert checking.post(url).status_code == 403
    assert not AuditEvent.objects.filter(activity=LOGS[path]).exists()


@pytest.mark.parametrize("path", LOGS)
def test_asks_who_is_there_first_and_leads_back_to_the_list(ours: Furnished, path: str) -> None:
    """Everybody's addresses leave the portal, as with the list of people."""
    browser = browser_of(ours.admin, proven=False)
    url = f"{ours.admin_url}{path}/"
    response = browser.post(f"{url}export/?q=b.example")
    back = quote(f"{url}?q=b.example", safe="")
    assert response["Location"] == f"{ours.admin_url}step-up/?next={back}&again=1"
    assert not AuditEvent.objects.filter(activity=LOGS[path]).exists()


def test_gives_operators_the_platforms_log_only(operator: User, ours: Furnished) -> None:
    rows = exported(browser_of(operator), "/admin/directory/auditevent/export/")
    assert {row["activity"] for row in rows} >= {"operator.created"}
    assert not any(ours.marker in str(row) for row in rows)
    assert AuditEvent.objects.get(activity="audit_log.exported").tenant is None


def test_sends_nonsense_in_filters_back_to_the_list(browser: Client, ours: Furnished) -> None:
    response = browser.post(f"{ours.admin_url}directory/auditevent/export/?at__gte=x")
    assert response.status_code in (302, 400)
