"""What every answer has in common: headers, cookies, correlation id, pages for what goes wrong."""

import json
import logging
import re
import sys
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as portal_settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from pytest_django import DjangoAssertNumQueries, Settings

from directory.correlation import set_correlation_id
from directory.models import Tenant
from identity_portal.correlation import CorrelationFilter, JsonFormatter
from identity_portal.errors import server_error
from tests.relying_party import RelyingParty
from tests.stranger import Stranger

pytestmark = pytest.mark.any_database

ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("the reason nobody should read")


# For test_apologises_for_what_breaks.
urlpatterns = [path("broken.html", broken)]
handler500 = server_error


def visit(client: Client, relying_party: RelyingParty, kind: str) -> Any:
    """Bring about one kind of answer."""
    woodgrove = "/woodgrove"
    visits: dict[str, Callable[[], Any]] = {
        "hosted page": lambda: Stranger(http=client).open(relying_party.request_url()).page,
        "redirect": lambda: client.get(relying_party.request_url()),
        "other spelling": lambda: client.get("/WoodGrove/admin/"),
        "error page": lambda: client.get(relying_party.request_url(client_id="unknown")),
        "refusal": lambda: client.get(f"{woodgrove}/journey/{uuid.uuid4()}/"),
        "no such page": lambda: client.get(f"{woodgrove}/nowhere"),
        "no such tenant": lambda: client.get("/nobody/"),
        "no such path": lambda: client.get("/nowhere.html"),
        "discovery": lambda: client.get(f"{woodgrove}/v2.0/.well-known/openid-configuration"),
        "token error": lambda: client.post(f"{woodgrove}/oauth2/v2.0/token"),
        "wrong method": lambda: client.get(f"{woodgrove}/oauth2/v2.0/token"),
        "no csrf token": lambda: client.post(f"{woodgrove}/journey/{uuid.uuid4()}/cancel/"),
        "foreign host": lambda: client.get(f"{woodgrove}/", headers={"host": "evil.example"}),
        "tenant admin": lambda: client.get(f"{woodgrove}/admin/", follow=True),
        "platform admin": lambda: client.get("/admin/", follow=True),
        "health": lambda: client.get("/healthz"),
        "static file": lambda: client.get("/static/portal/portal.css"),
    }
    response = visits[kind]()
    if response.streaming:
        response.getvalue()
        response.close()
    return response


KINDS = {
    "hosted page": 200,
    "redirect": 302,
    "other spelling": 307,
    "error page": 400,
    "refusal": 404,
    "no such page": 404,
    "no such tenant": 404,
    "no such path": 404,
    "discovery": 200,
    "token error": 400,
    "wrong method": 405,
    "no csrf token": 403,
    "foreign host": 400,
    "tenant admin": 200,
    "platform admin": 200,
    "health": 200,
    "static file": 200,
}
CACHEABLE = {"discovery", "health", "static file", "other spelling", "wrong method"}


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.mark.parametrize("kind", KINDS)
def test_sends_the_security_headers(client: Client, relying_party: RelyingParty, kind: str) -> None:
    response = visit(client, relying_party, kind)
    assert response.status_code == KINDS[kind]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Robots-Tag"] == "noindex"
    assert "camera=()" in response["Permissions-Policy"]
    assert UUID.fullmatch(response["X-Correlation-ID"])
    policy = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert not re.search(r"unsafe|\*|http:|blob:", response["Content-Security-Policy"])
    leads_to_the_application = " https://app.example.com" if kind == "hosted page" else ""
    assert policy["form-action"] == "'self'" + leads_to_the_application


@pytest.mark.parametrize("kind", sorted(set(KINDS) - CACHEABLE))
def test_lets_nobody_store_what_depends_on_the_person(client: Client, relying_party: RelyingParty, kind: str) -> None:
    assert "no-store" in visit(client, relying_party, kind)["Cache-Control"]


@pytest.mark.parametrize("kind", ["refusal", "no such page", "no such tenant", "no such path", "error page"])
def test_shows_the_id_that_support_can_search_for(client: Client, relying_party: RelyingParty, kind: str) -> None:
    response = visit(client, relying_party, kind)
    assert response["X-Correlation-ID"] in response.content.decode()
    assert "nowhere" not in response.content.decode()


@pytest.mark.parametrize(("kind", "policy"), [("tenant admin", "same-origin"), ("hosted page", None)])
def test_cuts_pop_up_windows_off_from_the_admin_only(
    client: Client, relying_party: RelyingParty, kind: str, policy: str | None
) -> None:
    assert visit(client, relying_party, kind).headers.get("Cross-Origin-Opener-Policy") == policy


