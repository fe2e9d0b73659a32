"""doctor: says what keeps people from signing up, and how to mend it."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from directory.applications import create_application
from directory.models import Application, ApplicationKind, Tenant
from identity_portal.oidc.keys import active_key
from tests.relying_party import RelyingParty
from userflows.models import UserFlow


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


@pytest.fixture
def mail_server() -> Iterator[int]:
    """The port of a server that knows as much SMTP as it takes to say hello."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _address = listener.accept()
            with client:
                client.sendall(b"220 mail.example ready\r\n")
                while client.recv(1024):
                    client.sendall(b"250 fine\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join(timeout=5)


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
    assert (finding["id"], finding["severity"]) == ("directory.W001", "warning")
    assert "woodgrove" in finding["message"]
    assert examined()[0] == 0


def test_is_content_with_a_closed_door_that_nobody_waits_at(
    user_flow: UserFlow, make_relying_party: Callable[..., RelyingParty]
) -> None:
    Tenant.objects.update(sign_up_enabled=False)
    assert findings() == []
    make_relying_party(user_flow.tenant, user_flow)
    UserFlow.objects.update(sign_up_enabled=False)
    assert findings() == []


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
    [finding] = findings()
    assert finding["id"] == "portal.W001"
    assert "db_worker" in finding["fix"]
