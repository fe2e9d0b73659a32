"""No request, however odd, is answered with a server error, and none gets what it asks for."""

import base64
from typing import Any

import pytest
from django.test import Client

from tests.oidc.browsing import code_for
from tests.relying_party import RelyingParty
from tests.stranger import Stranger

ODD_VALUES = (
    "a\x00b",
    "x" * 50_000,
    "💥" * 300,
    "'\"><script>",
    "a\r\nSet-Cookie: x=1",
    "http://[::1",
    "%zz%",
    "9" * 5000,
    "٣٤",
    "-1",
    '{"a": [1]}',
    "",
    " ",
)
# Names under which oauthlib and the validator keep what they found out about a request.
ATTRIBUTES = [
    "access_token",
    "client",
    "scopes",
    "user",
    "grant",
    "looked_up_code",
    "sign_in",
    "sign_in_context",
    "refresh_token_instance",
    "extra_credentials",
    "expires_in",
    "request_token",
    "oauth2_error",
    "claims",
    "resource",
    "signing_key",
    "using_default_redirect_uri",
]
AUTHORIZATION_PARAMETERS = [
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "login_hint",
    "ui_locales",
    "response_mode",
    "claims",
    "id_token_hint",
    "acr_values",
    "display",
    "portal_journey",
    "p",
]
PATHS = (
    "/woodgrove/oauth2/v2.0/authorize",
    "/woodgrove/oauth2/v2.0/logout",
    "/woodgrove/oauth2/v2.0/logout/confirm",
    "/woodgrove/oidc/userinfo",
    "/woodgrove/v2.0/.well-known/openid-configuration",
    "/woodgrove/discovery/v2.0/keys",
    "/woodgrove/oauth2/v2.0/token",
    "/woodgrove/oauth2/v2.0/revoke",
)
QUERIES = ("%zz", "a=%ff%fe", "=", "&&&", "%00", "p=B2X_1_%00", "p=B2X_1_%ff", "a" * 9000, "[]=1&[]=2", "x=%", "ümlaut")
BODIES = (
    (b'{"grant_type": "refresh_token"}', "application/json"),
    (b"\xff\xfe\x00", "application/octet-stream"),
    (b"grant_type=%zz&code=%ff", "application/x-www-form-urlencoded"),
    (b"grant_type=refresh_token&grant_type=refresh_token", "application/x-www-form-urlencoded"),
    (b"grant_type[]=refresh_token&token[a]=1&code[]=", "application/x-www-form-urlencoded"),
    (b"grant_type=\xff", "application/x-www-form-urlencoded"),
    (b"grant_type=refresh_token", "application/x-www-form-urlencoded; charset=utf-16"),
    (b"grant_type=refresh_token", "application/x-www-form-urlencoded; charset=hex"),
    (b"grant_type=refresh_token", "text/plain; charset=unicode_escape"),
    (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
    (b"--x\r\nnonsense", "multipart/form-data"),
    (b"--x\r\nnonsense", "multipart/form-data; boundary=x; charset=hex"),
    (b"", ""),
    (b"&".join(b"a%d=1" % number for number in range(3000)), "application/x-www-form-urlencoded"),
)
HEADERS = (
    "Basic",
    "Basic é",
    "Basic " + "A" * 20_000,
    "Basic " + base64.b64encode(b"a\x00b:c").decode(),
    "Basic " + base64.b64encode(b"\xff\xfe:c").decode(),
    "Basic " + base64.b64encode(b"%ff%00:%zz").decode(),
    "Basic " + base64.b64encode(b"nocolon").decode(),
    "Bearer",
    "Bearer é",
    "Bearer a b",
    "Bearer " + "x" * 20_000,
    "Bearer a\x00b",
    "Digest x",
    "",
)


@pytest.fixture
def http() -> Client:
    """A browser to which a server error is an answer like any other."""
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    "name",
    ["grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret", "scope", "refresh_token"],
)
def test_refuses_odd_values_at_the_token_endpoint(relying_party: RelyingParty, http: Client, name: str) -> None:
    relying_party.http = http
    for odd in ODD_VALUES:
        for grant_type in ("authorization_code", "refresh_token", "client_credentials"):
            body = {"grant_type": grant_type, "code": "x", "redirect_uri": relying_party.redirect_uri, name: odd}
            response = relying_party.post_token(**body)
            assert response.status_code in (400, 401), odd
            assert response.json()["error"]


def test_survives_odd_values_at_revocation(relying_party: RelyingParty, http: Client) -> None:
    body = {"client_id": relying_party.application.client_id, "client_secret": relying_party.secret, "token": "x"}
    for odd in ODD_VALUES:
        for name in ("token", "token_type_hint", "client_id", "client_secret"):
            answer = http.post("/woodgrove/oauth2/v2.0/revoke", body | {name: odd})
            assert answer.status_code in (200, 400, 401), (name, odd)


