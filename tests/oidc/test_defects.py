"""What the libraries get wrong, and must not get wrong here. Each test goes red without its mend."""

import tomllib
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import get_hasher, identify_hasher
from django.core.exceptions import ValidationError
from django.test import Client

from directory.models import (
    ApplicationKind,
    AppRoleAssignment,
    ClientSecret,
    Identity,
    SignInType,
    Tenant,
    User,
    UserAttribute,
)
from identity_portal.oidc import keys
from identity_portal.oidc.models import AccessToken, Grant, RefreshToken
from tests.oidc.browsing import ANSWERS, answer_for, at_once, code_for, error_of, race, tokens_for
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import ApplicationAssignment, AttributeAssignment, UserFlow

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def form_action(response: Any) -> list[str]:
    """Return the sources of the Content-Security-Policy's form-action."""
    directives = [directive.split() for directive in response["Content-Security-Policy"].split(";")]
    return next(sources for name, *sources in directives if name == "form-action")


def own_client(relying_party: RelyingParty) -> RelyingParty:
    """The same application, for another thread."""
    return replace(relying_party, http=Client())


def test_keeps_oauthlib_below_version_4() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [line for line in project["dependencies"] if line.startswith("oauthlib")] == ["oauthlib>=3.3.1,<4"]
    assert int(version("oauthlib").split(".")[0]) < 4


@pytest.mark.parametrize("grant_type", [DEVICE_GRANT, "password", "implicit", "", "Authorization_Code"])
def test_refuses_grants_that_the_portal_does_not_have(relying_party: RelyingParty, grant_type: str) -> None:
    response = relying_party.post_token(grant_type=grant_type, device_code="x", username="x", password="x")
    assert error_of(response) == "unsupported_grant_type"


