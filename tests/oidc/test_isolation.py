"""Two tenants with the same people, flows and applications by name: nothing of the one is of use at the other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from directory.models import AppRoleAssignment, AuditEvent, Identity, Session, Tenant, User
from identity_portal.oidc.models import AccessToken, Grant, SigningKey
from tests.oidc.browsing import ANSWERS, assert_error_page, code_for, error_of, tokens_for
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.models import Journey, UserFlow

SCOPE = "openid profile email offline_access"
FLOW = "B2X_1_Suppliers"


@dataclass
class House:
    """A tenant with one flow, one application and one person who signed up."""

    tenant: Tenant
    application: RelyingParty
    person: Stranger
    tokens: dict[str, Any]

    @property
    def slug(self) -> str:
        return self.tenant.slug

    def cookies(self) -> dict[str, str]:
        return {name: morsel.value for name, morsel in self.person.http.cookies.items()}


@pytest.fixture
def make_house(
    make_tenant: Callable[..., Tenant],
    make_user_flow: Callable[..., UserFlow],
    make_relying_party: Callable[..., RelyingParty],
) -> Callable[[str], House]:
    def make(slug: str) -> House:
        tenant = make_tenant(slug)
        application = make_relying_party(tenant, make_user_flow(tenant))
        person = Stranger()
        return House(tenant, application, person, tokens_for(application, person, scope=SCOPE))

    return make


@pytest.fixture
def here(make_house: Callable[[str], House]) -> House:
    return make_house("woodgrove")


@pytest.fixture
def there(make_house: Callable[[str], House]) -> House:
    return make_house("globex")


def misled(house: House, authority: str) -> RelyingParty:
    """The house's application, told the other tenant's authority."""
    return RelyingParty(
        house.application.application, house.application.secret, authority, verifier=house.application.verifier
    )


@pytest.fixture(params=["/woodgrove", f"/woodgrove/{FLOW}"])
def authority(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_keeps_people_sessions_tokens_and_keys_apart(here: House, there: House) -> None:
    claims = [house.application.verified(house.tokens["id_token"]) for house in (here, there)]
    for name in ("sub", "oid", "tid", "iss", "aud", "sid"):
        assert claims[0][name] != claims[1][name]
    assert claims[0]["email"] == claims[1]["email"]
    for house in (here, there):
        for model in (User, Identity, Session, Journey):
            assert model.objects.filter(tenant=house.tenant).count() == 1
        assert SigningKey.objects.filter(tenant=house.tenant).count() == 2
        user = User.objects.get(tenant=house.tenant)
        assert Grant.objects.get(user=user).application.tenant == house.tenant
        assert AccessToken.objects.get(user=user, application__tenant=house.tenant)
        assert AppRoleAssignment.objects.get(user=user).application.tenant == house.tenant
        assert Identity.objects.get(tenant=house.tenant).user == user
        for event in AuditEvent.objects.filter(tenant=house.tenant, target_type="user"):
            assert event.target_id == str(user.pk)


def test_refuses_the_other_tenants_client_at_authorize(here: House, there: House, authority: str) -> None:
    foreign = misled(there, authority)
    for person in (here.person, there.person, Stranger()):
        for changes in ({}, {"prompt": "none"}, {"redirect_uri": None}):
            assert_error_page(person.http.get(foreign.request_url(**changes)), "OIDC-1102")


def test_refuses_the_other_tenants_client_at_the_token_endpoint(here: House, there: House, authority: str) -> None:
    foreign = misled(there, authority)
    code = code_for(there.application, there.person)
    for response in (
        foreign.redeem(code),
        foreign.refresh(there.tokens["refresh_token"]),
        foreign.post_token(grant_type="client_credentials"),
        foreign.http.post(
            f"{authority}/oauth2/v2.0/revoke", {"token": "x", "client_id": foreign.application.client_id}
        ),
    ):
        assert error_of(response, 401) == "invalid_client"
    assert there.application.redeem(code).status_code == 200


def test_refuses_the_other_tenants_secret(here: House, there: House, authority: str) -> None:
    mixed = misled(here, authority)
    mixed.secret = there.application.secret
    assert error_of(mixed.refresh(here.tokens["refresh_token"]), 401) == "invalid_client"


def test_refuses_the_other_tenants_code(here: House, there: House, authority: str) -> None:
    code = code_for(there.application, there.person)
    mixed = misled(here, authority)
    mixed.verifier = there.application.verifier
    assert error_of(mixed.redeem(code)) == "invalid_grant"
    assert there.application.redeem(code).status_code == 200


def test_refuses_the_other_tenants_refresh_token(here: House, there: House, authority: str) -> None:
    token = there.tokens["refresh_token"]
    assert error_of(misled(here, authority).refresh(token)) == "invalid_grant"
    form = {"client_id": here.application.application.client_id, "client_secret": here.application.secret}
    for foreign in (token, there.tokens["access_token"]):
        assert Client().post(f"{authority}/oauth2/v2.0/revoke", form | {"token": foreign}).status_code == 200
    # Nor did any of that end it.
    assert there.application.userinfo(there.tokens["access_token"]).status_code == 200
    assert there.application.refresh(token).status_code == 200


def test_refuses_the_other_tenants_access_token(here: House, there: House, authority: str) -> None:
    for token in (there.tokens["access_token"], there.tokens["id_token"]):
        response = misled(here, authority).userinfo(token)
        assert response.status_code == 401
        assert there.person.email not in response.content.decode()


def test_knows_nobody_by_the_other_tenants_cookies(here: House, there: House, authority: str) -> None:
    thief = Stranger()
    thief.http.cookies.load(there.cookies())
    application = misled(here, authority)
    thief.open(application.request_url(prompt="none"))
    assert application.answer(thief.left_to)["error"] == "login_required"
    thief.open(application.request_url())
    assert thief.step == "choose"
    assert there.person.email not in thief.html
    # The other way round the cookie is as good as before.
    there.person.open(there.application.request_url(prompt="none"))
    assert "code" in there.application.answer(there.person.left_to)


def test_binds_cookies_to_the_tenants_path(here: House, there: House) -> None:
    for house in (here, there):
        morsels = house.person.http.cookies
        assert set(morsels) >= {"portal_session", "portal_browser", "portal_csrf"}
        for morsel in morsels.values():
            assert morsel["path"] == f"/{house.slug}/"
            assert morsel["samesite"] == "Lax"
            assert morsel["httponly"]


@pytest.mark.parametrize("step", ["", "choose/", "email_code/", "attributes/", "cancel/"])
def test_refuses_the_other_tenants_journey(here: House, there: House, authority: str, step: str) -> None:
    visitor = Stranger(email="new@fabrikam.example")
    visitor.open(there.application.request_url()).give_email().give_code()
    journey = visitor.path.split("/")[3]
    fields = visitor.hidden_fields() | ANSWERS
    path = f"{authority}/journey/{journey}/{step}"
    for person in (visitor, here.person):
        if step != "cancel/":
            assert person.http.get(path).status_code == 404
        answer = person.http.post(path, fields)
        assert answer.status_code in (403, 404, 405)
    assert not User.objects.filter(mail=visitor.email).exists()
    visitor.submit(**ANSWERS)
    assert User.objects.get(mail=visitor.email).tenant == there.tenant


def test_refuses_the_other_tenants_hint(here: House, there: House, authority: str) -> None:
    response = here.person.http.get(f"{authority}/oauth2/v2.0/logout?id_token_hint={there.tokens['id_token']}")
    assert_error_page(response, "OIDC-1202")
    client_id = there.application.application.client_id
    assert_error_page(here.person.http.get(f"{authority}/oauth2/v2.0/logout?client_id={client_id}"), "OIDC-1102")


def test_signs_out_of_one_tenant_only(here: House, there: House) -> None:
    """One browser, two tenants: each has its own cookie at its own path."""
    here.person.http.get(f"/woodgrove/oauth2/v2.0/logout?id_token_hint={here.tokens['id_token']}")
    assert Session.objects.filter(user__tenant=here.tenant).count() == 0
    there.person.open(there.application.request_url(prompt="none"))
    assert "code" in there.application.answer(there.person.left_to)


def test_ends_no_session_with_the_other_tenants_cookie(here: House, there: House) -> None:
    thief = Stranger()
    thief.http.cookies.load(there.cookies())
    thief.http.get("/woodgrove/oauth2/v2.0/logout")
    there.person.open(there.application.request_url(prompt="none"))
    assert "code" in there.application.answer(there.person.left_to)


def test_knows_the_other_tenants_flow_by_no_name(
    here: House, there: House, make_user_flow: Callable[..., UserFlow]
) -> None:
    make_user_flow(there.tenant, "Secret")
    for path in ("/woodgrove/B2X_1_Secret/v2.0/.well-known/openid-configuration", "/woodgrove/?p=B2X_1_Secret"):
        assert Client().get(path).status_code == 404


def test_counts_attempts_for_each_tenant_apart(here: House, there: House) -> None:
    """Who uses up the codes of a mailbox at one tenant doesn't lock its owner out of the other."""
    nuisance = Stranger(email="victim@fabrikam.example")
    for _ in range(8):
        nuisance.open(here.application.request_url()).give_email()
    assert nuisance.page.status_code == 429
    victim = Stranger(email="victim@fabrikam.example")
    victim.open(there.application.request_url()).give_email()
    assert victim.step == "email_code"
