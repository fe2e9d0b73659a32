"""A stranger with an account at an OpenID Provider: a real one, of others, that runs beside the test."""

from collections.abc import Callable

import pytest

from directory.models import Identity, IdentityProvider, Tenant, User, UserType
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from tests.upstream.openid_provider import OpenIdProvider
from userflows.models import UserFlow

pytestmark = pytest.mark.any_database


@pytest.fixture
def provider(
    user_flow: UserFlow, tenant: Tenant, make_provider: Callable[..., IdentityProvider], openid_server: OpenIdProvider
) -> IdentityProvider:
    settings = {"issuer": openid_server.issuer, "trusts_mail": True}
    return make_provider(tenant, "OpenIdConnect", name="Fabrikam", settings=settings)


def test_signs_up_by_a_provider_and_in_without_a_question(
    provider: IdentityProvider, openid_server: OpenIdProvider, relying_party: RelyingParty, stranger: Stranger
) -> None:
    stranger.open(relying_party.request_url())
    stranger.open(openid_server.cancel(stranger.leave_for(provider)))
    assert "You didn&#x27;t sign in at Fabrikam" in stranger.html
    assert stranger.press_link().step == "choose"
    stranger.open(openid_server.sign_in(stranger.leave_for(provider)))
    assert stranger.step == "attributes"
    assert 'value="Amina"' in stranger.html
    assert 'value="Aziz"' in stranger.html
    assert not User.objects.filter(user_type=UserType.GUEST).exists()
    stranger.submit(GivenName="Amina", Surname="Aziz")
    first = relying_party.claims_of(stranger.left_to)
    assert first["idp"] == openid_server.issuer
    assert first["email"] == "amina@fabrikam.example"
    identity = Identity.objects.get(user__mail="amina@fabrikam.example")
    assert (identity.issuer, identity.issuer_assigned_id) == (openid_server.issuer, "amina")

    again = Stranger()
    again.open(relying_party.request_url())
    again.open(openid_server.sign_in(again.leave_for(provider)))
    assert relying_party.claims_of(again.left_to)["sub"] == first["sub"]


def test_asks_for_an_address_where_the_provider_tells_none(
    provider: IdentityProvider, openid_server: OpenIdProvider, relying_party: RelyingParty, stranger: Stranger
) -> None:
    openid_server.tell("binta", name="Binta Ba")
    stranger.open(relying_party.request_url())
    stranger.open(openid_server.sign_in(stranger.leave_for(provider), "binta"))
    assert stranger.step == "email"
    stranger.email = "binta@fabrikam.example"
    stranger.give_email().give_code().submit(GivenName="Binta", Surname="Ba")
    assert relying_party.claims_of(stranger.left_to)["email"] == "binta@fabrikam.example"
    assert Identity.objects.filter(issuer=openid_server.issuer, issuer_assigned_id="binta").exists()


def test_goes_on_without_a_provider_that_has_stopped(
    user_flow: UserFlow,
    tenant: Tenant,
    make_provider: Callable[..., IdentityProvider],
    relying_party: RelyingParty,
    stranger: Stranger,
) -> None:
    server = OpenIdProvider().start()
    provider = make_provider(tenant, "OpenIdConnect", settings={"issuer": server.issuer, "trusts_mail": True})
    stranger.open(relying_party.request_url())
    callback = server.sign_in(stranger.leave_for(provider))
    server.stop()
    stranger.open(callback)
    assert stranger.page.status_code == 502
    assert "can&#x27;t be reached" in stranger.html
    assert stranger.press_link().step == "choose"
    stranger.give_email().give_code().submit(GivenName="Amina", Surname="Aziz")
    assert relying_party.claims_of(stranger.left_to)["idp"] == "mail"
