"""Settings from the environment: what is missing or dangerous stops the start, in words."""

import base64
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from django.core.exceptions import ImproperlyConfigured

from identity_portal.settings import TEST_ENCRYPTION_KEY, TEST_SECRET, origin
from tests.processes import manage, production, run_python

pytestmark = pytest.mark.any_database

# What a server does when it starts; Django's checks are not part of it.
START = "import identity_portal.wsgi"


def start(environment: dict[str, str], then: str = "") -> CompletedProcess[str]:
    return run_python("-c", f"{START}\n{then}", environment=environment)


def assert_refused(process: CompletedProcess[str], words: str) -> None:
    assert process.returncode != 0, process.stdout
    last_line = process.stderr.strip().splitlines()[-1]
    assert "ImproperlyConfigured" in last_line
    assert words in last_line


def test_starts_in_production_with_what_it_needs(tmp_path: Path) -> None:
    process = start(production(tmp_path))
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")


@pytest.mark.parametrize("database", ["postgres://portal@127.0.0.1:1/portal", None])
def test_passes_the_deployment_check_without_a_warning(tmp_path: Path, database: str | None) -> None:
    environment = production(tmp_path, DATABASE_URL=database)
    process = manage("check", "--deploy", "--fail-level", "WARNING", environment=environment)
    assert process.returncode == 0, process.stderr
    assert "no issues" in process.stdout


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS", "BASE_URL"])
def test_assumes_nothing(tmp_path: Path, name: str) -> None:
    assert_refused(start(production(tmp_path, **{name: None})), name)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"PORTAL_MODE": "development"}, "PORTAL_MODE"),
        ({"BASE_URL": "http://id.example.org"}, "https://"),
        ({"BASE_URL": "https://id.example.org/portal"}, "without a path"),
        ({"SECRET_KEY": "kT3-pQz9_4vWmXn8sLr2BfHd7JgYcAe5uKoViRt1xZbNhMqS6"}, "SECRET_KEY"),
        ({"SECRET_KEY": "changeme" * 10}, "SECRET_KEY"),
        ({"SECRET_KEY": "django-insecure-kT3-pQz9_4vWmXn8sLr2BfHd7JgYcAe5uKoViRt1xZbNhMqS6"}, "SECRET_KEY"),
        ({"SECRET_KEY": TEST_SECRET}, "SECRET_KEY"),
        ({"ENCRYPTION_KEYS": ""}, "ENCRYPTION_KEYS"),
        ({"ENCRYPTION_KEYS": "k1:c2hvcnQ="}, "ENCRYPTION_KEYS"),
        ({"ENCRYPTION_KEYS": TEST_ENCRYPTION_KEY}, "ENCRYPTION_KEYS"),
        ({"TRUSTED_PROXIES": "10.0.0.0/8,loadbalancer"}, "TRUSTED_PROXIES"),
        ({"TASKS_BACKEND": "celery"}, "TASKS_BACKEND"),
        ({"OUTGOING_NETWORKS": "10.0.0.0/8,intranet"}, "OUTGOING_NETWORKS"),
        ({"OUTGOING_NETWORKS": "10.0.0.1/8"}, "OUTGOING_NETWORKS"),
        ({"PROVIDER_ENDPOINTS": '{"Google": {"issuer": "https://google.example"}}'}, "PROVIDER_ENDPOINTS"),
    ],
)
def test_refuses_to_start_in_production(tmp_path: Path, changes: dict[str, str | None], words: str) -> None:
    assert_refused(start(production(tmp_path, **changes)), words)


def test_opens_no_network_of_its_own_in_production(tmp_path: Path) -> None:
    then = "from django.conf import settings; print(settings.OUTGOING_NETWORKS, settings.PROVIDER_ENDPOINTS)"
    assert start(production(tmp_path), then).stdout.strip() == "[] {}"


def test_never_shows_a_key_when_it_refuses(tmp_path: Path) -> None:
    keys = "k1:" + base64.b64encode(b"this is secret but 31 bytes lon").decode()
    process = start(production(tmp_path, ENCRYPTION_KEYS=keys))
    assert_refused(process, "ENCRYPTION_KEYS")
    assert keys.partition(":")[2] not in process.stderr


