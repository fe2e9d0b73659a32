"""Every activity of the audit log has words."""

import re

import pytest
from django.test import Client

from directory import audit
from directory.admin.activities import ACTIVITIES
from directory.admin.auditing import AuditedModelAdmin
from identity_portal.admin_sites import platform_site, tenant_site
from tests.admin.conftest import Furnished
from tests.processes import ROOT

pytestmark = pytest.mark.any_database

# subject.past_participle: what directory.audit.record() asks of its callers.
CODE = re.compile(
    r'"([a-z_]+\.(?:\w+ed|\w+_set|\w+_discarded|sent|run|reset|forgotten|rolled_back|signed_(?:in|up|out)|stepped_up))"'
)
APPS = ("directory", "userflows", "identity_portal")


def written_in_the_source() -> set[str]:
    files = [path for app in APPS for path in (ROOT / app).rglob("*.py") if path.name != "activities.py"]
    return {code for path in files for code in CODE.findall(path.read_text())}


def written_by_the_admin() -> set[str]:
    pages = [*tenant_site._registry.values(), *platform_site._registry.values()]
    subjects = {page.audit_subject for page in pages if isinstance(page, AuditedModelAdmin) and page.audit_subject}
    return {f"{subject}.{verb}" for subject in subjects for verb in ("created", "updated", "deleted")}


def test_has_words_for_every_activity() -> None:
    found = written_in_the_source()
    assert {"user.signed_up", "second_factor.reset", "email_code.sent", "audit_log.exported"} <= found
    assert found | written_by_the_admin() == set(ACTIVITIES)


@pytest.mark.parametrize("path", ["directory/auditevent/", "userflows/userflow/{flow}/history/"])
def test_lists_tell_activities_in_words(browser: Client, ours: Furnished, path: str) -> None:
    audit.record("user_flow.rolled_back", tenant=ours.tenant, actor=ours.admin, target=ours.flow)
    html = browser.get(ours.admin_url + path.format(flow=ours.flow.pk)).content.decode()
    assert '<span title="user_flow.rolled_back">User flow rolled back</span>' in html


def test_the_filter_tells_words_and_code(browser: Client, ours: Furnished) -> None:
    audit.record("user_flow.rolled_back", tenant=ours.tenant, actor=ours.admin, target=ours.flow)
    html = browser.get(f"{ours.admin_url}directory/auditevent/").content.decode()
    assert '<option value="user_flow.rolled_back">User flow rolled back (user_flow.rolled_back)</option>' in html


def test_an_unknown_code_is_shown_as_it_is(browser: Client, ours: Furnished) -> None:
    """Of a version of the portal that knew more, or less."""
    audit.record("old.retired", tenant=ours.tenant, actor=ours.admin, target=ours.flow)
    assert "old.retired</span>" in browser.get(f"{ours.admin_url}directory/auditevent/").content.decode()
