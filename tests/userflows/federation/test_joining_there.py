"""Joining two ways to sign in, through real providers: what goes wrong on the way ends on a page that leads on."""

from collections.abc import Callable

import pytest
from django.core import mail

from directory.models import Identity, IdentityProvider, Tenant, User
from tests.upstream import golden
from tests.userflows.federation.conftest import Traveller
from tests.userflows.joining import claims_of, give_identity, make_guest

MakeProvider = Callable[..., IdentityProvider]
ADDRESS = str(golden.LINKEDIN["email"])


@pytest.fixture
def github(make_vendor: MakeProvider) -> IdentityProvider:
    return make_vendor("GitHub", name="GitHub")


@pytest.fixture
def linkedin(make_vendor: MakeProvider) -> IdentityProvider:
    return make_vendor("LinkedIn", name="LinkedIn")


@pytest.fixture
def owner(tenant: Tenant, github: IdentityProvider) -> User:
    guest = make_guest(tenant, mail=ADDRESS)
    give_identity(guest, issuer="github.com", subject=str(golden.GITHUB["id"]), provider=github)
    return guest


def test_proves_the_old_way_at_its_own_provider(
    traveller: Traveller, github: IdentityProvider, linkedin: IdentityProvider, owner: User
) -> None:
    stranger = traveller.leave(linkedin).come_back()
    assert stranger.step == "link"
    assert "Continue with GitHub" in stranger.html
    assert "Continue with LinkedIn" not in stranger.html
    traveller.leave(github).come_back()
    claims = claims_of(traveller.relying_party, stranger)
    assert (claims["oid"], claims["idp"]) == (str(owner.pk), "linkedin.com")
    assert Identity.objects.filter(user=owner).count() == 2
    assert [letter.to for letter in mail.outbox] == [[ADDRESS]]


def test_goes_back_to_the_old_ways_after_the_wrong_account(
    traveller: Traveller, github: IdentityProvider, linkedin: IdentityProvider, owner: User
) -> None:
    stranger = traveller.leave(linkedin).come_back()
    traveller.vendors.claims = {"id": 4711}
    traveller.leave(github).come_back()
    assert stranger.page.status_code == 409
    assert "two different accounts" in stranger.html
    assert stranger.page["X-Correlation-ID"] in stranger.html
    # Not straight to the same account again.
    assert stranger.press_link().step == "link"
    traveller.vendors.claims = {}
    traveller.leave(github).come_back()
    assert claims_of(traveller.relying_party, stranger)["oid"] == str(owner.pk)


def test_goes_back_to_the_old_ways_after_cancelling(
    traveller: Traveller, github: IdentityProvider, linkedin: IdentityProvider, owner: User
) -> None:
    stranger = traveller.leave(linkedin).come_back()
    traveller.vendors.error = golden.CANCELLED["GitHub"]
    traveller.leave(github).come_back()
    assert "You didn&#x27;t sign in at GitHub" in stranger.html
    assert stranger.press_link().step == "link"
    assert Identity.objects.filter(user=owner).count() == 1
    # Nor when the page that leads there is left.
    traveller.leave(github)
    assert stranger.submit().step == "link"


def test_leads_by_itself_only_once(traveller: Traveller, linkedin: IdentityProvider) -> None:
    IdentityProvider.objects.filter(pk=linkedin.pk).update(domains=["email.com"])
    stranger = traveller.stranger.open(traveller.relying_party.request_url(login_hint=ADDRESS))
    assert stranger.step == "federation"
    traveller.url, traveller.vendors.error = stranger.provider_url, golden.CANCELLED["LinkedIn"]
    traveller.come_back()
    assert stranger.press_link().step == "choose"
    assert stranger.give_email(ADDRESS).step == "email_code"


def test_offers_the_other_ways_when_the_provider_can_not_be_asked(
    traveller: Traveller, linkedin: IdentityProvider, tenant: Tenant, make_provider: MakeProvider
) -> None:
    down = make_provider(tenant, "OpenIdConnect", name="Fabrikam", settings={"issuer": "http://127.0.0.1:9"})
    stranger = traveller.stranger.open(traveller.relying_party.request_url()).submit(way=str(down.pk))
    assert stranger.page.status_code == 502
    assert "Fabrikam can&#x27;t be reached" in stranger.html
    assert stranger.press_link().step == "choose"
    assert traveller.leave(linkedin).come_back().step == "attributes"