def test_refuses_unreadable_keys_in_every_command(tmp_path: Path) -> None:
    assert_refused(manage("check", environment=production(tmp_path, ENCRYPTION_KEYS="k1")), "ENCRYPTION_KEYS")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "http://localhost:8000",
        "https://id.example.org:8443",
        "https://[2001:db8::1]",
        "https://[2001:db8::1]:8443",
    ],
)
def test_takes_an_origin(url: str) -> None:
    assert origin(url).scheme == url.partition(":")[0]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "id.example.org",
        "//id.example.org",
        "https://",
        "ftp://id.example.org",
        "https://id.example.org/",
        "https://id.example.org?x=1",
        "https://id.example.org#x",
        "https://user@id.example.org",
        "https://ID.example.org",
        "HTTPS://id.example.org",
        "https://id.example.org:443",
        "http://localhost:80",
        "https://id.example.org:",
        "https://id.example.org:port",
        "https://id.example.org:99999",
        "https://[2001:db8::1",
    ],
)
def test_takes_nothing_else_as_an_origin(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="BASE_URL"):
        origin(url)


def test_sends_people_to_https_but_not_the_load_balancer(tmp_path: Path) -> None:
    then = """
from django.conf import settings
from django.test import Client
client = Client(headers={"host": "id.example.org"})
print(client.get("/woodgrove/").status_code, client.get("/healthz").status_code)
print(client.get("/woodgrove/")["Location"], client.get("/woodgrove/")["X-Frame-Options"])
print(client.get("/healthz", secure=True)["Strict-Transport-Security"])
print(settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE)
"""
    lines = start(production(tmp_path), then).stdout.splitlines()
    assert lines == [
        "301 200",
        "https://id.example.org/woodgrove/ DENY",
        "max-age=31536000; includeSubDomains; preload",
        "True True",
    ]


def test_answers_unavailable_while_there_is_no_database(tmp_path: Path) -> None:
    environment = {"PORTAL_MODE": "test", "VAR_DIR": str(tmp_path)}
    then = """
from django.test import Client
print(Client().get("/healthz").status_code, Client().get("/readyz").status_code)
print(Client().get("/readyz").json())
"""
    process = start({**environment, "DATABASE_URL": "postgres://postgres@127.0.0.1:1/portal"}, then)
    assert process.stdout.splitlines()[0] == "200 503", process.stderr
    assert "127.0.0.1" not in process.stdout


DEMO = {"PORTAL_MODE": "demo", "BASE_URL": "http://localhost:8000"}


@pytest.mark.parametrize(
    "changes",
    [
        {"DATABASE_URL": "postgres://portal@127.0.0.1:1/portal"},
        {"EMAIL_URL": "smtp://mail.example.org"},
    ],
)
def test_is_no_demo_with_what_a_production_portal_has(tmp_path: Path, changes: dict[str, str]) -> None:
    assert_refused(start(production(tmp_path, **DEMO, **changes)), "PORTAL_MODE=demo")


@pytest.fixture(scope="module")
def var_with_static_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    var_dir = tmp_path_factory.mktemp("var")
    collected = manage("collectstatic", "--no-input", "--verbosity", "0", environment=production(var_dir))
    assert collected.returncode == 0, collected.stderr
    return var_dir


@pytest.mark.parametrize(("changes", "status"), [(DEMO, 200), ({"SSL_REDIRECT": "off"}, 404)])
def test_shows_mail_to_everybody_in_the_demo_only(
    var_with_static_files: Path, changes: dict[str, str], status: int
) -> None:
    environment = production(var_with_static_files, **changes)
    then = """
from django.conf import settings
from django.test import Client
print(Client(headers={"host": settings.ALLOWED_HOSTS[0]}).get("/demo/outbox/").status_code)
"""
    process = start(environment, then)
    assert process.stdout.split() == [str(status)], process.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "x"),
        ("ENCRYPTION_KEYS", "x"),
        ("DATABASE_URL", "postgres://portal@127.0.0.1:1/portal"),
        ("EMAIL_URL", "smtp://mail.example.org"),
        ("BASE_URL", "https://id.example.org"),
        ("PORTAL_MODE", "production"),
    ],
)
def test_starts_no_demo_with_a_production_setting(tmp_path: Path, name: str, value: str) -> None:
    environment = {"VAR_DIR": str(tmp_path), name: value}
    process = run_python("-m", "identity_portal.demo", environment=environment)
    assert process.returncode == 1
    assert process.stderr.startswith("The demo shows everybody's mail")
    assert name in process.stderr
    assert "Traceback" not in process.stderr
    assert list(tmp_path.iterdir()) == []
