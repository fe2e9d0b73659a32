"""The authorities: a tenant, or one of its flows, by every spelling of their path."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from directory.models import Tenant
from directory.models.tenant import RESERVED_SLUGS
from tests.oidc.browsing import ANSWERS, answer_for, assert_error_page, tokens_for
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import UserFlow

TENANT_ISSUER = "http://testserver/woodgrove/v2.0"
FLOW_ISSUER = "http://testserver/woodgrove/B2X_1_Suppliers/v2.0"
FLOW = "/woodgrove/B2X_1_Suppliers"
DISCOVERY = "v2.0/.well-known/openid-configuration"


@pytest.mark.parametrize("authority", ["/woodgrove", FLOW])
def test_describes_each_authority_at_both_places(relying_party: RelyingParty, authority: str) -> None:
    documents = [Client().get(f"{authority}/{path}").json() for path in (DISCOVERY, ".well-known/openid-configuration")]
    assert documents[0] == documents[1]
    document = documents[0]
    assert document["issuer"] == f"http://testserver{authority}/v2.0"
    endpoints = [value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(endpoints) == 6
    for endpoint in endpoints:
        assert endpoint.startswith(f"http://testserver{authority}/")
        assert Client().get(urlsplit(endpoint).path).status_code != 404


def test_lets_browsers_of_any_origin_read_the_metadata(relying_party: RelyingParty) -> None:
    for path in (DISCOVERY, "discovery/v2.0/keys"):
        response = Client().get(f"/woodgrove/{path}")
        assert response["Access-Control-Allow-Origin"] == "*"
        assert response["Cache-Control"] == "public, max-age=300"
        assert not response.cookies


def test_issues_tokens_of_the_flows_authority(
    user_flow: UserFlow, relying_party: RelyingParty, stranger: Stranger
) -> None:
    relying_party.authority = FLOW
    answer = answer_for(relying_party, stranger)
    assert answer["iss"] == FLOW_ISSUER
    tokens = relying_party.redeem(answer["code"]).json()
    for name in ("id_token", "access_token"):
        claims = relying_party.verified(tokens[name])
        assert (claims["iss"], claims["tfp"]) == (FLOW_ISSUER, "B2X_1_Suppliers")
    assert relying_party.userinfo(tokens["access_token"]).status_code == 200


def test_signs_in_once_for_all_authorities_of_a_tenant(relying_party: RelyingParty, stranger: Stranger) -> None:
    tokens_for(relying_party, stranger)
    relying_party.authority = FLOW
    stranger.open(relying_party.request_url())
    assert relying_party.answer(stranger.left_to)["iss"] == FLOW_ISSUER


@pytest.mark.parametrize("name", ["B2X_1_Suppliers", "b2x_1_suppliers"])
def test_takes_the_flow_from_the_query(relying_party: RelyingParty, stranger: Stranger, name: str) -> None:
    answer = answer_for(relying_party, stranger, p=name)
    assert answer["iss"] == FLOW_ISSUER
    document = Client().get(f"/woodgrove/{DISCOVERY}?p={name}").json()
    assert document["issuer"] == FLOW_ISSUER
    relying_party.authority = FLOW
    assert relying_party.redeem(answer["code"]).status_code == 200


def test_redeems_at_the_token_endpoint_with_the_flow_in_its_query(
    relying_party: RelyingParty, stranger: Stranger
) -> None:
    code = answer_for(relying_party, stranger, p="B2X_1_Suppliers")["code"]
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": relying_party.redirect_uri,
        "code_verifier": relying_party.verifier,
        "client_id": relying_party.application.client_id,
        "client_secret": str(relying_party.secret),
    }
    response = Client().post("/woodgrove/oauth2/v2.0/token?p=B2X_1_Suppliers&client-request-id=1", body)
    assert response.status_code == 200


def test_refuses_an_application_at_a_flow_that_it_does_not_use(
    tenant: Tenant,
    relying_party: RelyingParty,
    make_user_flow: Callable[..., UserFlow],
    make_relying_party: Callable[..., RelyingParty],
    stranger: Stranger,
) -> None:
    make_user_flow(tenant, "Partners")
    without_flow = make_relying_party(tenant, None)
    for application, authority in ((relying_party, "/woodgrove/B2X_1_Partners"), (without_flow, FLOW)):
        application.authority = authority
        assert_error_page(Client().get(application.request_url()), "OIDC-1105")
    relying_party.authority = "/woodgrove"
    tokens_for(relying_party, stranger)
    assert_error_page(stranger.http.get(without_flow.request_url()), "OIDC-1105")


@pytest.mark.parametrize(
    "authority", ["/WOODGROVE", "/Woodgrove", "/woodgrove/b2x_1_suppliers", "/WoodGrove/B2X_1_SUPPLIERS"]
)
def test_answers_every_spelling_of_an_authority(
    relying_party: RelyingParty, stranger: Stranger, authority: str
) -> None:
    issuer = FLOW_ISSUER if "1_" in authority else TENANT_ISSUER
    assert Client().get(f"{authority}/{DISCOVERY}").json()["issuer"] == issuer
    relying_party.authority = authority
    response = stranger.http.get(relying_party.request_url())
    # Cookies are bound to the path to the letter.
    assert response.status_code == 307
    relying_party.authority = urlsplit(issuer).path.removesuffix("/v2.0")
    assert response["Location"] == relying_party.request_url()
    relying_party.authority = authority
    code = relying_party.answer(stranger.sign_up(relying_party.request_url(), **ANSWERS))["code"]
    assert relying_party.redeem(code).status_code == 200


def test_answers_to_the_tenants_id(tenant: Tenant, relying_party: RelyingParty, stranger: Stranger) -> None:
    for authority in (f"/{tenant.pk}", f"/{str(tenant.pk).upper()}", f"/{tenant.pk}/B2X_1_Suppliers"):
        relying_party.authority = authority
        claims = relying_party.verified(tokens_for(relying_party, stranger)["id_token"])
        assert claims["iss"] in (TENANT_ISSUER, FLOW_ISSUER)


def test_keeps_method_and_body_on_the_way_to_the_canonical_path(relying_party: RelyingParty) -> None:
    response = Client().post("/WOODGROVE/oauth2/v2.0/logout?x=1", {"state": "s"})
    assert response.status_code == 307
    assert response["Location"] == "/woodgrove/oauth2/v2.0/logout?x=1"


@pytest.mark.parametrize("path", ["/woodgrove//", "/woodgrove/B2X_1_Suppliers//", "/woodgrove///"])
def test_forgives_a_double_slash(relying_party: RelyingParty, path: str) -> None:
    assert Client().get(f"{path}{DISCOVERY}").status_code == 200
    # A pleasant address must not become another site's.
    response = Client().get(f"{path.upper()}evil.example/", follow=False)
    assert not response.get("Location", "").startswith("//")


@pytest.mark.parametrize(
    "path",
    [
        "/nobody/",
        "/woodgrove/B2X_1_Nothing/",
        "/woodgrove/B2C_1_Suppliers/",
        "/woodgrove/suppliers/",
        "/00000000-0000-4000-8000-000000000000/",
        "/" + "0" * 36 + "/",
        "/w/",
        "/woodgrove%00/",
        "/woodgrove./",
        "/woodgrove%2f../",
        "/../woodgrove/",
        "/woodgrové/",
    ],
)
def test_knows_no_other_authority(relying_party: RelyingParty, path: str) -> None:
    for rest in (DISCOVERY, "oauth2/v2.0/authorize", "oauth2/v2.0/token"):
        response = Client().get(path + rest)
        assert response.status_code == 404
        assert response["X-Correlation-ID"] in response.content.decode()


def test_knows_no_flow_from_the_query_that_is_not_there(relying_party: RelyingParty) -> None:
    assert Client().get(relying_party.request_url(p="B2X_1_Nothing")).status_code == 404
    # Other values of p are somebody else's parameter.
    assert Client().get(relying_party.request_url(p="1")).status_code == 302


def test_answers_nothing_for_an_inactive_tenant(
    tenant: Tenant, relying_party: RelyingParty, stranger: Stranger
) -> None:
    tokens = tokens_for(relying_party, stranger)
    Tenant.objects.update(is_active=False)
    for segment in ("woodgrove", str(tenant.pk)):
        relying_party.authority = f"/{segment}"
        assert stranger.http.get(relying_party.request_url()).status_code == 404
        assert relying_party.userinfo(tokens["access_token"]).status_code == 404
        assert relying_party.redeem("x").status_code == 404
        assert Client().get(f"/{segment}/discovery/v2.0/keys").status_code == 404


def test_refuses_the_names_of_the_portal_itself() -> None:
    assert {"admin", "static", "demo", "healthz", "common", "organizations", "consumers"} <= RESERVED_SLUGS
    for name in RESERVED_SLUGS:
        with pytest.raises(ValidationError):
            Tenant(slug=name, name="X").full_clean(validate_unique=False, validate_constraints=False)


@pytest.mark.django_db
def test_takes_no_reserved_name_for_a_tenant() -> None:
    Tenant.objects.create(slug="common", name="Smuggled in")
    for spelling in ("common", "COMMON"):
        assert Client().get(f"/{spelling}/{DISCOVERY}").status_code == 404


def test_builds_issuers_from_the_settings_and_not_from_a_header(relying_party: RelyingParty) -> None:
    for headers in ({"Host": "testserver"}, {"X-Forwarded-Host": "evil.example"}, {"X-Forwarded-Proto": "https"}):
        document = Client().get(f"/woodgrove/{DISCOVERY}", headers=headers).json()
        assert document["issuer"] == TENANT_ISSUER
    assert Client().get(f"/woodgrove/{DISCOVERY}", headers={"Host": "evil.example"}).status_code == 400
