"""The authorization request: client and redirect URI before all else, then errors that the application can read."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from directory.models import Application, Tenant
from tests.oidc.browsing import ANSWERS, answer_for, assert_error_page, code_for
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import Journey, UserFlow

REGISTERED = "https://app.example.com/signin-oidc"
ISSUER = "http://testserver/woodgrove/v2.0"
UNREGISTERED = (
    REGISTERED + "/",
    REGISTERED.upper(),
    "https://APP.example.com/signin-oidc",
    "https://app.example.com:443/signin-oidc",
    "https://app.example.com:8443/signin-oidc",
    "http://app.example.com/signin-oidc",
    "https://evil.app.example.com/signin-oidc",
    "https://app.example.com.evil.example/signin-oidc",
    "https://app.example.com@evil.example/signin-oidc",
    "https://user@app.example.com/signin-oidc",
    "https://app.example.com/signin%2Doidc",
    "https://app.example.com/./signin-oidc",
    "https://app.example.com/x/../signin-oidc",
    "https://app.example.com//signin-oidc",
    "https://app.example.com\\@evil.example/signin-oidc",
    REGISTERED + "?a=1",
    REGISTERED + "#a",
    REGISTERED + "%00",
    REGISTERED + " ",
    REGISTERED + "\n",
    REGISTERED + "\x00",
    "//app.example.com/signin-oidc",
    "/signin-oidc",
    "javascript:alert(1)",
    "https://evil.example/",
    f"https://evil.example/?x={REGISTERED}",
    f"{REGISTERED} https://evil.example/",
)

WRONG: tuple[tuple[dict[str, str | None], str], ...] = (
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": "s256"}, "invalid_request"),
    ({"code_challenge": "x" * 42}, "invalid_request"),
    ({"code_challenge": "x" * 44}, "invalid_request"),
    ({"code_challenge": "=" * 43}, "invalid_request"),
    ({"response_type": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "id_token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_type": "none"}, "unsupported_response_type"),
    ({"response_type": "codex"}, "unsupported_response_type"),
    ({"scope": "openid admin"}, "invalid_scope"),
    ({"scope": "OpenID"}, "invalid_scope"),
    ({"nonce": "a\x00b"}, "invalid_request"),
    ({"nonce": "n" * 256}, "invalid_request"),
    ({"state": "s" * 4097}, "invalid_request"),
    ({"state": "a\x00b"}, "invalid_request"),
    ({"login_hint": "l" * 255}, "invalid_request"),
    ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    ({"request_uri": "https://app.example.com/request"}, "request_uri_not_supported"),
    ({"response_mode": "form_post"}, "invalid_request"),
    ({"max_age": "soon"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"max_age": ""}, "invalid_request"),
    ({"max_age": "9" * 5000}, "invalid_request"),
    ({"max_age": "٣"}, "invalid_request"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "none"}, "login_required"),
)


def get(relying_party: RelyingParty, **changes: str | None) -> Any:
    return Client().get(relying_party.request_url(**changes))


def test_shows_an_error_page_for_a_client_that_nobody_knows(relying_party: RelyingParty) -> None:
    for client_id in ("nobody", "", None, relying_party.application.client_id.upper()):
        assert_error_page(get(relying_party, client_id=client_id), "OIDC-1102")


def test_shows_an_error_page_for_another_tenants_client(
    relying_party: RelyingParty, make_tenant: Callable[..., Tenant], make_relying_party: Callable[..., RelyingParty]
) -> None:
    foreign = make_relying_party(make_tenant("globex"), None)
    html = assert_error_page(get(relying_party, client_id=foreign.application.client_id), "OIDC-1102")
    assert foreign.application.name not in html


def test_shows_an_error_page_for_a_disabled_application(relying_party: RelyingParty) -> None:
    Application.objects.update(is_enabled=False)
    assert_error_page(get(relying_party), "OIDC-1102")


@pytest.mark.parametrize("is_signed_in", [False, True])
def test_never_redirects_to_a_uri_that_is_not_registered(
    relying_party: RelyingParty, stranger: Stranger, is_signed_in: bool
) -> None:
    if is_signed_in:
        code_for(relying_party, stranger)
    for uri in UNREGISTERED:
        # Also not to tell of another defect.
        for changes in ({}, {"response_type": "token"}, {"prompt": "none"}, {"code_challenge": None}):
            response = stranger.http.get(relying_party.request_url(redirect_uri=uri, **changes))
            assert_error_page(response, "OIDC-110")


def test_shows_the_registered_uri_only_to_who_nearly_knows_it(relying_party: RelyingParty) -> None:
    for near in ("https://app.example.com/signin-oldc", "https://app.example.com/sign-in-oldc"):
        assert REGISTERED in assert_error_page(get(relying_party, redirect_uri=near), "OIDC-1104")
    for far in (
        "https://app.example.com/sign-in-oauth",
        "https://app.example.com/",
        "https://app.example.com/signin-oxxx",
    ):
        assert REGISTERED not in assert_error_page(get(relying_party, redirect_uri=far), "OIDC-1104")


def test_takes_the_only_registered_uri_when_the_request_names_none(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    url = relying_party.request_url(redirect_uri=None)
    code = relying_party.answer(stranger.sign_up(url, **ANSWERS))["code"]
    assert relying_party.redeem(code, redirect_uri=None).status_code == 200


def test_asks_for_the_redirect_uri_when_several_are_registered(relying_party: RelyingParty) -> None:
    Application.objects.update(redirect_uris=f"{REGISTERED} https://app.example.com/other")
    assert_error_page(get(relying_party, redirect_uri=None), "OIDC-1103")


@pytest.mark.parametrize("scope", ["openid", "email"])
def test_tells_the_application_what_is_wrong(relying_party: RelyingParty, scope: str) -> None:
    for changes, error in WRONG:
        response = get(relying_party, **({"scope": scope} | changes))
        assert response.status_code == 302, changes
        sent = changes.get("state", relying_party.state)
        answer = relying_party.answer(response["Location"])
        assert (answer["error"], answer["state"], answer["iss"]) == (error, sent, ISSUER), changes
        assert "code" not in answer
        assert answer["error_description"]
    assert not Journey.objects.exists()


def test_tells_what_is_wrong_also_to_who_is_signed_in(relying_party: RelyingParty, stranger: Stranger) -> None:
    code_for(relying_party, stranger)
    for changes in (
        {"code_challenge_method": "plain"},
        {"nonce": "n" * 256},
        {"max_age": "9" * 5000},
        {"request": "x"},
    ):
        assert answer_for(relying_party, stranger, **changes).keys() == {"error", "error_description", "state", "iss"}


def test_leaves_the_state_out_of_an_error_when_there_was_none(relying_party: RelyingParty) -> None:
    answer = relying_party.answer(get(relying_party, state=None, response_type="token")["Location"])
    assert set(answer) == {"error", "error_description", "iss"}


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "response_type", "scope", "state"])
def test_shows_an_error_page_for_a_parameter_that_comes_twice(relying_party: RelyingParty, name: str) -> None:
    url = relying_party.request_url()
    value = parse_qs(urlsplit(url).query)[name][0]
    assert_error_page(Client().get(url, QUERY_STRING=f"{urlsplit(url).query}&{name}={value}"), "OIDC-1101")


def test_refuses_every_other_parameter_that_comes_twice(relying_party: RelyingParty) -> None:
    for name in ("nonce", "code_challenge", "prompt", "max_age", "response_mode"):
        response = Client().get(f"{relying_party.request_url(**{name: 'none'})}&{name}=x")
        assert relying_party.answer(response["Location"])["error"] == "invalid_request"


@pytest.mark.parametrize("tail", ["&x=%zz", "&x=%", "&%4", "&x=" + "y" * 12_000])
def test_shows_an_error_page_for_a_malformed_query(relying_party: RelyingParty, tail: str) -> None:
    assert_error_page(Client().get(relying_party.request_url() + tail), "OIDC-1101")


def test_ignores_parameters_that_it_does_not_know(relying_party: RelyingParty, stranger: Stranger) -> None:
    assert answer_for(relying_party, stranger, acr_values="a", display="popup", claims="{}", foo="bar")["code"]


@pytest.mark.parametrize("is_error", [False, True])
def test_answers_in_the_fragment_when_asked_to(relying_party: RelyingParty, stranger: Stranger, is_error: bool) -> None:
    changes = {"prompt": "none"} if is_error else {}
    answer = answer_for(relying_party, stranger, response_mode="fragment", **changes)
    parts = urlsplit(stranger.left_to)
    assert parts.query == ""
    assert parts.fragment
    assert (answer["state"], answer["iss"]) == (relying_party.state, ISSUER)
    assert ("error" in answer) is is_error


def test_keeps_the_query_of_a_registered_uri(
    tenant: Tenant, user_flow: UserFlow, make_relying_party: Callable[..., RelyingParty], stranger: Stranger
) -> None:
    shop = make_relying_party(tenant, user_flow, redirect_uris="https://shop.example.com/back?shop=1")
    stranger.sign_up(shop.request_url(), **ANSWERS)
    query = parse_qs(urlsplit(stranger.left_to).query)
    assert (query["shop"], query["iss"], query["state"]) == (["1"], [ISSUER], [shop.state])
    stranger.open(shop.request_url(response_type="token"))
    assert parse_qs(urlsplit(stranger.left_to).query)["shop"] == ["1"]


def test_takes_the_request_by_post_without_a_csrf_token(relying_party: RelyingParty, stranger: Stranger) -> None:
    parts = urlsplit(relying_party.request_url())
    body = {name: values[0] for name, values in parse_qs(parts.query).items()}
    response = stranger.http.post(parts.path, body)
    # The browser sends its SameSite cookies only when it follows with GET.
    assert response.status_code == 303
    stranger.sign_up(response["Location"], **ANSWERS)
    assert relying_party.redeem(relying_party.answer(stranger.left_to)["code"]).status_code == 200


def test_keeps_the_flow_in_the_address_of_a_request_by_post(relying_party: RelyingParty, stranger: Stranger) -> None:
    parts = urlsplit(relying_party.request_url())
    body = {name: values[0] for name, values in parse_qs(parts.query).items()}
    response = stranger.http.post(f"{parts.path}?p=B2X_1_Suppliers", body)
    answer = relying_party.answer(stranger.sign_up(response["Location"], **ANSWERS))
    assert answer["iss"] == "http://testserver/woodgrove/B2X_1_Suppliers/v2.0"


def test_refuses_a_request_by_post_that_no_address_can_hold(relying_party: RelyingParty) -> None:
    response = Client().post("/woodgrove/oauth2/v2.0/authorize", {"state": "x" * 100_000})
    assert_error_page(response, "OIDC-1101")


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1/signed-in",
        "http://127.0.0.1:53127/signed-in",
        "http://localhost:49152/signed-in",
        "com.example.scanner:/signed-in",
    ],
)
def test_returns_to_an_application_on_the_same_machine(native: RelyingParty, stranger: Stranger, uri: str) -> None:
    stranger.sign_up(native.request_url(redirect_uri=uri), **ANSWERS)
    assert stranger.left_to.startswith(f"{uri}?")
    code = parse_qs(urlsplit(stranger.left_to).query)["code"][0]
    assert native.redeem(code, redirect_uri=uri).status_code == 200


def test_leaves_nothing_but_the_port_open(native: RelyingParty) -> None:
    for uri in (
        "http://127.0.0.1:53127/other",
        "http://127.0.0.1:x/signed-in",
        "http://127.0.0.2:53127/signed-in",
        "https://127.0.0.1:53127/signed-in",
        "http://evil@127.0.0.1:53127/signed-in",
        "http://127.0.0.1.evil.example/signed-in",
        "http://local\nhost:8000/signed-in",
        "com.example.scanner:/other",
        "com.example.scanner2:/signed-in",
        "com.example.scanner://evil/signed-in",
    ):
        assert_error_page(get(native, redirect_uri=uri), "OIDC-1104")


def test_leaves_no_port_open_for_a_web_application(
    tenant: Tenant, user_flow: UserFlow, make_relying_party: Callable[..., RelyingParty]
) -> None:
    web = make_relying_party(tenant, user_flow, redirect_uris="http://localhost:8000/signed-in")
    assert_error_page(get(web, redirect_uri="http://localhost:8001/signed-in"), "OIDC-1104")


def test_gives_no_code_to_a_daemon(daemon: RelyingParty) -> None:
    Application.objects.update(redirect_uris=REGISTERED)
    daemon.application.refresh_from_db()
    answer = daemon.answer(get(daemon)["Location"])
    assert answer["error"] == "unauthorized_client"
