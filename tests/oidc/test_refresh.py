"""Refresh tokens: for who asked for offline access, used once each, ended with their family when one comes back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from directory.models import Application, AuditEvent, Tenant, User
from identity_portal.oidc.models import AccessToken, RefreshToken
from tests.oidc.browsing import error_of, tokens_for
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import UserFlow

OFFLINE = "openid profile email offline_access"


@pytest.fixture
def tokens(relying_party: RelyingParty, stranger: Stranger) -> dict[str, Any]:
    return tokens_for(relying_party, stranger, scope=OFFLINE)


def test_gives_a_refresh_token_only_for_offline_access(relying_party: RelyingParty, stranger: Stranger) -> None:
    assert "refresh_token" not in tokens_for(relying_party, stranger, scope="openid profile email")
    assert not RefreshToken.objects.exists()
    assert "refresh_token" in tokens_for(relying_party, stranger, scope="openid offline_access")


def test_makes_refresh_tokens_that_are_no_access_tokens(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    """The library would make a second signed access token, which every API would take for fourteen days."""
    assert tokens["refresh_token"].startswith("ip_rt_")
    assert "." not in tokens["refresh_token"]
    assert relying_party.userinfo(tokens["refresh_token"]).status_code == 401
    assert error_of(relying_party.refresh(tokens["access_token"])) == "invalid_grant"


def test_rotates(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    response = relying_party.refresh(tokens["refresh_token"])
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    refreshed = response.json()
    assert refreshed["refresh_token"] != tokens["refresh_token"]
    assert refreshed["access_token"] != tokens["access_token"]
    assert relying_party.userinfo(refreshed["access_token"]).status_code == 200
    assert relying_party.userinfo(tokens["access_token"]).status_code == 401
    assert relying_party.refresh(refreshed["refresh_token"]).status_code == 200


def test_says_the_same_of_the_sign_in_after_a_refresh(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    first = relying_party.verified(tokens["id_token"])
    token = tokens["refresh_token"]
    for _ in range(2):
        refreshed = relying_party.refresh(token).json()
        token = refreshed["refresh_token"]
    later = relying_party.verified(refreshed["id_token"])
    # OpenID Connect Core 12.2.
    for name in ("iss", "sub", "aud", "auth_time", "sid", "amr", "idp", "tfp", "given_name"):
        assert later[name] == first[name]
    assert "nonce" not in later


def test_tells_what_has_changed_in_the_directory(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    User.objects.update(given_name="Amira")
    refreshed = relying_party.refresh(tokens["refresh_token"]).json()
    assert relying_party.verified(refreshed["id_token"])["given_name"] == "Amira"


def test_ends_the_family_when_a_used_token_comes_back(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    used = tokens["refresh_token"]
    second = relying_party.refresh(used).json()
    third = relying_party.refresh(second["refresh_token"]).json()
    assert error_of(relying_party.refresh(used)) == "invalid_grant"
    assert error_of(relying_party.refresh(third["refresh_token"])) == "invalid_grant"
    assert relying_party.userinfo(third["access_token"]).status_code == 401
    event = AuditEvent.objects.get(activity="refresh_token.reused")
    assert (event.result, event.target_id) == ("failure", str(User.objects.get().pk))
    assert event.actor_id == str(relying_party.application.pk)


def test_writes_down_a_reused_token_once(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    relying_party.refresh(tokens["refresh_token"])
    for _ in range(4):
        relying_party.refresh(tokens["refresh_token"])
    assert AuditEvent.objects.filter(activity="refresh_token.reused").count() == 1


def test_leaves_other_families_alone(relying_party: RelyingParty, stranger: Stranger, tokens: dict[str, Any]) -> None:
    other = tokens_for(relying_party, stranger, scope=OFFLINE)
    relying_party.refresh(tokens["refresh_token"])
    relying_party.refresh(tokens["refresh_token"])
    assert relying_party.userinfo(other["access_token"]).status_code == 200
    assert relying_party.refresh(other["refresh_token"]).status_code == 200


def test_narrows_the_scope_for_this_time_only(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    narrow = relying_party.refresh(tokens["refresh_token"], scope="openid email").json()
    assert narrow["scope"] == "openid email"
    assert "given_name" not in relying_party.verified(narrow["id_token"])
    assert "given_name" not in relying_party.userinfo(narrow["access_token"]).json()
    wide = relying_party.refresh(narrow["refresh_token"]).json()
    assert wide["scope"] == OFFLINE
    assert "given_name" in relying_party.verified(wide["id_token"])


def test_gives_no_id_token_when_the_scope_is_narrowed_past_it(
    relying_party: RelyingParty, tokens: dict[str, Any]
) -> None:
    assert "id_token" not in relying_party.refresh(tokens["refresh_token"], scope="profile").json()


@pytest.mark.parametrize("scope", ["openid admin", "openid profile"])
def test_refuses_a_wider_scope(relying_party: RelyingParty, stranger: Stranger, scope: str) -> None:
    token = tokens_for(relying_party, stranger, scope="openid offline_access")["refresh_token"]
    assert error_of(relying_party.refresh(token, scope=scope)) == "invalid_scope"
    # It is not used up by that.
    assert relying_party.refresh(token).status_code == 200


def test_lets_a_refresh_token_live_for_fourteen_days(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    nearly = timezone.now() - timedelta(days=14) + timedelta(seconds=60)
    RefreshToken.objects.update(created=nearly)
    token = relying_party.refresh(tokens["refresh_token"]).json()["refresh_token"]
    RefreshToken.objects.update(created=timezone.now() - timedelta(days=14))
    assert error_of(relying_party.refresh(token)) == "invalid_grant"


def test_refreshes_long_after_the_access_token_has_ended(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    AccessToken.objects.update(expires=timezone.now() - timedelta(days=10))
    assert relying_party.refresh(tokens["refresh_token"]).status_code == 200


def test_refuses_another_applications_token(
    tenant: Tenant,
    user_flow: UserFlow,
    relying_party: RelyingParty,
    make_relying_party: Callable[..., RelyingParty],
    tokens: dict[str, Any],
) -> None:
    thief = make_relying_party(tenant, user_flow)
    assert error_of(thief.refresh(tokens["refresh_token"])) == "invalid_grant"
    rotated = relying_party.refresh(tokens["refresh_token"]).json()
    # The thief can't end the owner's family with a token that it found.
    assert error_of(thief.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert relying_party.refresh(rotated["refresh_token"]).status_code == 200


def test_refuses_a_token_of_another_authority(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    relying_party.authority = "/woodgrove/B2X_1_Suppliers"
    assert error_of(relying_party.refresh(tokens["refresh_token"])) == "invalid_grant"
    relying_party.authority = "/woodgrove"
    assert relying_party.refresh(tokens["refresh_token"]).status_code == 200


def test_refuses_somebody_who_is_disabled(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    User.objects.update(account_enabled=False)
    assert error_of(relying_party.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert relying_party.userinfo(tokens["access_token"]).status_code == 401


def test_refuses_an_application_that_is_disabled(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    Application.objects.update(is_enabled=False)
    assert error_of(relying_party.refresh(tokens["refresh_token"]), 401) == "invalid_client"
    assert relying_party.userinfo(tokens["access_token"]).status_code == 401


def test_forgets_everything_with_the_person(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    User.objects.get().delete()
    assert error_of(relying_party.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert relying_party.userinfo(tokens["access_token"]).status_code == 401


def test_serves_an_application_without_a_secret(spa: RelyingParty, stranger: Stranger) -> None:
    tokens = tokens_for(spa, stranger, scope=OFFLINE)
    assert spa.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("token", ["", "x", "ip_rt_" + "A" * 43, None])
def test_refuses_what_is_no_refresh_token(relying_party: RelyingParty, token: str | None) -> None:
    response = relying_party.post_token(grant_type="refresh_token", refresh_token=token)
    assert error_of(response) == ("invalid_request" if token is None else "invalid_grant")
