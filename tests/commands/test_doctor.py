"""doctor: says what keeps people from signing up, and how to mend it."""

import json
import socket
import uuid
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from directory.applications import create_application
from directory.models import Application, ApplicationKind, IdentityProvider, Tenant
from identity_portal.health_checks import tenant_health
from identity_portal.oidc.keys import active_key
from identity_portal.oidc.models import SigningKey
from tests.relying_party import RelyingParty
from userflows.models import Journey, UserFlow


def examined(*arguments: str) -> tuple[int, str]:
    """Return the exit code, and what was said."""
    output = StringIO()
    try:
        call_command("doctor", *arguments, stdout=output)
    except SystemExit as ended:
        return int(ended.code or 0), output.getvalue()
    return 0, output.getvalue()


def findings() -> list[dict[str, str]]:
    code, said = examined("--json")
    answer = json.loads(said)
    errors = [finding for finding in answer["findings"] if finding["severity"] == "error"]
    assert answer["healthy"] is (code == 0) is (errors == [])
    return list(answer["findings"])


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def use_mail_server(settings: Settings, port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port


def test_finds_nothing_where_nothing_is_wrong(relying_party: RelyingParty, tenant: Tenant) -> None:
    active_key(tenant, "ES256")
    assert findings() == []
    assert examined() == (0, "Healthy.\n")


@pytest.mark.django_db
def test_reaches_the_mail_server(settings: Settings, mail_server: int) -> None:
    use_mail_server(settings, mail_server)
    assert findings() == []


@pytest.mark.django_db
def test_fails_when_the_mail_server_does_not_answer(settings: Settings, closed_port: int) -> None:
    use_mail_server(settings, closed_port)
    [finding] = findings()
    assert (finding["id"], finding["severity"]) == ("portal.E003", "error")
    assert "EMAIL_URL" in finding["fix"]
    code, said = examined()
    assert code == 1
    assert said.startswith("ERROR portal.E003 Mail can't be sent: ")
    assert said.endswith("Something is broken.\n")


def test_fails_when_a_signing_key_does_not_open(tenant: Tenant) -> None:
    key = active_key(tenant, "ES256")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE oidc_signingkey SET private_jwk = 'lost.AAAA' WHERE kid = %s", [key.kid])
    [finding] = findings()
    assert finding["id"] == "portal.E004"
    assert str(key.pk) in finding["message"]
    assert "'lost'" in finding["message"]
    assert "ENCRYPTION_KEYS" in finding["fix"]
    assert examined()[0] == 1


def test_warns_where_a_flow_waits_behind_a_closed_door(relying_party: RelyingParty) -> None:
    Tenant.objects.update(sign_up_enabled=False)
    [finding] = findings()
    assert (finding["id"], finding["severity"], finding["tenant"]) == ("directory.W001", "warning", "woodgrove")
    code, said = examined()
    assert code == 0
    assert said.startswith("WARNING directory.W001 woodgrove: Guest self-service sign-up is switched off")


def test_is_content_with_a_closed_door_that_nobody_waits_at(
    user_flow: UserFlow, make_relying_party: Callable[..., RelyingParty]
) -> None:
    Tenant.objects.update(sign_up_enabled=False)
    assert "directory.W001" not in {finding["id"] for finding in findings()}
    make_relying_party(user_flow.tenant, user_flow)
    UserFlow.objects.update(sign_up_enabled=False)
    assert "directory.W001" not in {finding["id"] for finding in findings()}


@pytest.mark.parametrize(
    ("kind", "values", "warned"),
    [
        (ApplicationKind.WEB, {}, True),
        (ApplicationKind.WEB, {"is_enabled": False}, False),
        (ApplicationKind.WEB, {"redirect_uris": "https://a.example/cb"}, False),
        (ApplicationKind.DAEMON, {}, False),
    ],
)
def test_warns_of_an_application_without_a_way_back(
    tenant: Tenant, kind: str, values: dict[str, Any], warned: bool
) -> None:
    create_application(Application(tenant=tenant, name="Portal", kind=kind, **values))
    assert [finding["id"] for finding in findings()] == (["directory.W002"] if warned else [])


@pytest.mark.django_db
def test_warns_when_people_wait_for_the_mail_server(settings: Settings) -> None:
    settings.PORTAL_MODE, settings.TASKS_BACKEND = "production", "immediate"
    [fix] = [finding["fix"] for finding in findings() if finding["id"] == "portal.W001"]
    assert "db_worker" in fix


@pytest.mark.django_db
def test_fails_when_mail_is_kept_instead_of_sent(settings: Settings) -> None:
    settings.PORTAL_MODE, settings.TASKS_BACKEND, settings.OUTGOING_NETWORKS = "production", "database", []
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert [finding["id"] for finding in findings()] == ["portal.E005"]


@pytest.mark.parametrize(
    ("network", "is_wide"),
    [
        ("0.0.0.0/0", True),
        ("::/0", True),
        ("127.0.0.0/8", True),
        ("::1/128", True),
        ("fc00::/6", True),
        ("10.0.0.0/8", False),
        ("192.168.7.0/24", False),
        ("fc00::/7", False),
    ],
)
def test_warns_when_inner_networks_are_wide_open(settings: Settings, network: str, is_wide: bool) -> None:
    settings.PORTAL_MODE, settings.TASKS_BACKEND = "production", "database"
    settings.EMAIL_BACKEND, settings.OUTGOING_NETWORKS = "django.core.mail.backends.smtp.EmailBackend", [network]
    assert checked() == ([("Warning", "portal.W005")] if is_wide else [])


def make_task(status: str, **values: Any) -> None:
    now = timezone.now()
    task = DBTaskResult.objects.create(
        status=status, run_after=now, args_kwargs={}, task_path="userflows.mail.deliver", backend_name="default"
    )
    DBTaskResult.objects.filter(pk=task.pk).update(**{name: now - age for name, age in values.items()})


@pytest.mark.parametrize(("minutes", "found"), [(9, []), (11, ["portal.E006"])])
def test_fails_when_mail_waits_for_its_worker(tenant: Tenant, minutes: int, found: list[str]) -> None:
    make_task("READY", enqueued_at=timedelta(minutes=minutes), run_after=timedelta(minutes=minutes))
    assert [finding["id"] for finding in findings()] == found


@pytest.mark.parametrize(("hours", "found"), [(25, []), (23, ["portal.W002"])])
def test_warns_of_mail_that_came_back(tenant: Tenant, hours: int, found: list[str]) -> None:
    make_task("FAILED", finished_at=timedelta(hours=hours))
    assert [finding["id"] for finding in findings()] == found


@pytest.mark.parametrize(("days", "found"), [(2, []), (4, ["portal.W003"])])
def test_warns_when_nobody_cleans_up(relying_party: RelyingParty, days: int, found: list[str]) -> None:
    Journey.objects.create(
        tenant=relying_party.application.tenant,
        application=relying_party.application,
        correlation_id=uuid.uuid4(),
        expires_at=timezone.now() - timedelta(days=days),
    )
    assert [finding["id"] for finding in findings()] == found


def test_looks_at_one_tenant_when_told(tenant: Tenant, make_tenant: Callable[..., Tenant]) -> None:
    for owner in (tenant, make_tenant("globex")):
        create_application(Application(tenant=owner, name="Portal", kind=ApplicationKind.SPA))
    assert [finding["tenant"] for finding in findings()] == ["globex", "woodgrove"]
    assert examined("--tenant", "globex")[1].count("directory.W002") == 1
    Tenant.objects.filter(slug="globex").update(is_active=False)
    assert [finding["tenant"] for finding in findings()] == ["woodgrove"]


@pytest.mark.parametrize(
    ("age", "found"), [(330, []), (340, ["oidc.W002"]), (364, ["oidc.W002"]), (366, ["oidc.W001"])]
)
def test_warns_of_keys_that_grow_old(tenant: Tenant, age: int, found: list[str]) -> None:
    active_key(tenant, "ES256")
    SigningKey.objects.filter(state="active").update(activated_at=timezone.now() - timedelta(days=age))
    assert [finding["id"] for finding in findings()] == found


def test_says_what_it_did_not_look_at(
    relying_party: RelyingParty, user_flow: UserFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("identity_portal.health_checks.MAX_FLOWS", 1)
    UserFlow.objects.create(tenant=user_flow.tenant, name="B2X_1_Other", live_version=user_flow.live_version)
    [finding] = findings()
    assert finding["message"] == "Only the first 1 user flows were looked at."


def test_asks_the_database_as_often_for_many_applications(
    relying_party: RelyingParty, user_flow: UserFlow, django_assert_num_queries: Any
) -> None:
    tenant = user_flow.tenant
    active_key(tenant, "ES256")
    with django_assert_num_queries(9):
        assert tenant_health(tenant).findings == []
    Application.objects.bulk_create(
        Application(tenant=tenant, name=f"App {number:03}", kind="spa") for number in range(200)
    )
    UserFlow.objects.bulk_create(
        UserFlow(tenant=tenant, name=f"B2X_1_{number}", live_version=user_flow.live_version) for number in range(200)
    )
    with django_assert_num_queries(9):
        health = tenant_health(tenant)
    assert len(health.findings) == 100 + 99
    assert health.notes == [
        "Only the first 100 user flows were looked at.",
        "Only the first 100 applications with problems are shown.",
    ]


# --- Django's own checks --------------------------------------------------------------------------------------------


def checked(**options: Any) -> list[tuple[str, str]]:
    """Return level and id of each message of `manage.py check --tag portal`."""
    return [(type(message).__name__, str(message.id)) for message in run_checks(tags=["portal"], **options)]


def test_checks_the_settings_without_a_database(settings: Settings) -> None:
    assert checked() == []
    settings.PORTAL_MODE, settings.TASKS_BACKEND, settings.OUTGOING_NETWORKS = "production", "immediate", []
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    # No errors: every command runs the checks first, also the one that would mend it.
    assert checked() == [("Warning", "portal.E005"), ("Warning", "portal.W001")]


def test_checks_the_data_when_asked_for_the_database(relying_party: RelyingParty) -> None:
    IdentityProvider.objects.update(is_enabled=False)
    assert checked() == []
    assert checked(databases=["default"]) == [("Warning", "userflows.E001")]


def test_lets_migrate_run_on_a_database_that_is_not_migrated(
    relying_party: RelyingParty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.db.migrations.executor.MigrationExecutor.migration_plan", lambda *_args: ["a step"])
    assert checked(databases=["default"]) == [("Warning", "portal.E002")]
