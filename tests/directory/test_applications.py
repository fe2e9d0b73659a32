"""App registrations: the kind decides, secrets are ours, shown once, several at a time."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from directory.applications import add_client_secret, create_application, remove_client_secret
from directory.models import Application, ApplicationKind, AuditEvent, ClientSecret, Tenant
from tests.relying_party import RelyingParty
from userflows.models import UserFlow

MakeRelyingParty = Callable[..., RelyingParty]


def application(tenant: Tenant, kind: str = ApplicationKind.WEB, **values: Any) -> Application:
    return Application(tenant=tenant, **{"name": "Supplier Portal", "kind": kind, **values})


@pytest.mark.parametrize(
    ("kind", "keeps_secret", "client_type", "grant_type"),
    [
        (ApplicationKind.WEB, True, "confidential", "authorization-code"),
        (ApplicationKind.SPA, False, "public", "authorization-code"),
        (ApplicationKind.NATIVE, False, "public", "authorization-code"),
        (ApplicationKind.DAEMON, True, "confidential", "client-credentials"),
    ],
)
def test_follows_its_kind(
    tenant: Tenant, kind: ApplicationKind, keeps_secret: bool, client_type: str, grant_type: str
) -> None:
    app = application(tenant, kind)
    secret = create_application(app)
    app.refresh_from_db()
    assert (secret is not None) is app.keeps_secret is keeps_secret
    assert (app.client_type, app.authorization_grant_type) == (client_type, grant_type)
    assert app.client_secret == ""
    assert app.secrets.count() == keeps_secret


def test_changes_with_its_kind(tenant: Tenant) -> None:
    app = application(tenant, ApplicationKind.WEB)
    create_application(app)
    app.kind = ApplicationKind.SPA
    app.save()
    assert (app.client_type, app.keeps_secret) == ("public", False)


def test_has_an_id_of_its_own_and_no_secret_in_the_log(tenant: Tenant) -> None:
    one, other = application(tenant), application(tenant)
    secret = create_application(one)
    create_application(other)
    assert one.client_id != other.client_id
    events = AuditEvent.objects.filter(target_id=str(one.pk))
    assert {event.activity for event in events} == {"application.created", "client_secret.created"}
    assert str(secret) not in str([event.details for event in events])


@pytest.mark.parametrize(
    "values", [{"name": ""}, {"name": "x" * 101}, {"kind": "desktop"}, {"redirect_uris": "http://app.example.com/cb"}]
)
def test_leaves_nothing_behind_when_it_is_refused(tenant: Tenant, values: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        create_application(application(tenant, **values))
    assert list(refused.value.message_dict) == list(values)
    assert not Application.objects.exists()
    assert not AuditEvent.objects.filter(activity="application.created").exists()


def test_keeps_only_a_salted_hash_of_a_secret(tenant: Tenant) -> None:
    app = application(tenant)
    secret = str(create_application(app))
    assert secret.startswith("ip_cs_")
    assert len(secret) >= 6 + 43
    stored = ClientSecret.objects.get()
    algorithm, salt, digest = stored.secret_hash.split("$")
    assert (algorithm, len(digest)) == ("sha256_secret", 64)
    assert len(salt) >= 16
    assert digest == hashlib.sha256((salt + secret).encode()).hexdigest()
    assert stored.hint == secret[:10] == str(stored)[:10]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM directory_clientsecret")
        assert secret not in str(cursor.fetchall())
    assert stored.matches(secret)
    assert not stored.matches(secret + "x")
    assert not stored.matches("")


def test_has_several_live_secrets(tenant: Tenant) -> None:
    app = application(tenant)
    first = str(create_application(app))
    second = add_client_secret(app, description="the second", lifetime=timedelta(days=1))
    assert first != second
    live = list(app.secrets.live())
    assert len(live) == 2
    assert [[secret.matches(text) for secret in live].count(True) for text in (first, second)] == [1, 1]
    newest = app.secrets.get(description="the second")
    assert newest.expires_at is not None
    assert timedelta(hours=23) < newest.expires_at - timezone.now() <= timedelta(days=1)


def test_ends_a_secret_at_its_date(tenant: Tenant) -> None:
    app = application(tenant)
    create_application(app)
    app.secrets.update(expires_at=timezone.now() + timedelta(seconds=5))
    assert app.secrets.live().count() == 1
    app.secrets.update(expires_at=timezone.now())
    assert app.secrets.live().count() == 0
    app.secrets.update(expires_at=None)
    assert app.secrets.live().count() == 1


def test_is_let_in_by_any_live_secret_and_by_no_ended_one(
    tenant: Tenant, user_flow: UserFlow, make_relying_party: MakeRelyingParty
) -> None:
    daemon = make_relying_party(tenant, None, kind=ApplicationKind.DAEMON, redirect_uris="")
    second = add_client_secret(daemon.application)
    for secret in (daemon.secret, second):
        assert daemon.post_token(grant_type="client_credentials", client_secret=secret).status_code == 200
    first = next(row for row in daemon.application.secrets.all() if row.matches(str(daemon.secret)))
    ClientSecret.objects.filter(pk=first.pk).update(expires_at=timezone.now())
    assert daemon.post_token(grant_type="client_credentials").status_code == 401
    assert daemon.post_token(grant_type="client_credentials", client_secret=second).status_code == 200


def test_removes_a_secret_at_once_and_says_which(tenant: Tenant) -> None:
    app = application(tenant)
    create_application(app)
    row = app.secrets.get()
    remove_client_secret(row)
    assert not app.secrets.exists()
    event = AuditEvent.objects.get(activity="client_secret.removed")
    assert event.details == {"hint": row.hint}
    assert event.target_id == str(app.pk)


@pytest.mark.parametrize("kind", [ApplicationKind.SPA, ApplicationKind.NATIVE])
def test_gives_no_secret_to_kinds_that_cannot_keep_one(tenant: Tenant, kind: ApplicationKind) -> None:
    app = application(tenant, kind)
    assert create_application(app) is None
    with pytest.raises(ValidationError, match="everybody can read it"):
        add_client_secret(app)
    assert not ClientSecret.objects.exists()
