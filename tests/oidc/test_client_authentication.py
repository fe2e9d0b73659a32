"""Which application is calling? By secret, in a header or in the form, one of several; for the rest without one."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from directory.applications import add_client_secret, remove_client_secret
from directory.models import Application, ClientSecret, Tenant
from tests.oidc.browsing import code_for, error_of
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import UserFlow


def by_basic(relying_party: RelyingParty, secret: str | None = None, **body: str) -> Any:
    """Ask for a token with the credentials in the header (RFC 6749 2.3.1)."""
    pair = f"{quote(relying_party.application.client_id)}:{quote(secret or str(relying_party.secret), safe='')}"
    header = f"Basic {base64.b64encode(pair.encode()).decode()}"
    form = {"grant_type": "client_credentials"} | body
    path = f"{relying_party.authority}/oauth2/v2.0/token"
    return relying_party.http.post(path, form, headers={"Authorization": header})


def by_form(relying_party: RelyingParty, **body: str | None) -> Any:
    return relying_party.post_token(**({"grant_type": "client_credentials"} | body))


def test_accepts_the_secret_in_a_header(daemon: RelyingParty) -> None:
    assert by_basic(daemon).status_code == 200
    assert by_basic(daemon, client_id=daemon.application.client_id).status_code == 200


def test_accepts_the_secret_in_the_form(daemon: RelyingParty) -> None:
    assert by_form(daemon).status_code == 200


def test_refuses_both_at_once(daemon: RelyingParty) -> None:
    response = by_basic(daemon, client_id=daemon.application.client_id, client_secret=str(daemon.secret))
    assert error_of(response, 401) == "invalid_client"


def test_refuses_a_header_that_names_another_client(daemon: RelyingParty, relying_party: RelyingParty) -> None:
    response = by_basic(daemon, client_id=relying_party.application.client_id)
    assert error_of(response, 401) == "invalid_client"


def test_answers_a_wrong_secret_in_the_scheme_that_was_used(daemon: RelyingParty) -> None:
    response = by_basic(daemon, secret="wrong")
    assert error_of(response, 401) == "invalid_client"
    assert response["WWW-Authenticate"].startswith("Basic ")
    assert error_of(by_form(daemon, client_secret="wrong"), 401) == "invalid_client"


@pytest.mark.parametrize("secret", ["", None, " ", "ip_cs_"])
def test_refuses_a_missing_secret(daemon: RelyingParty, secret: str | None) -> None:
    assert error_of(by_form(daemon, client_secret=secret), 401) == "invalid_client"


def test_refuses_the_hash_of_a_secret(daemon: RelyingParty) -> None:
    assert error_of(by_form(daemon, client_secret=ClientSecret.objects.get().secret_hash), 401) == "invalid_client"


@pytest.mark.parametrize("client_id", ["", "nobody", None])
def test_refuses_a_client_that_nobody_knows(daemon: RelyingParty, client_id: str | None) -> None:
    assert error_of(by_form(daemon, client_id=client_id), 401) == "invalid_client"


def test_accepts_each_of_several_secrets(daemon: RelyingParty) -> None:
    second = add_client_secret(daemon.application)
    assert by_form(daemon).status_code == 200
    assert by_form(daemon, client_secret=second).status_code == 200
    remove_client_secret(ClientSecret.objects.earliest("created_at"))
    assert error_of(by_form(daemon), 401) == "invalid_client"
    assert by_form(daemon, client_secret=second).status_code == 200


def test_refuses_a_secret_that_has_ended(daemon: RelyingParty) -> None:
    ClientSecret.objects.update(expires_at=timezone.now() + timedelta(seconds=60))
    assert by_form(daemon).status_code == 200
    ClientSecret.objects.update(expires_at=timezone.now())
    assert error_of(by_form(daemon), 401) == "invalid_client"
    assert error_of(by_basic(daemon), 401) == "invalid_client"


def test_refuses_the_secret_of_another_application(daemon: RelyingParty, relying_party: RelyingParty) -> None:
    assert error_of(by_form(daemon, client_secret=relying_party.secret), 401) == "invalid_client"
    assert error_of(by_basic(daemon, secret=relying_party.secret), 401) == "invalid_client"


def test_refuses_a_disabled_application(daemon: RelyingParty) -> None:
    Application.objects.update(is_enabled=False)
    assert error_of(by_form(daemon), 401) == "invalid_client"


def test_asks_no_secret_of_an_application_that_can_keep_none(
    spa: RelyingParty, native: RelyingParty, stranger: Stranger
) -> None:
    for public in (spa, native):
        assert public.secret is None
        assert public.redeem(code_for(public, stranger)).status_code == 200


def test_refuses_a_secret_from_an_application_that_has_none(spa: RelyingParty, stranger: Stranger) -> None:
    code = code_for(spa, stranger)
    assert error_of(spa.redeem(code, client_secret="anything"), 401) == "invalid_client"
    assert error_of(by_basic(spa, secret="x", grant_type="authorization_code", code=code), 401) == "invalid_client"
    assert spa.redeem(code).status_code == 200


def test_still_asks_for_the_verifier_where_there_is_no_secret(spa: RelyingParty, stranger: Stranger) -> None:
    code = code_for(spa, stranger)
    assert error_of(spa.redeem(code, code_verifier=None)) == "invalid_request"
    assert error_of(spa.redeem(code, code_verifier="x" * 43)) == "invalid_grant"


def test_gives_client_credentials_to_daemons_only(relying_party: RelyingParty, spa: RelyingParty) -> None:
    assert error_of(by_form(relying_party)) == "unauthorized_client"
    assert error_of(by_form(spa), 401) == "invalid_client"


def test_gives_client_credentials_at_the_tenants_own_authority_only(user_flow: UserFlow, daemon: RelyingParty) -> None:
    daemon.authority = f"/woodgrove/{user_flow.name}"
    assert error_of(by_form(daemon)) == "unauthorized_client"


def test_gives_no_codes_to_daemons(daemon: RelyingParty) -> None:
    response = daemon.post_token(grant_type="authorization_code", code="x", code_verifier="x" * 43)
    assert error_of(response) == "unauthorized_client"


def test_decodes_what_is_encoded_in_the_header(
    tenant: Tenant, make_relying_party: Callable[..., RelyingParty], daemon: RelyingParty
) -> None:
    """RFC 6749 2.3.1: both parts are form-encoded before they are joined by a colon."""
    Application.objects.filter(pk=daemon.application.pk).update(client_id="a:b c")
    daemon.application.refresh_from_db()
    assert by_basic(daemon).status_code == 200
