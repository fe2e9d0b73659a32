"""Applications and their client secrets in the admin."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from directory.models import Application, AuditEvent, ClientSecret, Session, User
from directory.roles import Role
from directory.session_store import SessionStore
from tests.admin.conftest import Furnished, browser_of
from tests.admin.form_data import application_form
from tests.conftest import REDIRECT_URI
from userflows.models import ApplicationAssignment, UserFlow

pytestmark = pytest.mark.any_database

SECRET = re.compile(r"ip_cs_[\w-]{20,}")


def secret_in(page: object) -> str:
    found = SECRET.search(page.content.decode())  # type: ignore[attr-defined]
    return found[0] if found else ""


def add(browser: Client, ours: Furnished, **values: str) -> Application:
    form = {"name": "New app", "kind": "web", "redirect_uris": REDIRECT_URI, "algorithm": "RS256", **values}
    response = browser.post(f"{ours.admin_url}directory/application/add/", form)
    assert response.status_code == 302, response.context["errors"]
    application: Application = Application.objects.get(tenant=ours.tenant, name=form["name"])
    return application


def page_of(ours: Furnished, application: Application, page: str) -> str:
    return f"{ours.admin_url}directory/application/{application.pk}/{page}/"


def stored_session(ours: Furnished) -> dict[str, str]:
    return SessionStore().decode(Session.objects.get(user_id=ours.admin.pk).session_data)


def test_shows_the_secret_of_a_new_application_once_and_nowhere_afterwards(browser: Client, ours: Furnished) -> None:
    application = add(browser, ours)
    page = browser.get(page_of(ours, application, "secrets/new"))
    secret = secret_in(page)
    assert application.secrets.get().matches(secret)
    assert application.client_id in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    again = browser.get(page_of(ours, application, "secrets/new"))
    assert again["Location"] == page_of(ours, application, "change")
    for name in ("change", "history", "delete", "secrets/add"):
        assert secret not in browser.get(page_of(ours, application, name)).content.decode()
    for event in AuditEvent.objects.all():
        assert secret not in str(event.details)


def test_keeps_the_new_secret_sealed_until_it_is_shown(browser: Client, ours: Furnished) -> None:
    application = add(browser, ours)
    kept = stored_session(ours)
    assert kept[f"new_client_secret.{application.pk}"].startswith("test.")
    assert "ip_cs_" not in str(kept)
    browser.get(page_of(ours, application, "secrets/new"))
    assert "new_client_secret" not in str(stored_session(ours))


def test_shows_one_persons_new_secret_to_nobody_else(
    browser: Client, ours: Furnished, make_admin: Callable[..., User]
) -> None:
    other = browser_of(make_admin(ours.tenant, Role.GLOBAL_ADMINISTRATOR))
    application = add(browser, ours)
    assert secret_in(other.get(page_of(ours, application, "secrets/new"), follow=True)) == ""
    assert secret_in(browser.get(page_of(ours, application, "secrets/new")))


@pytest.mark.parametrize("kind", ["spa", "native"])
def test_gives_no_secret_to_kinds_that_cannot_keep_one(browser: Client, ours: Furnished, kind: str) -> None:
    application = add(browser, ours, kind=kind)
    assert not application.secrets.exists()
    page = browser.get(page_of(ours, application, "change")).content.decode()
    assert "Add a client secret" not in page
    assert browser.post(page_of(ours, application, "secrets/add"), {"days": "30"}).status_code == 404


def test_adds_a_second_secret_beside_the_first(browser: Client, ours: Furnished) -> None:
    first = ours.application.secrets.get()
    url = page_of(ours, ours.application, "secrets/add")
    assert browser.post(url, {"days": "4000"}).status_code == 200
    assert browser.post(url, {"days": "30", "description": "production"}).status_code == 302
    secret = secret_in(browser.get(page_of(ours, ours.application, "secrets/new")))
    second = ours.application.secrets.exclude(pk=first.pk).get()
    assert (second.matches(secret), second.description) == (True, "production")
    assert second.expires_at is not None
    assert (second.expires_at - second.created_at).days in (29, 30)
    page = browser.get(page_of(ours, ours.application, "change")).content.decode()
    assert str(first) in page
    assert str(second) in page


def test_asks_before_it_removes_a_secret(browser: Client, ours: Furnished) -> None:
    secret = ours.application.secrets.get()
    url = page_of(ours, ours.application, f"secrets/{secret.pk}/remove")
    assert "can no longer sign people in" in browser.get(url).content.decode()
    assert ours.application.secrets.exists()
    browser.post(url)
    assert not ours.application.secrets.exists()
    event = AuditEvent.objects.get(activity="client_secret.removed")
    assert (event.actor_id, event.details) == (str(ours.admin.pk), {"hint": secret.hint})


def test_never_shows_or_finds_the_hash_of_a_secret(browser: Client, ours: Furnished) -> None:
    hashed = ours.application.secrets.get().secret_hash
    assert hashed not in browser.get(page_of(ours, ours.application, "change")).content.decode()
    found = browser.get(f"{ours.admin_url}directory/application/", {"q": hashed}).context["cl"]
    assert found.result_count == 0


def test_says_beside_the_field_what_is_wrong_with_a_redirect_uri(browser: Client, ours: Furnished) -> None:
    form = application_form(redirect_uris="http://app.example.com/\nhttps://*.example.com/")
    page = browser.post(page_of(ours, ours.application, "change"), form)
    assert len(page.context["adminform"].form.errors["redirect_uris"]) == 2
    ours.application.refresh_from_db()
    assert ours.application.redirect_uris == REDIRECT_URI


def test_writes_down_what_was_before_and_after(browser: Client, ours: Furnished) -> None:
    name = ours.application.name
    browser.post(page_of(ours, ours.application, "change"), application_form(name="Renamed"))
    assert AuditEvent.objects.get(activity="application.updated").details == {
        "changed": ["name"],
        "before": {"name": name},
        "after": {"name": "Renamed"},
    }
    history = browser.get(page_of(ours, ours.application, "history")).content.decode()
    assert "application.updated" in history
    assert "Renamed" in history


def test_changes_neither_kind_nor_client_id_nor_first_party(browser: Client, ours: Furnished) -> None:
    forged = application_form(kind="spa", client_id="mine", is_first_party="on", client_secret="x", tenant="")
    browser.post(page_of(ours, ours.application, "change"), forged)
    after = Application.objects.get(pk=ours.application.pk)
    for name in ("kind", "client_id", "is_first_party", "client_secret", "tenant"):
        assert getattr(after, name) == getattr(ours.application, name)


def test_says_what_deleting_an_application_hits(browser: Client, ours: Furnished) -> None:
    url = page_of(ours, ours.application, "delete")
    assert "1 person loses their access" in browser.get(url).content.decode()
    browser.post(url, {"post": "yes"})
    assert not Application.objects.filter(pk=ours.application.pk).exists()
    assert AuditEvent.objects.get(activity="application.deleted").target_name == ours.application.name


# --- the kind first -------------------------------------------------------------------------------------------------


def test_asks_for_the_kind_before_anything_else(browser: Client, ours: Furnished) -> None:
    add = f"{ours.admin_url}directory/application/add/"
    for page in (browser.get(add), browser.get(add, {"kind": "toaster"}), browser.post(add, {"name": "x"})):
        html = page.content.decode()
        assert page.status_code == 200
        assert all(f'href="?kind={kind}"' in html for kind in ("web", "spa", "native", "daemon"))
        assert 'name="redirect_uris"' not in html
    assert not Application.objects.filter(name="x").exists()


@pytest.mark.parametrize(
    ("kind", "asks_for_uris", "words"),
    [
        ("web", True, "Add a web application"),
        ("spa", True, "Add a single-page application"),
        ("native", True, "com.example.app:/callback"),
        ("daemon", False, "Add a daemon"),
    ],
)
def test_asks_only_what_the_kind_needs(
    browser: Client, ours: Furnished, kind: str, asks_for_uris: bool, words: str
) -> None:
    page = browser.get(f"{ours.admin_url}directory/application/add/", {"kind": kind}).content.decode()
    assert words in page
    assert ('name="redirect_uris"' in page) == asks_for_uris
    application = add(browser, ours, kind=kind)
    assert application.kind == kind
    assert bool(application.redirect_uris) == asks_for_uris


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\u202eشركة", "🦊" * 30, "x' OR 1=1 --", "{{ name }}%s"])
def test_shows_hostile_names_harmlessly(
    browser: Client, ours: Furnished, make_application: Callable[..., Application], name: str
) -> None:
    application = make_application(ours.tenant, name)
    paths = ("", f"{application.pk}/change/", f"{application.pk}/flow/", f"{application.pk}/delete/")
    for path in (*paths, f"{application.pk}/flow/{ours.flow.pk}/", f"{application.pk}/secrets/add/"):
        page = browser.get(f"{ours.admin_url}directory/application/{path}")
        assert page.status_code == 200, path
        assert "<script>alert" not in page.content.decode(), path


@pytest.mark.parametrize("name", ["x" * 101, "a\x00b", ""])
def test_refuses_names_that_it_cannot_keep(browser: Client, ours: Furnished, name: str) -> None:
    page = browser.post(f"{ours.admin_url}directory/application/add/", {"kind": "daemon", "name": name})
    assert page.status_code == 200
    assert page.context["adminform"].form.errors["name"]


# --- redirect URIs as they are typed --------------------------------------------------------------------------------


def check(browser: Client, ours: Furnished, **values: str) -> list[dict[str, object]]:
    answer = browser.post(f"{ours.admin_url}directory/application/check-uris/", values)
    assert answer.status_code == 200
    remarks: list[dict[str, object]] = answer.json()["remarks"]
    return remarks


def test_says_while_typing_what_saving_would_say(browser: Client, ours: Furnished) -> None:
    text = "https://app.example.com/cb\nhttp://app.example.com/\nhttps://app.example.com/*"
    remarks = check(browser, ours, kind="web", uris=text)
    assert [remark["isProblem"] for remark in remarks] == [True, True]
    saved = browser.post(page_of(ours, ours.application, "change"), application_form(redirect_uris=text))
    assert [remark["message"] for remark in remarks] == saved.context["adminform"].form.errors["redirect_uris"]


def test_gives_advice_that_refuses_nothing(browser: Client, ours: Furnished) -> None:
    (remark,) = check(browser, ours, kind="web", uris="https://app.example.com/cb/")
    assert not remark["isProblem"]
    form = application_form(redirect_uris="https://app.example.com/cb/")
    assert browser.post(page_of(ours, ours.application, "change"), form).status_code == 302
    assert str(remark["message"]) in browser.get(page_of(ours, ours.application, "change")).content.decode()


def test_checks_by_the_rules_of_the_kind(browser: Client, ours: Furnished) -> None:
    assert check(browser, ours, kind="native", uris="com.example.app:/cb") == []
    assert check(browser, ours, kind="web", uris="com.example.app:/cb")[0]["isProblem"]


def test_checks_no_more_than_could_be_saved(browser: Client, ours: Furnished) -> None:
    url = f"{ours.admin_url}directory/application/check-uris/"
    assert browser.post(url, {"kind": "web", "uris": "x" * 30_000}).status_code == 400
    assert browser.post(url, {"kind": "toaster", "uris": ""}).status_code == 400
    assert browser.get(url).status_code == 405
    # One URI over and over is one URI, but not one to read through.
    form = application_form(redirect_uris="https://app.example.com/cb\n" * 1000)
    page = browser.post(page_of(ours, ours.application, "change"), form)
    assert "characters" in str(page.context["adminform"].form.errors["redirect_uris"])


@pytest.mark.parametrize(("role", "status"), [(Role.GLOBAL_READER, 403), (Role.APPLICATION_ADMINISTRATOR, 200)])
def test_checks_only_for_those_who_may_change_applications(
    ours: Furnished, make_admin: Callable[..., User], role: Role, status: int
) -> None:
    other = browser_of(make_admin(ours.tenant, role, mail="other@woodgrove.example"))
    url = f"{ours.admin_url}directory/application/check-uris/"
    assert other.post(url, {"kind": "web", "uris": "https://a.example/cb"}).status_code == status


# --- one application, and the list ----------------------------------------------------------------------------------


def test_shows_what_an_application_needs_to_know(browser: Client, ours: Furnished) -> None:
    page = browser.get(page_of(ours, ours.application, "change")).content.decode()
    for value in (
        ours.application.client_id,
        ">http://testserver/woodgrove<",
        ">http://testserver/woodgrove/v2.0<",
        ">http://testserver/woodgrove/v2.0/.well-known/openid-configuration<",
        ">http://testserver/woodgrove/oauth2/v2.0/authorize<",
        ">http://testserver/woodgrove/oauth2/v2.0/token<",
        f"/woodgrove/admin/userflows/userflow/{ours.flow.pk}/change/",
    ):
        assert value in page, value


@pytest.mark.parametrize(
    ("left", "badge"),
    [
        (timedelta(days=90), "Live"),
        (timedelta(days=12, hours=1), "Ends in 12 days"),
        (timedelta(days=1, hours=1), "Ends in 1 day"),
        (timedelta(hours=3), "Ends within a day"),
        (timedelta(seconds=-1), "Ended"),
    ],
)
def test_warns_before_a_secret_ends(browser: Client, ours: Furnished, left: timedelta, badge: str) -> None:
    ours.application.secrets.update(expires_at=timezone.now() + left)
    for url in (page_of(ours, ours.application, "change"), f"{ours.admin_url}directory/application/"):
        assert f">{badge}</span>" in browser.get(url).content.decode(), url


def test_counts_on_the_secret_that_works_the_longest(browser: Client, ours: Furnished) -> None:
    ours.application.secrets.update(expires_at=timezone.now() - timedelta(days=1))
    later = timezone.now() + timedelta(days=200)
    ClientSecret.objects.create(application=ours.application, hint="ip_cs_abcd", secret_hash="x", expires_at=later)
    page = browser.get(f"{ours.admin_url}directory/application/").content.decode()
    assert ">Live</span>" in page
    assert ">Ended</span>" not in page


def test_keeps_its_hands_off_first_party_applications(
    browser: Client, ours: Furnished, make_application: Callable[..., Application]
) -> None:
    own = make_application(ours.tenant, "Portal", is_first_party=True)
    secret = own.secrets.get()
    page = browser.get(page_of(ours, own, "change")).content.decode()
    assert "one of the portal&#x27;s own" in page or "one of the portal's own" in page
    assert "First-party" in page
    assert 'name="_save"' not in page
    assert "secrets/add" not in page
    assert "First-party" in browser.get(f"{ours.admin_url}directory/application/").content.decode()
    forms = {
        "change": application_form(name="Taken"),
        "delete": {"post": "yes"},
        "secrets/add": {"days": "30"},
        f"secrets/{secret.pk}/remove": {},
        f"flow/{ours.flow.pk}": {"before": ""},
        "flow/leave": {},
        "flow": {},
    }
    for name, form in forms.items():
        assert browser.post(page_of(ours, own, name), form).status_code == 403, name
    own.refresh_from_db()
    assert (own.name, list(own.secrets.all())) == ("Portal", [secret])
    assert not ApplicationAssignment.objects.filter(application=own).exists()


def test_filters_and_searches_the_list(
    browser: Client, ours: Furnished, theirs: Furnished, make_application: Callable[..., Application]
) -> None:
    spa = make_application(ours.tenant, "Order tracker", "spa", is_enabled=False)
    url = f"{ours.admin_url}directory/application/"
    for query, found in {
        "q=Order": [spa],
        f"q={spa.client_id}": [spa],
        f"q={theirs.application.client_id}": [],
        "kind__exact=spa": [spa],
        "is_enabled__exact=0": [spa],
        f"user_flow={ours.flow.pk}": [ours.application],
        f"user_flow={theirs.flow.pk}": [],
        "user_flow=none": [spa],
        "user_flow=x": [],
        "q=%00": None,
    }.items():
        page = browser.get(f"{url}?{query}")
        assert page.status_code == 200, query
        if found is not None:
            assert list(page.context["cl"].result_list) == found, query
        assert theirs.marker not in page.content.decode()


def test_shows_one_application_at_the_same_cost_with_more_secrets_and_flows(
    browser: Client, ours: Furnished, make_user_flow: Callable[..., UserFlow]
) -> None:
    def cost(page: str) -> int:
        ContentType.objects.clear_cache()
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(page_of(ours, ours.application, page)).status_code == 200
        return len(queries)

    few = cost("change"), cost("flow")
    for number in range(5):
        make_user_flow(ours.tenant, f"More{number}", questions=())
        ClientSecret.objects.create(application=ours.application, hint=f"ip_cs_{number}", secret_hash="x")
    assert (cost("change"), cost("flow")) == few
