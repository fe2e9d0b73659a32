"""purge_expired: deletes what has ended, and nothing else."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import models
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from directory import audit
from directory.models import Application, AuditEvent, Identity, IdentityProvider, Session, Tenant, User
from directory.session_store import SessionStore
from identity_portal.oidc.models import AccessToken, Grant, RefreshToken
from identity_portal.oidc.tokens import refresh_token_lifetime
from tests.commands.conftest import Run, RunJson
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.mail_code import ADDRESS_LIMIT
from userflows.models import Handshake, Journey, RateCounter, SignIn, SignUp
from userflows.rate_limit import count_attempt

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
# More than a test takes.
MOMENT = timedelta(seconds=30)
NOTHING = {
    "sessions": 0,
    "journeys": 0,
    "handshakes": 0,
    "rate_counters": 0,
    "refresh_tokens": 0,
    "access_tokens": 0,
    "grants": 0,
    "deleted_users": 0,
    "test_users": 0,
    "audit_events": 0,
    "sign_ins": 0,
    "tasks": 0,
}
ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}


@pytest.fixture
def application(relying_party: RelyingParty) -> Application:
    return relying_party.application


def make_session(ends: datetime, application: Application) -> models.Model:
    SessionStore(tenant_id=application.tenant_id).save()
    Session.objects.update(expire_date=ends)
    return Session.objects.get()


def make_journey(ends: datetime, application: Application) -> models.Model:
    return Journey.objects.create(
        tenant=application.tenant, application=application, correlation_id=uuid.uuid4(), expires_at=ends
    )


def make_handshake(ends: datetime, application: Application) -> models.Model:
    return Handshake.objects.create(
        tenant=application.tenant,
        identity_provider=IdentityProvider.objects.filter(tenant=application.tenant)[0],
        state_hash=uuid.uuid4().hex,
        expires_at=ends,
    )


def make_counter(ends: datetime, application: Application) -> models.Model:
    count_attempt((ADDRESS_LIMIT, "192.0.2.1"))
    RateCounter.objects.update(window_ends_at=ends)
    return RateCounter.objects.get()


def make_grant(ends: datetime, application: Application) -> models.Model:
    user = User.objects.create(tenant=application.tenant, mail="amina@fabrikam.example")
    return Grant.objects.create(application=application, user=user, code="x", expires=ends, redirect_uri="", scope="")


def make_access_token(ends: datetime, application: Application) -> models.Model:
    return AccessToken.objects.create(application=application, token="x", expires=ends, scope="")


def make_refresh_token(ends: datetime, application: Application) -> models.Model:
    user = User.objects.create(tenant=application.tenant, mail="amina@fabrikam.example")
    token = RefreshToken.objects.create(application=application, user=user, token="x")
    RefreshToken.objects.update(created=ends - refresh_token_lifetime())
    return token


def make_task(ends: datetime, application: Application) -> models.Model:
    return DBTaskResult.objects.create(
        status="SUCCESSFUL",
        finished_at=ends,
        run_after=ends,
        args_kwargs={},
        task_path="userflows.mail.deliver",
        backend_name="default",
        exception_class_path="",
        traceback="",
    )


def make_test_user(made: datetime, application: Application) -> models.Model:
    user: User = User.objects.create(tenant=application.tenant, mail="ada+test@fabrikam.example", is_test=True)
    User.objects.filter(pk=user.pk).update(created_at=made)
    Identity.objects.create(
        tenant=application.tenant,
        user=user,
        sign_in_type="emailAddress",
        issuer="mail",
        issuer_assigned_id="ada+test@fabrikam.example",
    )
    SignUp.objects.create(
        user=user,
        tenant=application.tenant,
        identity_provider="mail",
        journey_id=uuid.uuid4(),
        correlation_id=uuid.uuid4(),
    )
    return user


def make_sign_in(started: datetime, application: Application) -> models.Model:
    return SignIn.objects.create(
        id=uuid.uuid4(), tenant=application.tenant, correlation_id=uuid.uuid4(), started_at=started
    )


@pytest.mark.parametrize(
    ("name", "make", "kept_for"),
    [
        ("sessions", make_session, timedelta(0)),
        ("journeys", make_journey, DAY),
        ("handshakes", make_handshake, timedelta(hours=1)),
        ("rate_counters", make_counter, timedelta(0)),
        ("grants", make_grant, DAY),
        ("access_tokens", make_access_token, timedelta(0)),
        ("refresh_tokens", make_refresh_token, timedelta(0)),
        ("tasks", make_task, DAY),
        ("sign_ins", make_sign_in, 90 * DAY),
        ("test_users", make_test_user, DAY),
    ],
)
def test_deletes_what_has_ended_and_not_before(
    run_json: RunJson, application: Application, name: str, make: Any, kept_for: timedelta
) -> None:
    row = make(timezone.now() - kept_for + MOMENT, application)
    assert run_json("purge_expired") == NOTHING
    assert type(row)._base_manager.filter(pk=row.pk).exists()
    row.delete()
    User.objects.all().delete()
    row = make(timezone.now() - kept_for - SECOND, application)
    assert run_json("purge_expired") == {**NOTHING, name: 1}
    assert not type(row)._base_manager.filter(pk=row.pk).exists()


def test_deletes_audit_events_when_the_tenants_time_is_over(run_json: RunJson, application: Application) -> None:
    event = audit.record("user.created", tenant=application.tenant)
    row: models.QuerySet[AuditEvent] = models.QuerySet[AuditEvent](AuditEvent).filter(pk=event.pk)
    row.update(at=timezone.now() - 365 * DAY + MOMENT)
    assert run_json("purge_expired") == NOTHING
    row.update(at=timezone.now() - 365 * DAY - SECOND)
    assert run_json("purge_expired") == {**NOTHING, "audit_events": 1}
    assert not row.exists()


def test_keeps_the_sign_in_log_as_long_as_each_tenant_says(
    run_json: RunJson, application: Application, make_tenant: Callable[..., Tenant]
) -> None:
    now = timezone.now()
    kept = make_sign_in(now - 200 * DAY, application)
    Tenant.objects.update(sign_in_retention_days=365)
    other = make_tenant("globex", sign_in_retention_days=7)
    gone = SignIn.objects.create(id=uuid.uuid4(), tenant=other, correlation_id=uuid.uuid4(), started_at=now - 8 * DAY)
    assert run_json("purge_expired") == {**NOTHING, "sign_ins": 1}
    assert SignIn.objects.get() == kept != gone


def test_keeps_mail_that_is_not_sent_yet(run_json: RunJson, application: Application) -> None:
    task = make_task(timezone.now() - 30 * DAY, application)
    for status, finished_at in (("READY", None), ("RUNNING", None)):
        DBTaskResult.objects.update(status=status, finished_at=finished_at)
        assert run_json("purge_expired") == NOTHING
    assert DBTaskResult.objects.get().pk == task.pk


def test_lets_a_person_go_on_afterwards(run: Run, relying_party: RelyingParty, stranger: Stranger) -> None:
    """An hour later the access token is over, but what it was issued with still works."""
    code = relying_party.answer(stranger.sign_up(relying_party.request_url(scope="openid offline_access"), **ANSWERS))[
        "code"
    ]
    tokens = relying_party.redeem(code).json()
    AccessToken.objects.update(expires=timezone.now() - SECOND)
    people = User.objects.count()
    run("purge_expired")
    assert relying_party.refresh(tokens["refresh_token"]).status_code == 200
    stranger.open(relying_party.request_url())
    assert "code=" in stranger.left_to
    assert (User.objects.count(), Tenant.objects.count(), Application.objects.count()) == (people, 1, 1)


def test_still_knows_a_stolen_refresh_token(run: Run, relying_party: RelyingParty, stranger: Stranger) -> None:
    code = relying_party.answer(stranger.sign_up(relying_party.request_url(scope="openid offline_access"), **ANSWERS))[
        "code"
    ]
    first = relying_party.redeem(code).json()["refresh_token"]
    second = relying_party.refresh(first).json()["refresh_token"]
    run("purge_expired")
    assert relying_party.refresh(first).status_code == 400
    assert relying_party.refresh(second).status_code == 400


def test_tells_people_what_it_deleted(run: Run, application: Application) -> None:
    make_session(timezone.now() - SECOND, application)
    lines = run("purge_expired").splitlines()
    assert lines[:2] == ["sessions: 1", "journeys: 0"]
    assert len(lines) == len(NOTHING)


def test_deletes_test_users_and_all_that_is_theirs(run_json: RunJson, application: Application) -> None:
    made = timezone.now() - DAY - SECOND
    guest = User.objects.create(tenant=application.tenant, mail="amina@fabrikam.example")
    User.objects.filter(pk=guest.pk).update(created_at=made)
    person = make_test_user(made, application)
    assert run_json("purge_expired")["test_users"] == 1
    assert list(User.objects.all()) == [guest]
    assert not Identity.objects.exists()
    assert not SignUp.objects.exists()
    event = AuditEvent.objects.get(activity="test_user.deleted")
    assert (event.target_id, event.tenant) == (str(person.pk), application.tenant)