@pytest.mark.parametrize("path", ["oauth2/v2.0/introspect", "oauth2/v2.0/devicecode", "introspect/", "o/introspect/"])
def test_has_no_introspection_and_no_device_endpoint(relying_party: RelyingParty, path: str) -> None:
    body = {"client_id": relying_party.application.client_id, "client_secret": relying_party.secret, "token": "x"}
    assert relying_party.http.post(f"/woodgrove/{path}", body).status_code == 404
    assert not any("introspection" in name or "device" in name for name in relying_party.discovery())


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_redeems_a_code_once_when_eight_hold_it_at_once(relying_party: RelyingParty, stranger: Stranger) -> None:
    code = code_for(relying_party, stranger, scope="openid offline_access")
    answers = race(Grant.objects.all(), 8, lambda _: own_client(relying_party).redeem(code))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    assert {answer.json().get("error") for answer in answers} == {None, "invalid_grant"}
    assert AccessToken.objects.count() == 1
    assert RefreshToken.objects.filter(revoked=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_redeems_a_code_once_when_eight_ask_as_fast_as_they_can(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    code = code_for(relying_party, stranger, scope="openid offline_access")
    answers = at_once(8, lambda _: own_client(relying_party).redeem(code))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    # Who comes after the first is done is a thief, and ends what the first was given.
    assert AccessToken.objects.count() <= 1
    assert RefreshToken.objects.filter(revoked=None).count() <= 1


@pytest.mark.django_db(transaction=True)
def test_rotates_a_refresh_token_once_when_eight_ask_as_fast_as_they_can(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    token = tokens_for(relying_party, stranger, scope="openid offline_access")["refresh_token"]
    answers = at_once(8, lambda _: own_client(relying_party).refresh(token))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    assert RefreshToken.objects.filter(revoked=None).count() <= 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_rotates_a_refresh_token_once_when_eight_hold_it_at_once(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    token = tokens_for(relying_party, stranger, scope="openid offline_access")["refresh_token"]
    answers = race(RefreshToken.objects.all(), 8, lambda _: own_client(relying_party).refresh(token))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    assert {answer.json().get("error") for answer in answers} == {None, "invalid_grant"}
    assert RefreshToken.objects.filter(revoked=None).count() == 1
    assert AccessToken.objects.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_ends_the_family_also_when_a_stolen_token_comes_in_the_midst_of_a_rotation(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    stolen = tokens_for(relying_party, stranger, scope="openid offline_access")["refresh_token"]
    current = relying_party.refresh(stolen).json()["refresh_token"]
    sent = [current, stolen]
    answers = race(
        RefreshToken.objects.filter(revoked=None), 2, lambda number: own_client(relying_party).refresh(sent[number])
    )
    assert answers[1].status_code == 400
    if answers[0].status_code == 200:
        current = answers[0].json()["refresh_token"]
    assert error_of(relying_party.refresh(current)) == "invalid_grant"
    assert AccessToken.objects.count() == 0


def test_answers_prompt_none_when_nobody_is_signed_in(relying_party: RelyingParty, stranger: Stranger) -> None:
    answer = answer_for(relying_party, stranger, prompt="none")
    assert (answer["error"], answer["state"]) == ("login_required", relying_party.state)


def test_answers_prompt_none_when_somebody_is_signed_in(relying_party: RelyingParty, stranger: Stranger) -> None:
    code_for(relying_party, stranger)
    stranger.open(relying_party.request_url(prompt="none"))
    assert relying_party.redeem(relying_party.answer(stranger.left_to)["code"]).status_code == 200


def test_hashes_client_secrets_fast_and_passwords_slowly(relying_party: RelyingParty) -> None:
    assert identify_hasher(ClientSecret.objects.get().secret_hash).algorithm == "sha256_secret"
    assert get_hasher("default").algorithm == "argon2"
    assert settings.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
    assert relying_party.application.client_secret == ""


def test_parses_a_signing_key_once_for_many_signatures(relying_party: RelyingParty, stranger: Stranger) -> None:
    keys._parsed.cache_clear()
    for _ in range(3):
        tokens_for(relying_party, stranger)
    parsed = keys._parsed.cache_info()
    assert (parsed.misses, parsed.hits) == (1, 5)


def test_lets_the_forms_of_a_journey_lead_to_the_application(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url())
    for go_on in (stranger.give_email, stranger.give_code, lambda: stranger.submit(GivenName=""), lambda: None):
        assert form_action(stranger.page) == ["'self'", "https://app.example.com"], stranger.step
        go_on()
    assert stranger.step == "attributes"


def test_lets_the_forms_of_a_journey_lead_to_a_private_use_scheme(
    tenant: Tenant, user_flow: UserFlow, make_relying_party: Callable[..., RelyingParty], stranger: Stranger
) -> None:
    native = make_relying_party(
        tenant, user_flow, kind=ApplicationKind.NATIVE, redirect_uris="com.example.suppliers:/signed-in"
    )
    stranger.open(native.request_url())
    assert form_action(stranger.page) == ["'self'", "com.example.suppliers:"]
    stranger.give_email().give_code().submit(**ANSWERS)
    assert native.redeem(native.answer(stranger.left_to)["code"]).status_code == 200


def test_lets_no_other_form_lead_away(relying_party: RelyingParty, stranger: Stranger) -> None:
    page = stranger.http.get(relying_party.request_url(redirect_uri="https://evil.example"))
    assert page.status_code == 400
    assert form_action(page) == ["'self'"]


def test_refuses_rows_that_reach_into_another_tenant(
    make_tenant: Callable[..., Tenant],
    make_user_flow: Callable[..., UserFlow],
    make_relying_party: Callable[..., RelyingParty],
    make_member: Callable[..., User],
) -> None:
    here, there = make_tenant("woodgrove"), make_tenant("globex")
    flow = make_user_flow(here)
    user = make_member(there)
    application = make_relying_party(there, None).application
    attribute = UserAttribute.objects.get(tenant=there, name="City")
    crossing = [
        Identity(
            tenant=here,
            user=user,
            sign_in_type=SignInType.EMAIL_ADDRESS,
            issuer="mail",
            issuer_assigned_id="a@b.example",
        ),
        AppRoleAssignment(user=make_member(here), application=application),
        AttributeAssignment(user_flow=flow, user_attribute=attribute),
        ApplicationAssignment(user_flow=flow, application=application),
    ]
    for row in crossing:
        with pytest.raises(ValidationError, match="Choose one of this tenant"):
            row.full_clean()