@pytest.mark.parametrize("is_signed_in", [False, True])
def test_survives_odd_values_at_the_authorization_endpoint(
    relying_party: RelyingParty, stranger: Stranger, http: Client, is_signed_in: bool
) -> None:
    stranger.http = http
    if is_signed_in:
        code_for(relying_party, stranger)
    for name in AUTHORIZATION_PARAMETERS:
        for odd in ODD_VALUES:
            stranger.open(relying_party.request_url(**{name: odd}))
            assert stranger.page.status_code in (200, 302, 400, 404), (name, odd)
            if stranger.left_to:
                relying_party.answer(stranger.left_to)


@pytest.mark.parametrize("tail", ["&x=%zz", "&x=%", "&x=%4", "&%", "&x=1&x=2", "&x=" + "y" * 20_000])
def test_refuses_a_malformed_authorization_request(relying_party: RelyingParty, http: Client, tail: str) -> None:
    answer = http.get(relying_party.request_url() + tail)
    assert answer.status_code in (302, 400)
    if answer.status_code == 302:
        assert relying_party.answer(answer["Location"])["error"] == "invalid_request"


def test_takes_a_long_request_through_to_its_end(relying_party: RelyingParty, stranger: Stranger) -> None:
    """The journey leads back to the request's own address: a length that comes in must also get out."""
    relying_party.state = "é" * 1500
    assert relying_party.answer(stranger.sign_up(relying_party.request_url(), GivenName="A", Surname="B"))["code"]


def test_survives_odd_values_at_sign_out(relying_party: RelyingParty, http: Client) -> None:
    for odd in ODD_VALUES:
        for name in ("id_token_hint", "client_id", "post_logout_redirect_uri", "state"):
            for path in ("/woodgrove/oauth2/v2.0/logout", "/woodgrove/oauth2/v2.0/logout/confirm"):
                for send in (http.get, http.post):
                    assert send(path, {name: odd}).status_code in (302, 303, 400, 405), (name, odd)


@pytest.mark.parametrize("path", PATHS)
def test_survives_odd_requests(relying_party: RelyingParty, http: Client, path: str) -> None:
    for query in QUERIES:
        for send in (http.get, http.post, http.head, http.options, http.put, http.delete):
            answer: Any = send(path, QUERY_STRING=query)
            assert answer.status_code < 500, query
    for body, content_type in BODIES:
        assert http.generic("POST", path, body, content_type=content_type).status_code < 500, (body[:80], content_type)
    for header in HEADERS:
        assert http.get(path, HTTP_AUTHORIZATION=header).status_code < 500, header
        for sent in (
            {"grant_type": "client_credentials"},
            {"grant_type": "refresh_token", "refresh_token": "x"},
            {"token": "x"},
        ):
            assert http.post(path, sent, HTTP_AUTHORIZATION=header).status_code < 500, header


def test_reads_addresses_as_utf_8_whatever_the_charset_says(relying_party: RelyingParty, http: Client) -> None:
    urls = (
        relying_party.request_url(state="\\ud800", login_hint="\\ud800"),
        "/woodgrove/oauth2/v2.0/logout?state=%5Cud800",
        "/woodgrove/oidc/userinfo?x=%5Cud800",
    )
    for charset in ("utf-16", "unicode_escape", "utf-7", "no-such"):
        for url in urls:
            assert http.get(url, headers={"Content-Type": f"text/plain; charset={charset}"}).status_code < 500, charset


@pytest.mark.parametrize("origin", ["https://app.example.com", "https://[", "null", "a\x00b", ""])
def test_is_not_confused_by_an_origin(relying_party: RelyingParty, stranger: Stranger, origin: str) -> None:
    code = code_for(relying_party, stranger)
    relying_party.http = Client(HTTP_ORIGIN=origin)
    assert relying_party.redeem(code).status_code == 200


def test_keeps_unknown_parameters_away_from_what_the_library_remembers(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    """oauthlib makes an attribute of every parameter; the validator keeps its findings in the same place."""
    injected: dict[str, str | None] = dict.fromkeys(ATTRIBUTES, "x")
    code = code_for(relying_party, stranger, scope="openid offline_access", **injected)
    tokens = relying_party.redeem(code, nonce="x", **injected).json()
    assert relying_party.verified(tokens["id_token"])["nonce"] == relying_party.nonce
    refreshed = relying_party.refresh(tokens["refresh_token"], nonce="x", **injected).json()
    # OpenID Connect Core 12.2: none, or the first one.
    assert "nonce" not in relying_party.verified(refreshed["id_token"])


def test_keeps_unknown_parameters_away_from_client_credentials(daemon: RelyingParty) -> None:
    injected: dict[str, str | None] = dict.fromkeys(ATTRIBUTES, "x")
    token = daemon.post_token(grant_type="client_credentials", **injected).json()["access_token"]
    assert daemon.verified(token)["sub"] == daemon.application.client_id
