"""Applications and their client secrets in the admin."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from directory.models import Application, AuditEvent, Session, User
from directory.roles import Role
from directory.session_store import SessionStore
from tests.admin.conftest import Furnished, browser_of
from tests.admin.form_data import application_form
from tests.conftest import REDIRECT_URI

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
    assert "1 people lose their access" in browser.get(url).content.decode()
    browser.post(url, {"post": "yes"})
    assert not Application.objects.filter(pk=ours.application.pk).exists()
    assert AuditEvent.objects.get(activity="application.deleted").target_name == ours.application.name
