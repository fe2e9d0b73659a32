"""What stands in tokens, checked by a library that the portal doesn't use, from the discovery document alone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from joserfc.jws import extract_compact

from directory.models import Application, DataType, Tenant, User, UserAttribute
from tests.oidc.browsing import ANSWERS, answer_for, tokens_for
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import AttributeAssignment, InputType, UserFlow

SIGN_IN_CLAIMS = {"sub", "oid", "tid", "ver", "tfp", "auth_time", "idp", "amr", "sid"}
JWT_CLAIMS = {"iss", "aud", "iat", "nbf", "exp", "jti"}


def header_of(token: str) -> dict[str, Any]:
    return dict(extract_compact(token.encode()).headers())


@pytest.mark.parametrize("authority", ["/woodgrove", "/woodgrove/B2X_1_Suppliers"])
@pytest.mark.parametrize("algorithm", Application.Algorithm.values)
def test_is_verified_from_the_discovery_document_alone(
    relying_party: RelyingParty, stranger: Stranger, algorithm: str, authority: str
) -> None:
    Application.objects.update(algorithm=algorithm)
    relying_party.authority = authority
    tokens = tokens_for(relying_party, stranger)
    published = {key["kid"]: key for key in Client().get(f"{authority}/discovery/v2.0/keys").json()["keys"]}
    for name, typ in (("id_token", "JWT"), ("access_token", "at+jwt")):
        claims = relying_party.verified(tokens[name])
        assert claims["iss"] == f"http://testserver{authority}/v2.0"
        header = header_of(tokens[name])
        assert (header["typ"], header["alg"]) == (typ, algorithm)
        assert published[header["kid"]]["alg"] == algorithm


def test_answers_as_oauth_says(relying_party: RelyingParty, stranger: Stranger) -> None:
    response = relying_party.redeem(answer_for(relying_party, stranger)["code"])
    assert (response["Cache-Control"], response["Pragma"]) == ("no-store", "no-cache")
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert set(body) == {"access_token", "id_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 3600, "openid profile email")


def test_says_in_the_access_token_what_rfc_9068_asks_for(relying_party: RelyingParty, stranger: Stranger) -> None:
    tokens = tokens_for(relying_party, stranger)
    claims = relying_party.verified(tokens["access_token"])
    assert claims.keys() >= JWT_CLAIMS | SIGN_IN_CLAIMS | {"client_id", "scope"}
    client_id = relying_party.application.client_id
    assert (claims["client_id"], claims["azp"], claims["aud"]) == (client_id, client_id, client_id)
    assert claims["scope"] == "openid profile email"
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["jti"] != relying_party.verified(tokens["id_token"])["jti"]


def test_says_without_scopes_only_who_it_is(relying_party: RelyingParty, stranger: Stranger) -> None:
    tokens = tokens_for(relying_party, stranger, scope="openid")
    id_claims = relying_party.verified(tokens["id_token"])
    assert id_claims.keys() == JWT_CLAIMS | SIGN_IN_CLAIMS | {"nonce", "at_hash"}
    access_claims = relying_party.verified(tokens["access_token"])
    assert access_claims.keys() == JWT_CLAIMS | SIGN_IN_CLAIMS | {"client_id", "azp", "scope"}
    assert relying_party.userinfo(tokens["access_token"]).json().keys() == SIGN_IN_CLAIMS


@pytest.mark.parametrize(
    ("scope", "opened"),
    [
        ("openid email", {"email", "email_verified"}),
        ("openid profile", {"name", "preferred_username", "given_name", "family_name", "locale"}),
    ],
)
def test_opens_claims_by_scope(relying_party: RelyingParty, stranger: Stranger, scope: str, opened: set[str]) -> None:
    tokens = tokens_for(relying_party, stranger, scope=scope)
    claims = relying_party.verified(tokens["id_token"])
    assert claims.keys() - SIGN_IN_CLAIMS - JWT_CLAIMS - {"nonce", "at_hash"} == opened
    assert relying_party.userinfo(tokens["access_token"]).json() == {
        name: claims[name] for name in SIGN_IN_CLAIMS | opened
    }


def test_gives_no_id_token_without_openid(relying_party: RelyingParty, stranger: Stranger) -> None:
    tokens = tokens_for(relying_party, stranger, scope="profile")
    assert "id_token" not in tokens
    assert relying_party.userinfo(tokens["access_token"]).status_code == 401


@pytest.mark.parametrize("nonce", [None, "", "n-0S6_WzA2Mj", "ümläut 💥"])
def test_returns_the_nonce_as_it_was_sent(relying_party: RelyingParty, stranger: Stranger, nonce: str | None) -> None:
    claims = relying_party.verified(tokens_for(relying_party, stranger, nonce=nonce)["id_token"])
    assert claims.get("nonce", "") == (nonce or "")


def test_carries_the_flows_attributes_with_their_types(
    tenant: Tenant,
    make_user_flow: Callable[..., UserFlow],
    make_relying_party: Callable[..., RelyingParty],
    make_attribute: Callable[..., UserAttribute],
    ask: Callable[..., AttributeAssignment],
    stranger: Stranger,
) -> None:
    flow = make_user_flow(tenant, "Partners", questions=("City", "Country"))
    ask(flow, make_attribute(tenant, "extension_Employees", DataType.INT), InputType.NUMBER)
    ask(flow, make_attribute(tenant, "extension_News", DataType.BOOLEAN), InputType.CHECKBOX, required=False)
    ask(flow, make_attribute(tenant, "extension_Motto"), InputType.TEXT, required=False)
    shop = make_relying_party(tenant, flow)
    stranger.open(shop.request_url()).give_email().give_code()
    stranger.submit(City="Zürich", Country="CH", extension_Employees="0")
    tokens = shop.redeem(shop.answer(stranger.left_to)["code"]).json()
    claims = shop.verified(tokens["id_token"])
    assert (claims["city"], claims["country"]) == ("Zürich", "CH")
    assert claims["extension_Employees"] == 0
    assert not isinstance(claims["extension_Employees"], bool)
    assert claims["extension_News"] is False
    assert "extension_Motto" not in claims
    userinfo = shop.userinfo(tokens["access_token"]).json()
    assert userinfo["extension_Employees"] == 0
    assert "extension_Employees" not in shop.verified(tokens["access_token"])
    assert "city" not in shop.verified(tokens_for(shop, stranger, scope="openid email")["id_token"])


def test_carries_nothing_that_the_flow_does_not_ask_for(relying_party: RelyingParty, stranger: Stranger) -> None:
    tokens_for(relying_party, stranger)
    User.objects.update(city="Zürich", job_title="Chef", extension_values={"extension_Secret": "x"})
    claims = relying_party.verified(tokens_for(relying_party, stranger)["id_token"])
    assert not {"city", "jobTitle", "extension_Secret"} & claims.keys()


def test_tells_the_client_of_a_daemons_token(tenant: Tenant, daemon: RelyingParty) -> None:
    response = daemon.post_token(grant_type="client_credentials")
    assert response.json().keys() == {"access_token", "token_type", "expires_in", "scope"}
    claims = daemon.verified(response.json()["access_token"])
    assert claims["sub"] == claims["client_id"] == claims["aud"] == daemon.application.client_id
    assert claims["tid"] == str(tenant.pk)
    assert not {"oid", "email", "auth_time", "tfp"} & claims.keys()


@pytest.mark.parametrize("scope", ["admin", "openid admin"])
def test_refuses_unknown_scopes_of_a_daemon(daemon: RelyingParty, scope: str) -> None:
    assert daemon.post_token(grant_type="client_credentials", scope=scope).json()["error"] == "invalid_scope"


def test_keeps_nothing_in_the_database_that_opens_a_door(relying_party: RelyingParty, stranger: Stranger) -> None:
    stranger.open(relying_party.request_url(scope="openid offline_access")).give_email()
    mail_code = stranger.code().replace(" ", "")
    stranger.give_code().submit(**ANSWERS)
    code = relying_party.answer(stranger.left_to)["code"]
    before_redeeming = everything_stored()
    tokens = relying_party.redeem(code).json()
    refreshed = relying_party.refresh(tokens["refresh_token"]).json()
    cookies = {name: morsel.value for name, morsel in stranger.http.cookies.items()}
    secrets = {
        "mail code": mail_code,
        "code": code,
        "client secret": str(relying_party.secret),
        **{name: refreshed[name] for name in ("access_token", "id_token", "refresh_token")},
        **{f"first {name}": tokens[name] for name in ("access_token", "id_token", "refresh_token")},
        "session": cookies["portal_session"],
        "browser": cookies["portal_browser"],
    }
    stored = before_redeeming + everything_stored()
    assert relying_party.application.client_id in stored
    assert [name for name, secret in secrets.items() if secret in stored] == []


def everything_stored() -> str:
    """Return all rows of all tables as text."""
    texts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"select * from {connection.ops.quote_name(table)}")  # noqa: S608 - our own tables
            texts += [str(row) for row in cursor.fetchall()]
    return "\n".join(texts)


def test_calls_an_address_verified_only_when_its_owner_proved_it_at_sign_up(
    tenant: Tenant, relying_party: RelyingParty, stranger: Stranger, make_member: Callable[..., User]
) -> None:
    answers = relying_party.answer(stranger.sign_up(relying_party.request_url(), GivenName="Amina", Surname="Haddad"))
    guest = relying_party.verified(relying_party.redeem(answers["code"]).json()["id_token"])
    member = make_member(tenant)
    colleague = Stranger(email=member.mail)
    answers = relying_party.answer(colleague.sign_up(relying_party.request_url()))
    typed = relying_party.verified(relying_party.redeem(answers["code"]).json()["id_token"])
    assert (guest["email_verified"], typed["email_verified"]) == (True, False)
    assert typed["sub"] == str(member.pk)
