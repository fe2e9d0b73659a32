"""Which user flow an application uses, decided on the application's own page."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections
from django.test import Client

from directory.models import Application, AuditEvent, Tenant, User
from directory.roles import PERMISSIONS, Role
from tests.admin.conftest import Furnished, browser_of
from userflows.flows import assign_application, move_application
from userflows.models import ApplicationAssignment, UserFlow


@pytest.fixture
def partners(ours: Furnished, make_user_flow: Callable[..., UserFlow]) -> UserFlow:
    return make_user_flow(ours.tenant, "Partners", questions=())


@pytest.fixture
def unlinked(ours: Furnished, make_application: Callable[..., Application]) -> Application:
    return make_application(ours.tenant, "Order tracker", "spa")


def url_of(ours: Furnished, application: Application, flow: UserFlow | None = None) -> str:
    base = f"{ours.admin_url}directory/application/{application.pk}/flow/"
    return f"{base}{flow.pk}/" if flow else base


def flow_of(application: Application) -> UserFlow | None:
    assignment = ApplicationAssignment.objects.filter(application=application).first()
    return assignment.user_flow if assignment else None


def test_uses_a_flow_where_there_was_none(browser: Client, ours: Furnished, unlinked: Application) -> None:
    page = browser.get(f"{ours.admin_url}directory/application/{unlinked.pk}/change/").content.decode()
    assert "it uses no user flow" in page
    assert f'href="{url_of(ours, unlinked)}"' in page
    assert ours.flow.name in browser.get(url_of(ours, unlinked)).content.decode()
    done = browser.post(url_of(ours, unlinked, ours.flow), {"before": ""}, follow=True)
    assert f"New people sign up to Order tracker through {ours.flow.name} now." in done.content.decode()
    assert flow_of(unlinked) == ours.flow
    event = AuditEvent.objects.get(activity="application.assigned", target_id=str(unlinked.pk))
    assert (event.actor_id, event.details) == (str(ours.admin.pk), {"user_flow": ours.flow.name})


def test_moves_to_another_flow_only_after_a_confirmation(browser: Client, ours: Furnished, partners: UserFlow) -> None:
    url = url_of(ours, ours.application, partners)
    assert f'<a class="button" href="{url}">' in browser.get(url_of(ours, ours.application)).content.decode()
    asked = browser.get(url).content.decode()
    name, before, after = ours.application.name, ours.flow.name, partners.name
    assert f"{name} uses {before} now. New people will sign up through {after} instead." in asked
    assert "Nothing changes for people who have an account." in asked
    # Without having been asked about the flow that it uses now: asked first.
    for unasked in ({}, {"before": ""}, {"before": str(partners.pk)}, {"before": "x\x00"}):
        assert f"{name} uses {before} now." in browser.post(url, unasked).content.decode()
        assert flow_of(ours.application) == ours.flow
    assert browser.post(url, {"before": str(ours.flow.pk)}).status_code == 302
    assert flow_of(ours.application) == partners
    event = AuditEvent.objects.get(activity="application.moved")
    assert event.details == {"before": {"user_flow": before}, "after": {"user_flow": after}}
    assert (event.actor_id, event.target_id) == (str(ours.admin.pk), str(ours.application.pk))


def test_asks_again_when_another_administrator_has_moved_it_since(
    browser: Client, ours: Furnished, partners: UserFlow, make_user_flow: Callable[..., UserFlow]
) -> None:
    customers = make_user_flow(ours.tenant, "Customers", questions=())
    move_application(customers, ours.application)
    page = browser.post(url_of(ours, ours.application, partners), {"before": str(ours.flow.pk)}).content.decode()
    assert f"uses {customers.name} now." in page
    assert flow_of(ours.application) == customers


def test_sends_new_people_through_the_flow_that_it_moved_to(
    browser: Client, ours: Furnished, partners: UserFlow
) -> None:
    browser.post(url_of(ours, ours.application, partners), {"before": str(ours.flow.pk)})
    listed = browser.get(f"{ours.admin_url}directory/application/", {"user_flow": str(partners.pk)})
    assert list(listed.context["cl"].result_list) == [ours.application]
    page = browser.get(f"{ours.admin_url}userflows/userflow/{partners.pk}/change/").content.decode()
    assert ours.application.name in page


def test_leaves_its_flow_after_a_confirmation(browser: Client, ours: Furnished) -> None:
    url = f"{url_of(ours, ours.application)}leave/"
    assert "New people can&#x27;t sign up" in browser.get(url).content.decode().replace("can't", "can&#x27;t")
    assert flow_of(ours.application) == ours.flow
    assert browser.post(url).status_code == 302
    assert flow_of(ours.application) is None
    event = AuditEvent.objects.get(activity="application.unassigned")
    assert (event.actor_id, event.details) == (str(ours.admin.pk), {"user_flow": ours.flow.name})
    assert browser.post(url).status_code == 302
    assert AuditEvent.objects.filter(activity="application.unassigned").count() == 1


def test_finds_a_flow_by_name(browser: Client, ours: Furnished, unlinked: Application, partners: UserFlow) -> None:
    url = url_of(ours, unlinked)
    assert list(browser.get(url, {"q": "artn"}).context["flows"]) == [partners]
    assert "Nothing was found." in browser.get(url, {"q": "nope"}).content.decode()
    assert browser.get(url, {"q": "\x00<script>"}).status_code == 200
    UserFlow.objects.bulk_create(UserFlow(tenant=ours.tenant, name=f"B2X_1_{number:03}") for number in range(60))
    page = browser.get(url)
    assert len(page.context["flows"]) == 50
    assert "Search to find the others." in page.content.decode()


def test_says_so_when_there_is_no_flow_yet(browser: Client, ours: Furnished, unlinked: Application) -> None:
    UserFlow.objects.filter(tenant=ours.tenant).delete()
    assert "No user flow yet." in browser.get(url_of(ours, unlinked)).content.decode()


def test_warns_that_a_flow_was_never_published(browser: Client, ours: Furnished, unlinked: Application) -> None:
    draft = UserFlow.objects.create(tenant=ours.tenant, name="B2X_1_Draft")
    assert "Never published" in browser.get(url_of(ours, unlinked)).content.decode()
    assert "was never published: until it is" in browser.get(url_of(ours, unlinked, draft)).content.decode()


@pytest.mark.parametrize("role", list(Role))
def test_is_decided_by_those_who_may_change_flows(
    ours: Furnished, partners: UserFlow, make_admin: Callable[..., User], role: Role
) -> None:
    browser = browser_of(make_admin(ours.tenant, role, mail="one.role@woodgrove.example"))
    row = PERMISSIONS[role]
    sees = "view" in row.get("application", ())
    may = sees and "change" in row.get("userflow", ())
    base = url_of(ours, ours.application)
    for url in (base, f"{base}leave/", url_of(ours, ours.application, partners)):
        assert browser.get(url).status_code == (200 if may else 403)
    page = browser.get(f"{ours.admin_url}directory/application/{ours.application.pk}/change/")
    if sees:
        html = page.content.decode()
        assert ours.flow.name in html
        assert (f'href="{base}"' in html) == may
        assert ("Whoever may change user flows may change this" in html) != may
    posted = browser.post(url_of(ours, ours.application, partners), {"before": str(ours.flow.pk)})
    assert posted.status_code == (302 if may else 403)
    assert flow_of(ours.application) == (partners if may else ours.flow)


def test_crosses_no_tenants(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    base = f"{ours.admin_url}directory/application"
    before = {"before": str(ours.flow.pk)}
    for url in (
        f"{base}/{ours.application.pk}/flow/{theirs.flow.pk}/",
        f"{base}/{theirs.application.pk}/flow/{ours.flow.pk}/",
        f"{base}/{theirs.application.pk}/flow/leave/",
        f"{base}/{theirs.application.pk}/flow/",
    ):
        assert browser.get(url).status_code == 404
        assert browser.post(url, before).status_code == 404
    assert (flow_of(ours.application), flow_of(theirs.application)) == (ours.flow, theirs.flow)
    page = browser.get(f"{base}/{ours.application.pk}/flow/")
    assert list(page.context["flows"]) == [ours.flow]
    assert theirs.flow.name not in page.content.decode()


def test_moves_by_its_verb_once(ours: Furnished, theirs: Furnished, partners: UserFlow) -> None:
    moved = move_application(partners, ours.application)
    assert move_application(partners, ours.application) == moved
    assert AuditEvent.objects.filter(activity="application.moved").count() == 1
    with pytest.raises(ValidationError, match="Choose one of this tenant"):
        move_application(theirs.flow, ours.application)
    Application.objects.filter(pk=ours.application.pk).update(is_first_party=True)
    with pytest.raises(ValidationError, match="first-party"):
        move_application(ours.flow, ours.application)
    assert flow_of(ours.application) == partners


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_administrators_at_once_leave_it_in_one_flow(
    make_tenant: Callable[..., Tenant],
    make_user_flow: Callable[..., UserFlow],
    make_application: Callable[..., Application],
) -> None:
    tenant = make_tenant()
    flows = [make_user_flow(tenant, f"Flow{number}", questions=()) for number in range(4)]
    application = make_application(tenant)
    assign_application(flows[0], application)

    def move(flow: UserFlow) -> None:
        try:
            move_application(flow, application)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(move, [*flows[1:], *flows[1:]]))
    assert ApplicationAssignment.objects.filter(application=application).count() == 1
    # Each move begins where the one before it ended.
    events = AuditEvent.objects.filter(activity="application.moved").order_by("at")
    path = [(event.details["before"]["user_flow"], event.details["after"]["user_flow"]) for event in events]
    assert path[0][0] == flows[0].name
    assert all(earlier[1] == later[0] for earlier, later in zip(path, path[1:], strict=False))
    assert connection.vendor == "postgresql"


def test_the_builder_says_where_applications_are_added(browser: Client, ours: Furnished) -> None:
    url = f"{ours.admin_url}userflows/userflow/{ours.flow.pk}/change/"
    assert "Every application of this tenant uses a flow already." in browser.get(url).content.decode()
    Application.objects.filter(tenant=ours.tenant).delete()
    page = browser.get(url).content.decode()
    assert "Every application of this tenant uses a flow already." not in page
    assert "This tenant has no application yet." in page
    assert "Add one under “Applications”" in page
