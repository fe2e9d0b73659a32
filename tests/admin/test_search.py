"""One search over everything: one's own, what one's roles show, at a fixed price."""

import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from directory import audit
from directory.models import Application, Tenant, User
from directory.roles import Role
from tests.admin.conftest import Furnished, browser_of
from userflows.models import SignIn, UserFlow


def sign_in(ours: Furnished, mail: str = "", **values: Any) -> SignIn:
    return SignIn.objects.create(
        id=uuid.uuid4(),
        tenant=ours.tenant,
        user_flow=ours.flow,
        correlation_id=uuid.uuid4(),
        mail=mail,
        search_text=mail.lower(),
        **values,
    )


def search(browser: Client, query: str, root: str = "/woodgrove/admin/") -> str:
    response = browser.get(f"{root}search/", {"q": query})
    assert response.status_code == 200
    return str(response.content.decode())


def found(page: str) -> dict[str, list[str]]:
    """Return the titles that were found, by the heading of their group."""
    groups = re.findall(r'<section class="card found".*?</section>', page, re.DOTALL)
    return {
        re.findall(r"</svg>([^<]+)</h2>", group)[0]: re.findall(r"<bdi>([^<]*)</bdi></a>", group) for group in groups
    }


def test_finds_by_a_part_of_a_name(browser: Client, ours: Furnished) -> None:
    sign_in(ours, mail=f"amina@{ours.marker}.example")
    groups = found(search(browser, "MARKER"))
    assert list(groups) == ["User flows", "Users", "Applications", "Sign-ins", "Audit log"]
    assert groups["User flows"] == [ours.flow.name]
    assert ours.guest.display_name in groups["Users"]
    assert groups["Applications"] == [ours.application.name]
    assert f"amina@{ours.marker}.example" in groups["Sign-ins"]


def test_leads_to_the_page_of_what_it_found(browser: Client, ours: Furnished) -> None:
    page = search(browser, ours.guest.mail)
    assert f'href="{ours.admin_url}directory/user/{ours.guest.pk}/change/"' in page


def test_finds_an_attempt_by_its_correlation_id(browser: Client, ours: Furnished) -> None:
    entry = sign_in(ours, mail="amina@x.example")
    event = audit.record("user.signed_up", tenant=ours.tenant, actor=None, target=ours.guest)
    type(event).objects.filter(pk=event.pk)._raw_delete("default")  # noqa: SLF001
    event._state.adding, event.correlation_id = True, entry.correlation_id
    event.save()
    for spelling in (str(entry.correlation_id), entry.correlation_id.hex.upper(), f"  {entry.correlation_id}  "):
        groups = found(search(browser, spelling))
        assert groups["Sign-ins"] == ["amina@x.example"]
        assert [title.split(" · ")[0] for title in groups["Audit log"]] == ["user.signed_up"]


def test_finds_by_object_id_and_by_client_id(browser: Client, ours: Furnished) -> None:
    assert found(search(browser, str(ours.guest.pk)))["Users"] == [ours.guest.display_name]
    assert found(search(browser, str(ours.flow.pk)))["User flows"] == [ours.flow.name]
    assert found(search(browser, ours.application.client_id))["Applications"] == [ours.application.name]
    assert found(search(browser, str(uuid.uuid4()))) == {}


def test_shows_five_of_each_and_leads_to_the_rest(browser: Client, ours: Furnished) -> None:
    for number in range(6):
        User.objects.create(tenant=ours.tenant, mail=f"{number}@needle.example")
    page = search(browser, "needle")
    assert len(found(page)["Users"]) == 5
    link = re.findall(r'<p class="all"><a href="([^"]+)"', page)
    assert link == [f"{ours.admin_url}directory/user/?q=needle"]
    assert browser.get(link[0]).content.count(b"@needle.example</") >= 6


def test_finds_nothing_of_another_tenant(browser: Client, ours: Furnished, theirs: Furnished) -> None:
    theirs_came = sign_in(theirs, mail=f"amina@{theirs.marker}.example")
    ids = [str(theirs.guest.pk), str(theirs.flow.pk), theirs.application.client_id]
    for query in (theirs.marker, theirs.guest.mail, str(theirs_came.correlation_id), str(theirs.tenant.pk), *ids):
        assert found(search(browser, query)) == {}


@pytest.mark.parametrize(
    ("role", "groups"),
    [
        (Role.GLOBAL_READER, ["User flows", "Users", "Applications", "Sign-ins", "Audit log"]),
        (Role.USER_ADMINISTRATOR, ["User flows", "Users", "Applications", "Sign-ins", "Audit log"]),
        (Role.APPLICATION_ADMINISTRATOR, ["User flows", "Applications", "Sign-ins", "Audit log"]),
        (Role.USER_FLOW_ADMINISTRATOR, ["User flows", "Applications"]),
        (Role.USER_FLOW_ATTRIBUTE_ADMINISTRATOR, ["User flows"]),
        (Role.IDENTITY_PROVIDER_ADMINISTRATOR, ["User flows"]),
    ],
)
def test_searches_what_the_role_shows(
    ours: Furnished, make_admin: Callable[..., User], role: Role, groups: list[str]
) -> None:
    sign_in(ours, mail=f"amina@{ours.marker}.example")
    browser = browser_of(make_admin(ours.tenant, role, mail="role@woodgrove.example"))
    assert list(found(search(browser, "marker"))) == groups


