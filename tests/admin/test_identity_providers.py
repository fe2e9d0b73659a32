"""The identity providers: looked at, renamed, switched on and off; after a warning where flows depend on one."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from directory.models import AuditEvent, IdentityProvider, User
from directory.roles import PERMISSIONS, Role
from tests.admin.conftest import Furnished, browser_of
from userflows.models import UserFlow

pytestmark = pytest.mark.any_database


def list_url(furnished: Furnished) -> str:
    return f"{furnished.admin_url}directory/identityprovider/"


def change_url(furnished: Furnished) -> str:
    return f"{list_url(furnished)}{furnished.provider.pk}/change/"


def test_lists_what_there_is(browser: Client, ours: Furnished) -> None:
    page = browser.get(list_url(ours)).content.decode()
    assert "Email one-time code" in page
    assert '<td class="field-flow_count">1</td>' in page
    assert f'href="{list_url(ours)}"' in browser.get(ours.admin_url).content.decode()


def test_renames_it(browser: Client, ours: Furnished) -> None:
    assert browser.post(change_url(ours), {"name": "Code by mail", "is_enabled": "on"}).status_code == 302
    assert ours.provider.name == "Code by mail"
    event = AuditEvent.objects.get(activity="identity_provider.updated")
    assert event.details["before"] == {"name": "Email one-time code"}
    assert (event.actor_id, event.target_id) == (str(ours.admin.pk), str(ours.provider.pk))


def test_asks_before_it_closes_live_flows(browser: Client, ours: Furnished, make_user_flow: Any) -> None:
    make_user_flow(ours.tenant, "Partners")
    page = unescape(browser.post(change_url(ours), {"name": "Off"}).content.decode())
    assert "is the only way to sign in of these user flows" in page
    assert f"<li>{ours.flow.name}</li>" in page
    assert "<li>B2X_1_Partners</li>" in page
    assert (ours.provider.is_enabled, ours.provider.name) == (True, "Email one-time code")
    assert browser.post(change_url(ours), {"name": "Off", "confirmed": "yes"}).status_code == 302
    assert (ours.provider.is_enabled, ours.provider.name) == (False, "Off")
    event = AuditEvent.objects.get(activity="identity_provider.updated")
    assert event.details["after"] == {"name": "Off", "is_enabled": False}


def test_asks_nothing_where_no_live_flow_needs_it(browser: Client, ours: Furnished) -> None:
    UserFlow.objects.filter(tenant=ours.tenant).update(live_version=None)
    assert browser.post(change_url(ours), {"name": "Off"}).status_code == 302
    assert not ours.provider.is_enabled


def test_asks_nothing_where_there_is_another_way(browser: Client, ours: Furnished) -> None:
    other = IdentityProvider.objects.create(tenant=ours.tenant, kind="Other", name="Fabrikam")
    version = ours.flow.live_version
    assert version is not None
    ways = [*version.definition["ways"], {"id": str(other.pk), "kind": "Other", "name": "Fabrikam"}]
    type(version).objects.filter(pk=version.pk).update(definition={**version.definition, "ways": ways})
    first = IdentityProvider.objects.get(tenant=ours.tenant, kind="EmailOTP")
    url = f"{list_url(ours)}{first.pk}/change/"
    assert browser.post(url, {"name": "Off"}).status_code == 302
    assert b"only way to sign in" in browser.post(f"{list_url(ours)}{other.pk}/change/", {"name": "Off"}).content


def test_switches_it_on_again_without_asking(browser: Client, ours: Furnished) -> None:
    IdentityProvider.objects.update(is_enabled=False)
    assert browser.post(change_url(ours), {"name": "On", "is_enabled": "on"}).status_code == 302
    assert ours.provider.is_enabled


def test_neither_adds_nor_deletes(browser: Client, ours: Furnished) -> None:
    for page in ("add/", f"{ours.provider.pk}/delete/"):
        assert browser.get(f"{list_url(ours)}{page}").status_code == 403
        assert browser.post(f"{list_url(ours)}{page}", {"post": "yes", "name": "New"}).status_code == 403
    assert IdentityProvider.objects.filter(tenant=ours.tenant).count() == 1


@pytest.mark.parametrize("role", list(Role))
def test_changes_for_the_roles_that_may(ours: Furnished, role: Role, make_admin: Callable[..., User]) -> None:
    rights = PERMISSIONS[role].get("identityprovider", frozenset())
    browser = browser_of(make_admin(ours.tenant, role, mail="one@woodgrove.example"))
    assert browser.get(list_url(ours)).status_code == (200 if "view" in rights else 403)
    for fields in ({"name": "x"}, {"name": "x", "confirmed": "yes"}):
        answer = browser.post(change_url(ours), fields).status_code
        assert (answer in (200, 302)) == ("change" in rights)
    assert ours.provider.is_enabled == ("change" not in rights)


def test_knows_none_of_another_tenant(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    url = f"{list_url(ours)}{theirs.provider.pk}/change/"
    assert browser.post(url, {"name": "Taken", "confirmed": "yes"}).status_code in (302, 404)
    assert (theirs.provider.is_enabled, theirs.provider.name) == (True, "Email one-time code")
    assert browser.post(f"{list_url(ours)}not-a-uuid/change/", {"name": "x"}).status_code in (302, 404)
