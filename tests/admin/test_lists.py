"""Lists: as many statements for sixty rows as for three, every row once, and something to say when empty."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from directory import audit
from directory.admin import keyset
from directory.models import Application, AuditEvent, Tenant, User, UserAttribute
from identity_portal.admin_sites import platform_site, tenant_site
from identity_portal.invitations import PeopleAdmin
from identity_portal.oidc.models import SigningKey
from tests.admin.conftest import Furnished, browser_of, make_sign_in
from userflows.models import ApplicationAssignment, AttributeAssignment, SignIn, SignUp, UserFlow

MOST_STATEMENTS = 14


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
        make_sign_in(flow, application, user=user)
        SigningKey.objects.create(
            tenant=ours.tenant, algorithm="RS256", state="retired", kid=f"kid-{i}", public_jwk={}, private_jwk="{}"
        )


def offered_by_filters(browser: Client, url: str) -> list[str]:
    """Return the query strings behind the choices of the list's filters, and the last page's."""
    context = browser.get(url).context
    if "cl" not in context:
        return []  # A page of its own: the roles, all of them.
    changelist = context["cl"]
    queries = [changelist.next_url] if changelist.next_url else []
    for spec in changelist.filter_specs:
        for choice in list(spec.choices(changelist))[1:]:
            queries.append(choice.get("query_string") or f"?{spec.parameter_name}={choice['value']}")
    return queries


@pytest.mark.parametrize("model", sorted(tenant_site._registry, key=str), ids=lambda model: model._meta.model_name)
def test_a_list_costs_the_same_with_more_rows(browser: Client, ours: Furnished, model: type[Model]) -> None:
    url = f"{ours.admin_url}{model._meta.app_label}/{model._meta.model_name}/"
    if browser.get(url).status_code == 302:
        return  # A tenant has one tenant: no list.
    add_rows(ours, 0, 3)
    queries = ["", "?q=00", "?q=missing"]
    few = [statements(browser, url + query) for query in queries]
    add_rows(ours, 3, 60)
    assert [statements(browser, url + query) for query in queries] == few
    assert max(few) <= MOST_STATEMENTS
    for query in offered_by_filters(browser, url):
        assert statements(browser, url + query) <= max(few) + 1, query


@pytest.mark.parametrize("model", sorted(platform_site._registry, key=str), ids=lambda model: model._meta.model_name)
def test_a_list_of_the_platform_costs_the_same_with_more_rows(operator: User, model: type[Model]) -> None:
    browser, url = browser_of(operator), f"/admin/{model._meta.app_label}/{model._meta.model_name}/"

    def add(start: int, stop: int) -> None:
        for i in range(start, stop):
            Tenant.objects.create(slug=f"tenant-{i:03}", name=f"Tenant {i:03}")
            User.objects.create(mail=f"{i:03}@portal.example", is_operator=True, user_type="Member")
            audit.record("operator.created", tenant=None, actor=operator, target=operator)

    add(0, 3)
    queries = ["", "?q=00", "?q=missing"]
    few = [statements(browser, url + query) for query in queries]
    add(3, 60)
    assert [statements(browser, url + query) for query in queries] == few
    assert max(few) <= MOST_STATEMENTS
    for query in offered_by_filters(browser, url):
        assert statements(browser, url + query) <= max(few) + 1, query


def test_the_page_of_a_flow_costs_the_same_with_more_questions_and_applications(
    browser: Client, ours: Furnished
) -> None:
    url = f"{ours.admin_url}userflows/userflow/{ours.flow.pk}/change/"
    add_rows(ours, 0, 3)
    # The first look of a day counts the sign-ups of the day before.
    browser.get(url)
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
    monkeypatch.setattr(keyset, "MAX_COUNT", 3)
    for i in range(5):
        make_guest(ours.tenant, f"{i}@x.example")
    url = f"{ours.admin_url}directory/user/"
    page = browser.get(url)
    assert page.context["cl"].result_count == 3
    assert "More than 3 users" in page.content.decode()
    assert "3 users" in browser.get(f"{url}?q=x.example").content.decode()
    # A search for one or two letters has counted before the list does.
    assert "More than 3 users" in browser.get(f"{url}?q=x").content.decode()
    found = browser.get(f"{url}?q=4").context["cl"]
    assert ([user.mail for user in found.result_list], found.is_cut) == (["4@x.example"], False)


def walk(browser: Client, url: str, query: str, link: str) -> list[list[str]]:
    """Return the ids on each page, from one to the next by `link`."""
    pages = []
    while True:
        changelist = browser.get(url + query).context["cl"]
        pages.append([str(row.pk) for row in changelist.result_list])
        query = getattr(changelist, link)
        if not query:
            return pages


@pytest.mark.parametrize("query", ["?", "?o=-1", "?o=1", "?q=person", "?since=month"])
def test_goes_through_every_row_once_forward_and_back(
    browser: Client, ours: Furnished, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(PeopleAdmin, "list_per_page", 7)
    monkeypatch.setattr(PeopleAdmin, "sortable_by", ("signed_up",))
    for i in range(25):
        User.objects.create(tenant=ours.tenant, mail=f"{i}@x.example", display_name=f"Person {i}")
    moments = [timezone.now(), timezone.now() - timedelta(days=1)]
    for i, user in enumerate(User.objects.filter(display_name__startswith="Person")):
        # Many have the same time: the id decides among them.
        User.objects.filter(pk=user.pk).update(created_at=moments[i % 2])
    url = f"{ours.admin_url}directory/user/"
    forward = walk(browser, url, query, "next_url")
    every = [pk for page in forward for pk in page]
    assert len(every) == len(set(every)) >= 25
    assert [len(page) for page in forward[:-1]] == [7] * (len(forward) - 1)
    last = f"{query}&p=after.{forward[-2][-1]}"
    assert walk(browser, url, last, "previous_url") == forward[::-1]


def test_goes_through_the_people_of_a_flow_in_the_order_of_their_sign_ups(
    browser: Client, ours: Furnished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PeopleAdmin, "list_per_page", 3)
    for i in range(8):
        user = User.objects.create(tenant=ours.tenant, mail=f"{i}@x.example")
        SignUp.objects.create(
            user=user, tenant=ours.tenant, user_flow=ours.flow, journey_id=uuid.uuid4(), correlation_id=uuid.uuid4()
        )
    url = f"{ours.admin_url}directory/user/"
    newest = [str(pk) for pk in SignUp.objects.order_by("-created_at").values_list("pk", flat=True)]
    forward = walk(browser, url, f"?user_flow={ours.flow.pk}", "next_url")
    assert [pk for page in forward for pk in page] == newest
    assert walk(browser, url, f"?user_flow={ours.flow.pk}&p=after.{forward[-2][-1]}", "previous_url") == forward[::-1]
    with CaptureQueriesContext(connection) as queries:
        browser.get(f"{url}?user_flow={ours.flow.pk}&p=after.{newest[0]}")
    # Ordered by a column of its own, without a word on nulls: else the index by flow and time is of no use.
    (listing,) = [query["sql"] for query in queries if "ORDER BY" in query["sql"] and "INNER JOIN" in query["sql"]]
    assert 'ORDER BY "userflows_signup"."created_at" DESC, "directory_user"."id" DESC' in listing


def test_pages_of_a_column_that_may_be_empty(browser: Client, ours: Furnished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PeopleAdmin, "list_per_page", 3)
    for i in range(8):
        moment = timezone.now() - timedelta(days=i // 2) if i % 3 else None
        User.objects.create(tenant=ours.tenant, mail=f"{i}@x.example", last_login=moment)
    url = f"{ours.admin_url}directory/user/"
    for ordering in (("last_login",), ("-last_login",)):
        monkeypatch.setattr(PeopleAdmin, "ordering", ordering)
        forward = walk(browser, url, "?", "next_url")
        every = [pk for page in forward for pk in page]
        assert len(every) == len(set(every)) == User.objects.filter(tenant=ours.tenant).count()
        assert walk(browser, url, f"?p=after.{forward[-2][-1]}", "previous_url") == forward[::-1]


def test_begins_anew_when_a_key_is_unknown_or_somebody_elses(
    browser: Client, ours: Furnished, theirs: Furnished
) -> None:
    url = f"{ours.admin_url}directory/user/"
    first = [user.pk for user in browser.get(url).context["cl"].result_list]
    for key in (f"after.{theirs.guest.pk}", "after.nonsense", "before.", "2", "-1", "after.\0", f"x.{ours.guest.pk}"):
        page = browser.get(url, {"p": key})
        assert [user.pk for user in page.context["cl"].result_list] == first, key
        assert page.context["cl"].previous_url == "", key


def test_keeps_search_and_filters_on_the_next_page(
    browser: Client, ours: Furnished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PeopleAdmin, "list_per_page", 2)
    for i in range(5):
        User.objects.create(tenant=ours.tenant, mail=f"{i}@x.example", account_enabled=i > 1)
    html = browser.get(f"{ours.admin_url}directory/user/?account=enabled&q=x.example").content.decode()
    link = unescape(re.findall(r'<a[^>]*rel="next"[^>]*href="([^"]+)"', html)[0])
    page = browser.get(f"{ours.admin_url}directory/user/{link}").context["cl"]
    assert [user.mail for user in page.result_list] == ["2@x.example"]
    assert page.next_url == ""


def test_offers_a_hundred_flows_and_the_chosen_one(browser: Client, ours: Furnished) -> None:
    flows = [UserFlow(tenant=ours.tenant, name=f"B2X_1_a{i:03}") for i in range(110)]
    UserFlow.objects.bulk_create(flows)
    url = f"{ours.admin_url}userflows/signin/"
    html = browser.get(url).content.decode()
    assert "B2X_1_a099" in html
    assert "B2X_1_a100" not in html
    html = browser.get(f"{url}?user_flow={flows[105].pk}").content.decode()
    assert f'<option value="{flows[105].pk}" selected>B2X_1_a105</option>' in html


INDEXES = [
    ("directory/user", "q=nobody", "user_search"),
    ("directory/user", "q=zz", "user_search"),
    ("directory/user", "account=disabled", "user_disabled_newest"),
    ("directory/user", "user_type__exact=Member", "user_by_type_newest"),
    ("directory/auditevent", "q=nobody", "audit_search"),
    ("directory/auditevent", "result__exact=failure", "audit_failures_newest"),
    ("directory/auditevent", "by=application", "audit_by_applications_newest"),
    ("directory/auditevent", "activity=x", "audit_by_activity_newest"),
    ("directory/auditevent", "target_type=x", "audit_by_kind_newest"),
    ("userflows/signin", "q=nobody", "sign_in_search"),
    ("userflows/signin", "outcome__exact=refused", "sign_in_by_outcome_newest"),
    ("userflows/signin", "is_test__exact=1", "sign_in_test_newest"),
]


def add_thousands(ours: Furnished) -> None:
    """With a few rows PostgreSQL reads them all, whatever indexes there are."""
    rows, tenant = range(4000), ours.tenant
    ids = [uuid.uuid4() for _i in rows]
    texts = [f"{i}@x.example\nperson {i}" for i in rows]
    User.objects.bulk_create(User(tenant=tenant, mail=f"{i}@x.example", search_text=texts[i]) for i in rows)
    AuditEvent.objects.bulk_create(
        AuditEvent(tenant=tenant, actor_type="user", activity="user.x", correlation_id=ids[i], search_text=texts[i])
        for i in rows
    )
    SignIn.objects.bulk_create(
        SignIn(id=ids[i], tenant=tenant, correlation_id=ids[i], search_text=texts[i], outcome="signedUp") for i in rows
    )
    with connection.cursor() as cursor:
        for index in ("user_search", "audit_search", "sign_in_search"):
            # What was written last stands in a list of its own, which vacuum merges.
            cursor.execute("SELECT gin_clean_pending_list(%s)", [index])
        cursor.execute("ANALYZE")


def plans_of(browser: Client, url: str, table: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(url).status_code == 200
    plans = []
    with connection.cursor() as cursor:
        for statement in (query["sql"] for query in queries if f'FROM "{table}"' in query["sql"]):
            cursor.execute(f"EXPLAIN {statement}")
            plans.append("\n".join(row[0] for row in cursor.fetchall()))
    return plans


@pytest.mark.postgresql
def test_every_search_and_rare_filter_is_found_by_its_index(browser: Client, ours: Furnished) -> None:
    add_thousands(ours)
    for path, query, index in INDEXES:
        table = apps.get_model(path.replace("/", "."))._meta.db_table
        plans = plans_of(browser, f"{ours.admin_url}{path}/?{query}", table)
        assert any(index in plan for plan in plans), (query, plans)


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
