"""The platform operators' site: tenants, never their people."""

import pytest
from django.test import Client

from directory.models import AuditEvent, Tenant, User, UserAttribute
from identity_portal.admin_sites import platform_site
from tests.admin.conftest import Furnished, browser_of
from tests.admin.crawling import crawl


@pytest.fixture
def platform(operator: User) -> Client:
    return browser_of(operator)


def test_has_three_lists() -> None:
    names = {model._meta.label for model in platform_site._registry}
    assert names == {"directory.Tenant", "directory.User", "directory.AuditEvent"}


def test_shows_no_person_flow_application_or_event_of_a_tenant(
    platform: Client, ours: Furnished, theirs: Furnished
) -> None:
    pages = crawl(platform, "/admin/", limit=100)
    assert 8 < len(pages) < 100
    assert {page.status_code for page in pages.values()} == {200}
    for url, page in pages.items():
        html = page.content.decode()
        for hidden in (ours.guest, ours.admin, ours.flow, ours.application, theirs.guest, theirs.attribute):
            assert str(hidden) not in html, url
            assert str(hidden.pk) not in html or len(str(hidden.pk)) < 8, url


def test_opens_nobodys_account(platform: Client, ours: Furnished) -> None:
    for user in (ours.guest, ours.admin):
        for page in ("change/", "delete/", "history/"):
            assert platform.get(f"/admin/directory/user/{user.pk}/{page}").status_code in (302, 403)
        assert platform.post(f"/admin/directory/user/{user.pk}/change/", {"is_operator": "on"}).status_code == 403
    assert platform.get(f"/admin/directory/auditevent/{ours.event.pk}/change/").status_code == 302


@pytest.mark.parametrize("page", ["add/", "{}/change/", "{}/delete/"])
def test_operators_do_not_touch_their_own_log(platform: Client, page: str) -> None:
    event = AuditEvent.objects.get(activity="operator.created")
    assert platform.get(f"/admin/directory/auditevent/{event.pk}/change/").status_code == 200
    url = f"/admin/directory/auditevent/{page.format(event.pk)}"
    assert platform.post(url, {"activity": "forged", "post": "yes"}).status_code == 403


def test_makes_a_tenant_with_its_built_in_attributes(platform: Client, operator: User) -> None:
    admin = {"admin_mail": "ada@fabrikam.example", "admin_name": "Ada"}
    form = {"name": "Fabrikam", "slug": "fabrikam", "default_language": "en", "is_active": "on", **admin}
    assert platform.post("/admin/directory/tenant/add/", form).status_code == 302
    tenant = Tenant.objects.get(slug="fabrikam")
    assert UserAttribute.objects.filter(tenant=tenant).count() == 10
    event = AuditEvent.objects.get(activity="tenant.created")
    assert (event.tenant, event.actor_id) == (tenant, str(operator.pk))
    reserved = platform.post("/admin/directory/tenant/add/", {**form, "slug": "admin"})
    assert "is used by the portal itself" in reserved.content.decode()


def test_switches_a_tenant_off_so_that_its_log_tells(platform: Client, ours: Furnished, operator: User) -> None:
    url = f"/admin/directory/tenant/{ours.tenant.pk}/"
    platform.post(f"{url}change/", {"name": ours.tenant.name, "default_language": "en", "slug": "taken"})
    after = Tenant.objects.get(pk=ours.tenant.pk)
    assert (after.is_active, after.slug) == (False, ours.tenant.slug)
    event = AuditEvent.objects.get(tenant=ours.tenant, activity="tenant.updated")
    assert event.details["after"]["is_active"] is False
    assert event.actor_name == str(operator)
    assert "tenant.updated" in platform.get(f"{url}history/").content.decode()
    assert platform.post(f"{url}delete/", {"post": "yes"}).status_code == 403


def test_lets_nobody_but_operators_in(ours: Furnished) -> None:
    for person in (ours.guest, ours.admin):
        for path in ("", "directory/tenant/", "directory/tenant/add/", "directory/user/"):
            assert browser_of(person).get(f"/admin/{path}").status_code == 302


def test_a_tenants_administrator_does_not_switch_the_tenant_off(browser: Client, ours: Furnished) -> None:
    url = f"{ours.admin_url}directory/tenant/{ours.tenant.pk}/change/"
    kept = {
        **{"audit_retention_days": "365", "sign_in_retention_days": "90"},
        **{"admission": "anyone", "session_hours": "24", "keep_signed_in_days": "0"},
    }
    browser.post(url, {"name": "Renamed", "default_language": "en", "is_active": "", "slug": "mine", **kept})
    after = Tenant.objects.get(pk=ours.tenant.pk)
    assert (after.name, after.is_active, after.slug) == ("Renamed", True, ours.tenant.slug)