def test_gives_each_request_an_id_of_its_own(client: Client, relying_party: RelyingParty) -> None:
    ids = {visit(client, relying_party, "no such page")["X-Correlation-ID"] for _ in range(3)}
    assert len(ids) == 3


def test_takes_up_the_id_of_the_journey(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url())
    first = stranger.page["X-Correlation-ID"]
    stranger.give_email()
    assert stranger.page["X-Correlation-ID"] == first


def test_says_what_to_do_about_a_form_without_its_mark(client: Client, relying_party: RelyingParty) -> None:
    response = visit(client, relying_party, "no csrf token")
    page = response.content.decode()
    assert "Allow cookies for this site" in page
    assert response["X-Correlation-ID"] in page


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "testserver@evil.example", "a b"])
def test_refuses_a_host_that_is_not_ours(client: Client, relying_party: RelyingParty, host: str) -> None:
    response = client.get(relying_party.request_url(), headers={"host": host})
    page = response.content.decode()
    assert response.status_code == 400
    assert response["X-Correlation-ID"] in page
    assert "evil" not in page


def test_apologises_for_what_breaks(db: None, caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.test_web"
    response = Client(raise_request_exception=False).get("/broken.html")
    page = response.content.decode()
    assert response.status_code == 500
    assert "You did nothing wrong" in page
    assert response["X-Correlation-ID"] in page
    assert "the reason nobody should read" not in page
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "the reason nobody should read" in caplog.text


def test_logs_one_object_on_a_line_with_the_id() -> None:
    correlation_id = uuid.uuid4()
    set_correlation_id(correlation_id)
    try:
        raise RuntimeError("two\nlines")
    except RuntimeError:
        record = logging.LogRecord("portal", logging.ERROR, "", 0, "said %s", ("this\nand that",), sys.exc_info())
    assert CorrelationFilter().filter(record)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert (said["level"], said["logger"], said["message"]) == ("ERROR", "portal", "said this\nand that")
    assert said["correlation_id"] == str(correlation_id)
    assert "RuntimeError: two" in said["exception"]


def test_is_up_without_asking_the_database(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, db: None
) -> None:
    with django_assert_num_queries(0):
        assert client.get("/healthz").json() == {"status": "ok"}
    with django_assert_num_queries(1):
        response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert not response.cookies


def test_has_no_demo_pages(client: Client, db: None) -> None:
    assert client.get("/demo/outbox/").status_code == 404


def test_builds_its_issuer_from_the_setting_and_not_from_the_request(
    relying_party: RelyingParty, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    elsewhere = Client(headers={"host": "other.example", "x-forwarded-host": "evil.example"})
    document = elsewhere.get("/woodgrove/v2.0/.well-known/openid-configuration").content.decode()
    assert json.loads(document)["issuer"] == "http://testserver/woodgrove/v2.0"
    assert "other.example" not in document
    assert "evil.example" not in document
    location = elsewhere.get(relying_party.request_url())["Location"]
    assert location.startswith("/woodgrove/journey/")


@pytest.mark.parametrize("secure", [True, False])
def test_locks_its_cookies_away(
    relying_party: RelyingParty, stranger: Stranger, settings: Settings, secure: bool
) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = secure
    stranger.sign_up(relying_party.request_url(), **ANSWERS)
    cookies = stranger.http.cookies
    assert set(cookies) == {"portal_session", "portal_csrf", "portal_browser", "portal_last_way"}
    for name, cookie in cookies.items():
        assert cookie["httponly"], name
        assert cookie["samesite"] == "Lax", name
        assert cookie["path"] == "/woodgrove/", name
        assert bool(cookie["secure"]) is secure, name
        assert cookie["domain"] == "", name


def test_keeps_the_cookies_of_operators_apart(client: Client, db: None) -> None:
    response = client.get("/admin/", follow=True)
    assert {cookie["path"] for cookie in response.cookies.values()} == {"/admin/"}


def test_sets_no_cookie_where_machines_come(client: Client, tenant: Tenant) -> None:
    for address in ("v2.0/.well-known/openid-configuration", "discovery/v2.0/keys", "oidc/userinfo"):
        assert not client.get(f"/woodgrove/{address}").cookies


def test_names_its_cookies_unlike_those_of_other_django_sites() -> None:
    assert portal_settings.SESSION_COOKIE_NAME != "sessionid"
    assert portal_settings.CSRF_COOKIE_NAME != "csrftoken"


def test_renders_an_apology_outside_any_tenant(rf: RequestFactory, db: None) -> None:
    assert server_error(rf.get("/")).status_code == 500
