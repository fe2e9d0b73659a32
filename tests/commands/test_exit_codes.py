"""Commands as other programs meet them: exit code, one answer on stdout, words on stderr."""

import base64
import json
import socket
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.processes import manage, production

pytestmark = pytest.mark.any_database


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a portal with a migrated database and no mail server."""
    environment = production(tmp_path_factory.mktemp("var"), EMAIL_URL="smtp://127.0.0.1:1", MEMBER_PASSWORD="x")
    migrated = manage("migrate", "--verbosity", "0", environment=environment)
    assert migrated.returncode == 0, migrated.stderr
    return environment


def assert_refused(process: CompletedProcess[str], words: str) -> None:
    assert process.returncode == 1, process.stderr
    assert process.stdout == ""
    assert process.stderr.startswith("CommandError: ")
    assert words in process.stderr


def test_answers_programs_on_stdout(portal: dict[str, str]) -> None:
    process = manage("create_tenant", "contoso", "--name=Contoso", "--json", environment=portal)
    assert (process.returncode, process.stderr) == (0, "")
    assert json.loads(process.stdout)["slug"] == "contoso"


def test_ends_with_one_when_it_refuses(portal: dict[str, str]) -> None:
    for more in ([], ["--json"]):
        assert_refused(manage("create_tenant", "admin", "--name=A", *more, environment=portal), "used by the portal")
    assert_refused(manage("create_operator", "--mail=o@portal.example", environment=portal), "too short")


def test_answers_with_a_link_at_the_portals_own_address(portal: dict[str, str]) -> None:
    environment = {name: value for name, value in portal.items() if name != "MEMBER_PASSWORD"}
    process = manage("create_operator", "--mail=o@portal.example", "--json", environment=environment)
    assert (process.returncode, process.stderr) == (0, "")
    assert json.loads(process.stdout)["one_time_link"].startswith("https://id.example.org/admin/set-password/")


def test_examines_a_portal_whose_mail_server_is_away(portal: dict[str, str]) -> None:
    process = manage("doctor", "--json", environment=portal)
    assert process.returncode == 1
    answer = json.loads(process.stdout)
    assert not answer["healthy"]
    assert [finding["id"] for finding in answer["findings"]] == ["portal.E003"]


def test_examines_a_healthy_portal(portal: dict[str, str], mail_server: int) -> None:
    process = manage("doctor", environment={**portal, "EMAIL_URL": f"smtp://127.0.0.1:{mail_server}"})
    assert (process.returncode, process.stdout) == (0, "Healthy.\n")


def test_examines_a_portal_that_keeps_its_mail(portal: dict[str, str]) -> None:
    process = manage("doctor", environment={**portal, "EMAIL_URL": "dummymail://"})
    assert process.returncode == 1
    assert process.stdout.startswith("ERROR portal.E005 Mail is not configured")


def test_examines_a_portal_that_lost_its_key(portal: dict[str, str]) -> None:
    manage("create_tenant", "fabrikam", "--name=Fabrikam", environment=portal)
    rotated = manage("rotate_keys", "fabrikam", "--algorithm=ES256", "--force", environment=portal)
    assert rotated.returncode == 0, rotated.stderr
    other_keys = {**portal, "ENCRYPTION_KEYS": "k2:" + base64.b64encode(bytes(32)).decode()}
    process = manage("doctor", environment=other_keys)
    assert process.returncode == 1
    assert process.stdout.count("portal.E004") == 2
    assert_refused(manage("reencrypt_secrets", environment=other_keys), "No key 'k1' in ENCRYPTION_KEYS")


def test_examines_a_database_that_is_not_migrated(tmp_path: Path) -> None:
    process = manage("doctor", environment=production(tmp_path))
    assert process.returncode == 1
    assert "portal.E002" in process.stdout
    assert "manage.py migrate" in process.stdout


def test_examines_a_database_that_is_away(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {"PORTAL_MODE": "test", "VAR_DIR": str(tmp_path)}
    process = manage("doctor", environment={**environment, "DATABASE_URL": f"postgres://p@127.0.0.1:{port}/portal"})
    assert process.returncode == 1
    assert "portal.E001" in process.stdout
    assert "Traceback" not in process.stderr
