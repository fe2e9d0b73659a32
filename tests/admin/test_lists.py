"""Lists: as many statements for thirty rows as for three, and something to say when they are empty."""

from collections.abc import Callable

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from directory import audit
from directory.admin import pages
from directory.models import Application, Tenant, User, UserAttribute
from identity_portal.oidc.models import SigningKey
from tests.admin.conftest import Furnished, browser_of
from userflows.models import ApplicationAssignment, AttributeAssignment, UserFlow

MOST_STATEMENTS = 8


def statements(browser: Client, url: str) -> int:
    ContentType.objects.clear_cache()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert browser.get(url).status_code == 200
    return len(queries)


def add_rows(ours: Furnished, start: int, stop: int) -> None:
    """Put one more of everything into the tenant, with what hangs on it, for each number."""
    for i in range(start, stop):
        user = User.objects.create(tenant=ours.tenant, mail=f"{i}@x.example", user_type="Member")
        user.role_assignments.create(role="global_reader")
        audit.record("user.created", tenant=ours.tenant, actor=ours.admin, target=user)
        application = Application(tenant=ours.tenant, name=f"App {i:02}", kind="web")
        application.save()
        flow = UserFlow.objects.create(tenant=ours.tenant, name=f"B2X_1_{i:02}")
        attribute = UserAttribute.objects.create(tenant=ours.tenant, name=f"extension_{i:02}", display_name=f"{i}")
        ApplicationAssignment.objects.create(user_flow=flow, application=application)
        AttributeAssignment.objects.create(user_flow=flow, user_attribute=attribute)
        AttributeAssignment.objects.create(user_flow=ours.flow, user_attribute=attribute)
        SigningKey.objects.create(
            tenant=ours.tenant, algorithm="RS256", state="retired", kid=f"kid-{i}", public_jwk={}, private_jwk="{}"
        )


@pytest.mark.parametrize(
    "path",
    [
        "directory/user/",
        "directory/user/?q=example",
        "directory/user/?user_type__exact=Member",
        "directory/application/",
        "directory/userattribute/",
        "directory/auditevent/",
        "directory/auditevent/?q=created",
        "userflows/userflow/",
        "oidc/signingkey/",
    ],
)
def test_a_list_costs_the_same_with_more_rows(browser: Client, ours: Furnished, path: str) -> None:
    add_rows(ours, 0, 3)
    few = statements(browser, ours.admin_url + path)
    add_rows(ours, 3, 30)
    assert statements(browser, ours.admin_url + path) == few <= MOST_STATEMENTS


def test_the_page_of_a_flow_costs_the_same_with_more_questions_and_applications(
    browser: Client, ours: Furnished
) -> None:
    url = f"{ours.admin_url}userflows/userflow/{ours.flow.pk}/change/"
    add_rows(ours, 0, 3)
    few = statements(browser, url)
    add_rows(ours, 3, 30)
    for application in Application.objects.filter(name__startswith="App"):
        ApplicationAssignment.objects.filter(application=application).update(user_flow=ours.flow)
    assert statements(browser, url) == few


def test_the_page_of_a_person_costs_the_same_with_more_applications(browser: Client, ours: Furnished) -> None:
    url = f"{ours.admin_url}directory/user/{ours.guest.pk}/change/"
    few = statements(browser, url)
    add_rows(ours, 0, 20)
    for application in Application.objects.filter(name__startswith="App"):
        ours.guest.app_role_assignments.create(application=application)
    assert statements(browser, url) == few


def test_counts_no_further_than_it_must(
    browser: Client, ours: Furnished, monkeypatch: pytest.MonkeyPatch, make_guest: Callable[..., User]
) -> None:
    monkeypatch.setattr(pages, "MAX_COUNT", 3)
    for i in range(5):
        make_guest(ours.tenant, f"{i}@x.example")
    page = browser.get(f"{ours.admin_url}directory/user/")
    assert page.context["cl"].result_count == 3
    assert "The first 3 users. Search to find the others." in page.content.decode()


@pytest.mark.parametrize(
    ("path", "sentence", "add"),
    [
        ("userflows/userflow", "No user flow yet.", True),
        ("directory/application", "No application yet.", True),
        ("oidc/signingkey", "No signing key yet.", False),
    ],
)
def test_an_empty_list_says_what_it_is_for(
    make_tenant: Callable[..., Tenant], make_admin: Callable[..., User], path: str, sentence: str, add: bool
) -> None:
    admin = make_admin(make_tenant("empty"), "global_administrator")
    page = browser_of(admin).get(f"/empty/admin/{path}/").content.decode()
    assert sentence in page
    assert (f'class="button default" href="/empty/admin/{path}/add/"' in page) == add
    assert "result_list" not in page


def test_lists_the_newest_first(browser: Client, ours: Furnished, make_guest: Callable[..., User]) -> None:
    newest = make_guest(ours.tenant, "last@x.example")
    assert browser.get(f"{ours.admin_url}directory/user/").context["cl"].result_list[0] == newest
    event = audit.record("user.created", tenant=ours.tenant, target=newest)
    assert browser.get(f"{ours.admin_url}directory/auditevent/").context["cl"].result_list[0] == event


def test_finds_an_attempt_by_its_correlation_id(browser: Client, ours: Furnished) -> None:
    event = audit.record("sign_up.refused", tenant=ours.tenant, reason="tenant_sign_up_off")
    url = f"{ours.admin_url}directory/auditevent/"
    found = browser.get(url, {"q": f"{event.correlation_id} "}).context["cl"].result_list
    assert event in found
    assert {row.correlation_id for row in found} == {event.correlation_id}
    for term in (str(ours.admin.pk), "sign_up.refused"):
        assert browser.get(url, {"q": term}).context["cl"].result_count > 0