def test_is_not_for_people_without_a_role(ours: Furnished, make_admin: Callable[..., User]) -> None:
    for browser in (Client(), browser_of(make_admin(ours.tenant, mail="plain@x.example")), browser_of(ours.guest)):
        assert browser.get("/woodgrove/admin/search/?q=a").status_code == 302


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("a" * 201, "Search for at most 200 characters."),
        ("a" * 10_000, "Search for at most 200 characters."),
        ("a\0b", "this holds a character that can’t be printed"),
        ("a\nb", "this holds a character that can’t be printed"),
        ("‮evil", "this holds a character that can’t be printed"),
    ],
)
def test_says_why_it_does_not_search(browser: Client, ours: Furnished, query: str, words: str) -> None:
    page = search(browser, query)
    assert words.replace("’", "&#x27;") in page
    assert found(page) == {}


@pytest.mark.parametrize(
    "query", ["%", "_", "\\", "'; DROP TABLE x; --", '"><script>alert(1)</script>', "🦊", "{{ 7*7 }}"]
)
def test_takes_any_other_text_as_text(browser: Client, ours: Furnished, query: str) -> None:
    page = search(browser, query)
    assert "<script>alert" not in page
    assert "49" not in re.findall(r"<p class=\"empty-state\">(.*?)</p>", page + '<p class="empty-state"></p>')[0]


def test_shows_hostile_names_as_text(browser: Client, ours: Furnished) -> None:
    hostile = "<script>alert('needle')</script>" + "x" * 200
    User(tenant=ours.tenant, mail="a@needle.example", display_name=hostile).save()
    Application(tenant=ours.tenant, name=hostile[:100], kind="web").save()
    UserFlow.objects.create(tenant=ours.tenant, name="B2X_1_a", description=hostile)
    page = search(browser, "needle")
    assert len(found(page)) == 3
    assert "<script>alert" not in page


@pytest.mark.parametrize("query", ["", "   "])
def test_says_what_can_be_searched(browser: Client, ours: Furnished, query: str) -> None:
    page = search(browser, query)
    assert "the correlation ID of an error page" in page
    assert found(page) == {}


@pytest.mark.parametrize("query", ["needle", "0b7b6f60-6b2c-4a53-8a09-5d3a2b1c0d9e"])
def test_costs_the_same_with_more_rows(browser: Client, ours: Furnished, query: str) -> None:
    def statements() -> int:
        ContentType.objects.clear_cache()
        with CaptureQueriesContext(connection) as queries:
            search(browser, query)
        return len(queries)

    def add(number: int) -> None:
        user = User.objects.create(tenant=ours.tenant, mail=f"{number}@needle.example")
        Application(tenant=ours.tenant, name=f"Needle {number}", kind="web").save()
        UserFlow.objects.create(tenant=ours.tenant, name=f"B2X_1_needle_{number}")
        sign_in(ours, mail=user.mail, user=user, application=ours.application)
        audit.record("user.created", tenant=ours.tenant, actor=ours.admin, target=user)

    add(0)
    few = statements()
    for number in range(1, 9):
        add(number)
    assert statements() == few <= 12


def test_finds_tenants_for_operators_and_nobody_in_them(
    operator: User, ours: Furnished, theirs: Furnished, make_tenant: Callable[..., Tenant]
) -> None:
    browser = browser_of(operator)
    assert found(search(browser, "woodgrove-mark", "/admin/"))["Tenants"] == [ours.tenant.name]
    assert found(search(browser, "GLOBEX", "/admin/"))["Tenants"] == [theirs.tenant.name]
    assert found(search(browser, str(ours.tenant.pk), "/admin/"))["Tenants"] == [ours.tenant.name]
    for private in (ours.guest.mail, ours.guest.pk, ours.application.client_id, ours.flow.name):
        assert not {"Users", "User flows", "Applications", "Sign-ins"} & set(
            found(search(browser, str(private), "/admin/"))
        )


def test_is_one_form_away_from_every_page(browser: Client, ours: Furnished) -> None:
    page = browser.get(f"{ours.admin_url}directory/user/").content.decode()
    assert f'method="get" action="{ours.admin_url}search/"' in page
    assert browser.get(f"{ours.admin_url}search/?q={quote('guest')}").status_code == 200
    assert browser.post(f"{ours.admin_url}search/", {"q": "guest"}).status_code == 405
