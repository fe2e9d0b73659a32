"""The audit log is read, by whom it concerns, and never written by hand."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from directory import audit
from directory.models import AuditEvent
from tests.admin.conftest import Furnished


def listed(browser: Client, ours: Furnished, **query: str) -> list[AuditEvent]:
    return list(browser.get(f"{ours.admin_url}directory/auditevent/", query).context["cl"].result_list)


def at(event: AuditEvent, days_ago: float) -> AuditEvent:
    """Put an event into the past, by a door that the product doesn't have."""
    QuerySet.update(AuditEvent.objects.filter(pk=event.pk), at=timezone.now() - timedelta(days=days_ago))
    return event


def test_shows_what_happened_in_words(browser: Client, ours: Furnished) -> None:
    details = {
        "changed": ["name"],
        "before": {"name": "Old"},
        "after": {"name": "<i>x</i>"},
        "forced": True,
        "code": "1234",
    }
    event = audit.record(
        "application.updated", tenant=ours.tenant, actor=ours.admin, target=ours.application, details=details
    )
    html = browser.get(f"{ours.admin_url}directory/auditevent/{event.pk}/change/").content.decode()
    row = '<tr><th scope="row">Name</th><td>Old</td><td>&lt;i&gt;x&lt;/i&gt;</td></tr>'
    for shown in ("application.updated", str(event.correlation_id), row, "Yes", "******"):
        assert shown in html
    assert f'href="{ours.admin_url}directory/user/{ours.admin.pk}/change/"' in html
    assert f'href="{ours.admin_url}directory/application/{ours.application.pk}/change/"' in html
    assert f'href="{ours.admin_url}directory/auditevent/?q={event.correlation_id}"' in html
    assert 'type="submit" value="Save"' not in html
    assert "1234" not in html.replace(str(event.correlation_id), "")


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"before": 1, "after": 2},
        {"before": None, "after": {"name": None}},
        {"before": "x", "after": {"name": "y"}},
        {"added": ["question First name"]},
        {"added": [{"row": "question Age", "after": {"required": True}}], "removed": [{"row": "x", "before": {}}]},
        {"edited": [{"row": "question <b>", "before": {"label": "a"}, "after": {"label": "<script>"}}]},
        {"changed": "not a list", "edited": [], "after": []},
    ],
)
def test_shows_whatever_a_verb_has_written_down(browser: Client, ours: Furnished, details: dict[str, object]) -> None:
    event = audit.record("user_flow.updated", tenant=ours.tenant, target=ours.flow, details=details)
    for url in (f"auditevent/{event.pk}/change/", f"auditevent/?q={event.correlation_id}"):
        page = browser.get(f"{ours.admin_url}directory/{url}")
        assert page.status_code == 200
        assert "<script>" not in page.content.decode().replace("<script src", "")
    assert browser.get(f"{ours.admin_url}userflows/userflow/{ours.flow.pk}/history/").status_code == 200


@pytest.mark.parametrize("page", ["add/", "{}/change/", "{}/delete/", ""])
def test_writes_changes_and_deletes_nothing(browser: Client, ours: Furnished, page: str) -> None:
    before = list(AuditEvent.objects.order_by("pk").values())
    url = f"{ours.admin_url}directory/auditevent/{page.format(ours.event.pk)}"
    forged = {"activity": "forged", "post": "yes", "action": "delete_selected", "_selected_action": str(ours.event.pk)}
    assert browser.post(url, forged).status_code in (200, 403)
    assert list(AuditEvent.objects.order_by("pk").values()) == before


def test_marks_what_was_refused(browser: Client, ours: Furnished) -> None:
    audit.record("sign_in.refused", tenant=ours.tenant, reason="admin_sign_in_refused")
    html = browser.get(f"{ours.admin_url}directory/auditevent/?result__exact=failure").content.decode()
    assert "Failure: admin_sign_in_refused" in html
    assert ">user.created<" not in html


