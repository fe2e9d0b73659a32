"""Revoking a person's sessions: browsers, codes and tokens from before are void at once; a new sign-in is not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from directory import people
from directory.models import Tenant, User
from identity_portal.oidc.models import AccessToken, RefreshToken
from tests.oidc.browsing import answer_for, code_for, error_of, tokens_for
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import Journey

OFFLINE = "openid profile email offline_access"
ENDINGS: list[Callable[[User], None]] = [people.revoke_sign_in_sessions, people.disable, people.delete_user]


def end_and_let_in_again(ending: Callable[[User], None]) -> None:
    """Void what the person has; afterwards nothing but the time of the sign-in speaks against it."""
    user = User.objects.get()
    ending(user)
    people.enable(user)
    people.restore_user(user)


@pytest.fixture
def tokens(relying_party: RelyingParty, stranger: Stranger) -> dict[str, Any]:
    return tokens_for(relying_party, stranger, scope=OFFLINE)


@pytest.mark.parametrize("ending", ENDINGS)
def test_voids_tokens(relying_party: RelyingParty, tokens: dict[str, Any], ending: Callable[[User], None]) -> None:
    assert relying_party.userinfo(tokens["access_token"]).status_code == 200
    end_and_let_in_again(ending)
    assert relying_party.userinfo(tokens["access_token"]).status_code == 401
    assert error_of(relying_party.refresh(tokens["refresh_token"])) == "invalid_grant"


def test_voids_tokens_of_the_same_second(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    this_second = timezone.now().replace(microsecond=0)
    AccessToken.objects.update(auth_time=this_second)
    RefreshToken.objects.update(auth_time=this_second)
    end_and_let_in_again(people.revoke_sign_in_sessions)
    assert relying_party.userinfo(tokens["access_token"]).status_code == 401
    assert error_of(relying_party.refresh(tokens["refresh_token"])) == "invalid_grant"


@pytest.mark.parametrize("ending", ENDINGS)
def test_voids_a_code_that_is_on_its_way(
    relying_party: RelyingParty, stranger: Stranger, ending: Callable[[User], None]
) -> None:
    code = code_for(relying_party, stranger)
    end_and_let_in_again(ending)
    assert error_of(relying_party.redeem(code)) == "invalid_grant"


def test_voids_what_a_refresh_in_between_has_issued(relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    """The tokens are younger than the revocation, the sign-in that they rest on is not."""
    end_and_let_in_again(people.revoke_sign_in_sessions)
    later = timezone.now() + timedelta(seconds=5)
    AccessToken.objects.update(created=later, updated=later)
    RefreshToken.objects.update(created=later, updated=later)
    assert error_of(relying_party.refresh(tokens["refresh_token"])) == "invalid_grant"


def test_signs_out_every_browser(relying_party: RelyingParty, stranger: Stranger, tokens: dict[str, Any]) -> None:
    answer_for(relying_party, stranger)
    end_and_let_in_again(people.revoke_sign_in_sessions)
    stranger.open(relying_party.request_url(prompt="none"))
    assert relying_party.answer(stranger.left_to)["error"] == "login_required"


def test_a_session_made_while_sessions_were_revoked_is_void(
    relying_party: RelyingParty, stranger: Stranger, tokens: dict[str, Any]
) -> None:
    """As if the sign-in had read the person before and saved its session after."""
    session = User.objects.get().sessions.get()
    end_and_let_in_again(people.revoke_sign_in_sessions)
    session.save(force_insert=True)
    stranger.open(relying_party.request_url(prompt="none"))
    assert relying_party.answer(stranger.left_to)["error"] == "login_required"


def test_a_finished_journey_signs_nobody_in_again(relying_party: RelyingParty, stranger: Stranger) -> None:
    """A reload within a minute does otherwise."""
    answer_for(relying_party, stranger)
    journey = Journey.objects.get()
    end_and_let_in_again(people.revoke_sign_in_sessions)
    response = stranger.http.get(f"/woodgrove/journey/{journey.pk}/")
    assert response.status_code != 302
    assert not User.objects.get().sessions.exists()


def test_a_new_sign_in_in_the_same_second_holds(
    relying_party: RelyingParty, stranger: Stranger, tokens: dict[str, Any]
) -> None:
    """`auth_time` has no parts of a second: it must not fall before the revocation, in the session for good."""
    stranger.http = Client(enforce_csrf_checks=True)
    stranger.open(relying_party.request_url(scope=OFFLINE)).give_email()
    stranger.http.post(stranger.path, stranger.hidden_fields() | {"code": stranger.code()})
    end_and_let_in_again(people.revoke_sign_in_sessions)
    journey = Journey.objects.latest("created_at")
    Journey.objects.filter(pk=journey.pk).update(completed_at=timezone.now() + timedelta(seconds=1))
    stranger.open(f"/woodgrove/journey/{journey.pk}/")
    fresh = relying_party.redeem(relying_party.answer(stranger.left_to)["code"]).json()
    assert relying_party.userinfo(fresh["access_token"]).status_code == 200
    assert relying_party.refresh(fresh["refresh_token"]).status_code == 200


def test_leaves_others_alone(tenant: Tenant, relying_party: RelyingParty, tokens: dict[str, Any]) -> None:
    other = Stranger(email="other@fabrikam.example")
    theirs = tokens_for(relying_party, other, scope=OFFLINE)
    people.revoke_sign_in_sessions(User.objects.get(mail="amina@fabrikam.example"))
    assert relying_party.userinfo(theirs["access_token"]).status_code == 200
    assert relying_party.userinfo(tokens["access_token"]).status_code == 401


def test_writes_down_the_last_sign_in(relying_party: RelyingParty, stranger: Stranger) -> None:
    before = timezone.now()
    answer_for(relying_party, stranger)
    last_login = User.objects.get().last_login
    assert last_login is not None
    assert last_login >= before
