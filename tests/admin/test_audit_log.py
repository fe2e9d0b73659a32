"""The audit log is read, by whom it concerns, and never written by hand."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from directory import audit
from directory.models import AuditEvent
from tests.admin.conftest import Furnished


def test_shows_what_happened_in_words(browser: Client, ours: Furnished) -> None:
    details = {"changed": ["name"], "after": {"name": "<i>x</i>"}, "forced": True, "code": "1234"}
    event = audit.record("application.updated", tenant=ours.tenant, actor=ours.admin, details=details)
    html = browser.get(f"{ours.admin_url}directory/auditevent/{event.pk}/change/").content.decode()
    for shown in ("application.updated", str(event.correlation_id), "name: &lt;i&gt;x&lt;/i&gt;", "Yes", "******"):
        assert shown in html
    assert 'type="submit" value="Save"' not in html
    assert "1234" not in html.replace(str(event.correlation_id), "")


@pytest.mark.parametrize("page", ["add/", "{}/change/", "{}/delete/"])
def test_writes_changes_and_deletes_nothing(browser: Client, ours: Furnished, page: str) -> None:
    before = list(AuditEvent.objects.order_by("pk").values())
    url = f"{ours.admin_url}directory/auditevent/{page.format(ours.event.pk)}"
    assert browser.post(url, {"activity": "forged", "post": "yes"}).status_code == 403
    assert list(AuditEvent.objects.order_by("pk").values()) == before


def test_marks_what_was_refused(browser: Client, ours: Furnished) -> None:
    audit.record("sign_in.refused", tenant=ours.tenant, reason="admin_sign_in_refused")
    html = browser.get(f"{ours.admin_url}directory/auditevent/?result__exact=failure").content.decode()
    assert "Failure: admin_sign_in_refused" in html
    assert "user.created" not in html


def test_leaves_djangos_own_log_empty(browser: Client, ours: Furnished) -> None:
    browser.post(f"{ours.admin_url}directory/userattribute/{ours.attribute.pk}/change/", {"display_name": "New"})
    assert AuditEvent.objects.filter(activity="user_attribute.updated").exists()
    assert not LogEntry.objects.exists()