def test_filters_by_activity_target_actor_and_time(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    published = audit.record("user_flow.published", tenant=ours.tenant, actor=ours.admin, target=ours.flow)
    stolen = at(audit.record("code.reused", tenant=ours.tenant, actor=ours.application, target=ours.guest), 3)
    audit.record("their.secret_activity", tenant=theirs.tenant, target=theirs.flow)
    assert published in listed(browser, ours, activity="user_flow.published")
    assert listed(browser, ours, by="application") == [stolen]
    assert published not in listed(browser, ours, by="nobody")
    assert {event.target_type for event in listed(browser, ours, target_type="userflow")} == {"userflow"}
    assert stolen not in listed(browser, ours, since="day")
    assert stolen in listed(browser, ours, since="week")
    html = browser.get(f"{ours.admin_url}directory/auditevent/").content.decode()
    assert '<option value="user_flow.published">' in html
    assert "their.secret_activity" not in html


@pytest.mark.parametrize(
    "query", ["by=x", "since=x", "activity=%00", "activity=x", "target_type=x", "p=after.x", "p=x"]
)
def test_takes_nonsense_in_filters(browser: Client, ours: Furnished, query: str) -> None:
    assert browser.get(f"{ours.admin_url}directory/auditevent/?{query}").status_code in (200, 302)


def test_finds_by_person_application_flow_reason_and_ids(browser: Client, ours: Furnished) -> None:
    refused = audit.record(
        "sign_up.refused",
        tenant=ours.tenant,
        reason="tenant_sign_up_off",
        details={"mail": "Stranger@Fabrikam.example"},
    )
    published = audit.record("user_flow.published", tenant=ours.tenant, actor=ours.admin, target=ours.flow)
    details = {"user_flow": "B2X_1_Partners", "application": "Extranet"}
    signed_up = audit.record("user.signed_up", tenant=ours.tenant, actor=ours.guest, target=ours.guest, details=details)
    for term, event in (
        ("stranger@fabrikam", refused),
        ("TENANT_SIGN_UP", refused),
        ("fabrikam refused", refused),
        ("st", refused),
        (str(ours.flow), published),
        (str(ours.flow.pk), published),
        ("b2x_1_partners", signed_up),
        ("extranet", signed_up),
        (str(ours.guest.pk), signed_up),
        (str(signed_up.correlation_id).upper(), signed_up),
        (f" {signed_up.pk} ", signed_up),
    ):
        assert event in listed(browser, ours, q=term), term
    assert listed(browser, ours, q="fabrikam extranet") == []
    assert listed(browser, ours, q=str(uuid.uuid4())) == []


@pytest.mark.parametrize("term", ["\0", "x" * 10_000, "%", "_", "\\", "'", "‮", "😀", "a@b", "--", "<script>"])
def test_takes_any_search(browser: Client, ours: Furnished, term: str) -> None:
    page = browser.get(f"{ours.admin_url}directory/auditevent/", {"q": term})
    assert page.status_code == 200
    assert "<script>" not in page.content.decode().replace("<script src", "")


def test_says_what_was_and_what_is_for_every_change_in_the_admin(browser: Client, ours: Furnished) -> None:
    url = f"{ours.admin_url}directory/tenant/{ours.tenant.pk}/change/"
    form = {
        "name": "Renamed",
        "default_language": "en",
        "sign_up_enabled": "on",
        "audit_retention_days": "90",
        "sign_in_retention_days": "30",
        "admission": "blockedDomains",
        "domains": "mail.example\nfree.example",
        "session_hours": "8",
        "keep_signed_in_days": "30",
    }
    assert browser.post(url, form).status_code == 302
    details = AuditEvent.objects.get(tenant=ours.tenant, activity="tenant.updated").details
    assert details["before"] == {
        "name": "woodgrove-marker Ltd",
        "audit_retention_days": 365,
        "sign_in_retention_days": 90,
        "admission": "anyone",
        "domains": "",
        "session_hours": 24,
        "keep_signed_in_days": 0,
    }
    assert details["after"] == {
        "name": "Renamed",
        "audit_retention_days": 90,
        "sign_in_retention_days": 30,
        "admission": "blockedDomains",
        "domains": "mail.example\nfree.example",
        "session_hours": 8,
        "keep_signed_in_days": 30,
    }
    refused = browser.post(url, form | {"domains": ""})
    assert "Name at least one email domain." in refused.content.decode()


def test_leaves_djangos_own_log_empty(browser: Client, ours: Furnished) -> None:
    browser.post(f"{ours.admin_url}directory/userattribute/{ours.attribute.pk}/change/", {"display_name": "New"})
    assert AuditEvent.objects.filter(activity="user_attribute.updated").exists()
    assert not LogEntry.objects.exists()
