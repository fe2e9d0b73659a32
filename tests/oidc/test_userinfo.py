"""Userinfo and revocation."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from directory.models import Tenant
from identity_portal.oidc.models import AccessToken
from tests.oidc.browsing import error_of, tokens_for
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import UserFlow

USERINFO = "/woodgrove/oidc/userinfo"


@pytest.fixture
def tokens(relying_party: RelyingParty, stranger: Stranger) -> dict[str, Any]:
    return tokens_for(relying_party, stranger, scope="openid profile email offline_access")


def revoke(relying_party: RelyingParty, token: str, **body: str | None) -> Any:
    form = {"client_id": relying_party.application.client_id, "client_secret": relying_party.secret, "token": token}
    sent = {name: value for name, value in (form | body).items() if value is not None}
    return relying_party.http.post(f"{relying_party.authority}/oauth2/v2.0/revoke", sent)


def test_says_who_it_is(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    response = relying_party.userinfo(tokens["access_token"])
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Type"] == "application/json"
    claims = response.json()
    id_claims = relying_party.verified(tokens["id_token"])
    assert (claims["sub"], claims["email"], claims["name"]) == (id_claims["sub"], id_claims["email"], "Amina Haddad")


def test_takes_the_token_by_post_in_the_header_or_in_the_form(
    relying_party: RelyingParty, tokens: dict[str, Any]
) -> None:
    token = tokens["access_token"]
    by_header = Client().post(USERINFO, headers={"Authorization": f"bearer {token}"})
    by_form = Client().post(USERINFO, {"access_token": token})
    assert by_header.json() == by_form.json() == relying_party.userinfo(token).json()


def test_refuses_a_token_in_the_address(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    for send in (Client().get, Client().post):
        response = send(f"{USERINFO}?access_token={tokens['access_token']}")
        assert response.status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic eDp4", "Bearer eyJhbGciOiJub25lIn0.e30."])
def test_asks_for_a_token(relying_party: RelyingParty, header: str) -> None:
    for send in (Client().get, Client().post):
        response: Any = send(USERINFO, headers={"Authorization": header} if header else {})
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Bearer ")
        assert "no-store" in response["Cache-Control"]


def test_refuses_other_tokens(relying_party: RelyingParty, tokens: dict[str, Any], daemon: RelyingParty) -> None:
    of_daemon = daemon.post_token(grant_type="client_credentials").json()["access_token"]
    for token in (tokens["id_token"], tokens["refresh_token"], of_daemon):
        assert relying_party.userinfo(token).status_code == 401


def test_refuses_a_token_that_has_ended(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    AccessToken.objects.update(expires=timezone.now() + timedelta(seconds=60))
    assert relying_party.userinfo(tokens["access_token"]).status_code == 200
    AccessToken.objects.update(expires=timezone.now())
    assert relying_party.userinfo(tokens["access_token"]).status_code == 401


def test_refuses_a_token_of_another_authority(
    relying_party: RelyingParty, stranger: Stranger, tokens: dict[str, Any]
) -> None:
    relying_party.authority = "/woodgrove/B2X_1_Suppliers"
    assert relying_party.userinfo(tokens["access_token"]).status_code == 401
    of_flow = tokens_for(relying_party, stranger)["access_token"]
    assert relying_party.userinfo(of_flow).status_code == 200
    relying_party.authority = "/woodgrove"
    assert relying_party.userinfo(of_flow).status_code == 401


def test_revokes_an_access_token_and_what_could_renew_it(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    response = revoke(relying_party, tokens["access_token"])
    assert (response.status_code, response.content) == (200, b"")
    assert "no-store" in response["Cache-Control"]
    assert relying_party.userinfo(tokens["access_token"]).status_code == 401
    assert error_of(relying_party.refresh(tokens["refresh_token"])) == "invalid_grant"


@pytest.mark.parametrize("hint", [None, "refresh_token", "access_token", "anything"])
def test_revokes_a_refresh_token_and_its_access_token(
    relying_party: RelyingParty, tokens: dict[str, Any], hint: str | None
) -> None:
    assert revoke(relying_party, tokens["refresh_token"], token_type_hint=hint).status_code == 200
    assert error_of(relying_party.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert relying_party.userinfo(tokens["access_token"]).status_code == 401


def test_answers_the_same_for_a_token_that_nobody_knows(relying_party: RelyingParty) -> None:
    for token in ("unknown", "ip_rt_x", "a.b.c", "☃"):
        assert revoke(relying_party, token).status_code == 200


def test_leaves_another_applications_tokens_alone(
    tenant: Tenant,
    user_flow: UserFlow,
    relying_party: RelyingParty,
    make_relying_party: Callable[..., RelyingParty],
    tokens: dict[str, Any],
) -> None:
    thief = make_relying_party(tenant, user_flow)
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert revoke(thief, token).status_code == 200
    assert relying_party.userinfo(tokens["access_token"]).status_code == 200
    assert relying_party.refresh(tokens["refresh_token"]).status_code == 200


def test_asks_who_revokes(relying_party: RelyingParty, spa: RelyingParty, tokens: dict[str, Any]) -> None:
    token = tokens["refresh_token"]
    assert error_of(revoke(relying_party, token, client_secret="wrong"), 401) == "invalid_client"
    assert error_of(revoke(relying_party, token, client_secret=None), 401) == "invalid_client"
    assert error_of(revoke(relying_party, token, client_id="nobody"), 401) == "invalid_client"
    assert error_of(revoke(spa, token, client_secret="x"), 401) == "invalid_client"
    assert error_of(revoke(relying_party, ""), 400) == "invalid_request"
    assert relying_party.refresh(token).status_code == 200


def test_lets_an_application_without_a_secret_revoke_its_own(spa: RelyingParty, stranger: Stranger) -> None:
    tokens = tokens_for(spa, stranger, scope="openid offline_access")
    assert revoke(spa, tokens["refresh_token"]).status_code == 200
    assert error_of(spa.refresh(tokens["refresh_token"])) == "invalid_grant"
