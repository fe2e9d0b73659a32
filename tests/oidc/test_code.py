"""Redeeming an authorization code: once, soon, by whom it was given to, with what only they know."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from directory.models import Application, AuditEvent, Tenant, User
from identity_portal.oidc.models import AccessToken, Grant, RefreshToken
from tests.oidc.browsing import code_for, error_of, tokens_for
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import UserFlow

FLOW = "/woodgrove/B2X_1_Suppliers"


def test_redeems_a_code_once(relying_party: RelyingParty, stranger: Stranger) -> None:
    code = code_for(relying_party, stranger)
    assert relying_party.redeem(code).status_code == 200
    assert error_of(relying_party.redeem(code)) == "invalid_grant"


def test_ends_what_a_code_was_exchanged_for_when_it_comes_again(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    code = code_for(relying_party, stranger, scope="openid offline_access")
    tokens = relying_party.redeem(code).json()
    refreshed = relying_party.refresh(tokens["refresh_token"]).json()
    assert error_of(relying_party.redeem(code)) == "invalid_grant"
    assert error_of(relying_party.refresh(refreshed["refresh_token"])) == "invalid_grant"
    for access_token in (tokens["access_token"], refreshed["access_token"]):
        assert relying_party.userinfo(access_token).status_code == 401
    assert not AccessToken.objects.exists()
    assert not RefreshToken.objects.filter(revoked=None).exists()
    event = AuditEvent.objects.get(activity="authorization_code.replayed")
    user = User.objects.get()
    assert (event.result, event.target_id, event.tenant_id) == ("failure", str(user.pk), user.tenant_id)
    assert event.actor_id == str(relying_party.application.pk)


def test_writes_down_a_replayed_code_once(relying_party: RelyingParty, stranger: Stranger) -> None:
    code = code_for(relying_party, stranger)
    for _ in range(4):
        relying_party.redeem(code)
    assert AuditEvent.objects.filter(activity="authorization_code.replayed").count() == 1


def test_leaves_other_sign_ins_alone_when_a_code_comes_again(relying_party: RelyingParty, stranger: Stranger) -> None:
    other = tokens_for(relying_party, stranger, scope="openid offline_access")
    code = code_for(relying_party, stranger, scope="openid offline_access")
    relying_party.redeem(code)
    relying_party.redeem(code)
    assert relying_party.userinfo(other["access_token"]).status_code == 200
    assert relying_party.refresh(other["refresh_token"]).status_code == 200


def test_lets_a_code_live_for_a_minute(relying_party: RelyingParty, stranger: Stranger) -> None:
    code = code_for(relying_party, stranger)
    lifetime = Grant.objects.get().expires - timezone.now()
    assert timedelta(seconds=50) < lifetime <= timedelta(seconds=60)
    Grant.objects.update(expires=timezone.now())
    assert error_of(relying_party.redeem(code)) == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"redirect_uri": "https://app.example.com/other"}, "invalid_request"),
        ({"redirect_uri": "https://app.example.com/signin-oidc/"}, "invalid_request"),
        ({"code": "x"}, "invalid_grant"),
        ({"code": ""}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
    ],
)
def test_refuses_a_code_without_what_belongs_to_it(
    relying_party: RelyingParty, stranger: Stranger, changes: dict[str, Any], error: str
) -> None:
    code = code_for(relying_party, stranger)
    assert error_of(relying_party.redeem(**({"code": code} | changes))) == error
    assert not AccessToken.objects.exists()
    # A wrong try doesn't use the code up.
    assert relying_party.redeem(code).status_code == 200


def test_refuses_the_challenge_itself_as_verifier(relying_party: RelyingParty, stranger: Stranger) -> None:
    code = code_for(relying_party, stranger)
    assert error_of(relying_party.redeem(code, code_verifier=Grant.objects.get().code_challenge)) == "invalid_grant"


def test_refuses_the_hash_of_a_code(relying_party: RelyingParty, stranger: Stranger) -> None:
    code_for(relying_party, stranger)
    assert error_of(relying_party.redeem(Grant.objects.get().code)) == "invalid_grant"


def test_refuses_another_applications_code(
    tenant: Tenant,
    user_flow: UserFlow,
    relying_party: RelyingParty,
    make_relying_party: Callable[..., RelyingParty],
    stranger: Stranger,
) -> None:
    code = code_for(relying_party, stranger)
    thief = make_relying_party(tenant, user_flow)
    thief.verifier = relying_party.verifier
    assert error_of(thief.redeem(code)) == "invalid_grant"
    # Nor does the thief's try end what the owner got.
    tokens = relying_party.redeem(code).json()
    assert error_of(thief.redeem(code)) == "invalid_grant"
    assert relying_party.userinfo(tokens["access_token"]).status_code == 200


@pytest.mark.parametrize(("given_at", "redeemed_at"), [("/woodgrove", FLOW), (FLOW, "/woodgrove")])
def test_refuses_a_code_of_another_authority(
    relying_party: RelyingParty, stranger: Stranger, given_at: str, redeemed_at: str
) -> None:
    relying_party.authority = given_at
    code = code_for(relying_party, stranger)
    relying_party.authority = redeemed_at
    assert error_of(relying_party.redeem(code)) == "invalid_grant"
    relying_party.authority = given_at
    assert relying_party.redeem(code).status_code == 200


def test_refuses_the_code_of_somebody_who_was_disabled_meanwhile(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    code = code_for(relying_party, stranger)
    User.objects.update(account_enabled=False)
    assert error_of(relying_party.redeem(code)) == "invalid_grant"


def test_refuses_the_code_of_an_application_that_was_disabled_meanwhile(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    code = code_for(relying_party, stranger)
    Application.objects.update(is_enabled=False)
    assert error_of(relying_party.redeem(code), 401) == "invalid_client"


def test_gives_no_code_to_somebody_who_is_disabled(relying_party: RelyingParty, stranger: Stranger) -> None:
    code_for(relying_party, stranger)
    User.objects.update(account_enabled=False)
    stranger.open(relying_party.request_url())
    assert stranger.step == "choose"
    stranger.give_email().give_code()
    assert stranger.page.status_code == 403


def test_accepts_a_query_at_the_token_endpoint(relying_party: RelyingParty, stranger: Stranger) -> None:
    """MSAL for JavaScript appends its own parameters."""
    relying_party.http = Client(QUERY_STRING="client-request-id=1&x-client-SKU=msal.js.node&a=%20b")
    assert relying_party.redeem(code_for(relying_party, stranger)).status_code == 200


def test_takes_nothing_from_the_query_of_the_token_endpoint(relying_party: RelyingParty, stranger: Stranger) -> None:
    code = code_for(relying_party, stranger)
    relying_party.http = Client(QUERY_STRING=f"code={code}&client_secret={relying_party.secret}")
    assert error_of(relying_party.redeem(code="", client_secret=None), 401) == "invalid_client"


@pytest.mark.parametrize("name", ["code", "client_id", "grant_type", "code_verifier", "redirect_uri"])
def test_refuses_a_parameter_that_comes_twice(relying_party: RelyingParty, stranger: Stranger, name: str) -> None:
    body = {
        "grant_type": "authorization_code",
        "code": code_for(relying_party, stranger),
        "redirect_uri": relying_party.redirect_uri,
        "code_verifier": relying_party.verifier,
        "client_id": relying_party.application.client_id,
        "client_secret": str(relying_party.secret),
    }
    twice = body | {name: [body[name], body[name]]}
    assert error_of(Client().post("/woodgrove/oauth2/v2.0/token", twice)) == "invalid_request"


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_answers_only_posts(relying_party: RelyingParty, method: str) -> None:
    for path in ("token", "revoke"):
        assert getattr(Client(), method)(f"/woodgrove/oauth2/v2.0/{path}").status_code == 405
