"""Identity providers as real servers, and the way there and back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from directory.models import IdentityProvider, Tenant
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from tests.upstream.openid_provider import OpenIdProvider
from tests.upstream.server import UpstreamServer
from tests.upstream.vendors import VENDORS
from tests.userflows.federation.saml_forger import REQUEST_ID, Forger, partner_settings, signer
from userflows.federation.addresses import acs_url, metadata_url
from userflows.models import UserFlow


@pytest.fixture(scope="module")
def openid_server() -> Iterator[OpenIdProvider]:
    server = OpenIdProvider().start()
    yield server
    server.stop()


@pytest.fixture
def make_vendor(
    tenant: Tenant,
    user_flow: UserFlow,
    vendors: UpstreamServer,
    make_provider: Callable[..., IdentityProvider],
) -> Callable[..., IdentityProvider]:
    """A provider of a kind that `vendors` stands in for; OpenIdConnect is any OpenID Provider."""

    def make(kind: str = "OpenIdConnect", **values: Any) -> IdentityProvider:
        defaults = dict(VENDORS[kind].values)
        if kind == "OpenIdConnect":
            defaults["settings"] = {"issuer": vendors.issuer(kind), "trusts_mail": True}
        return make_provider(tenant, kind, **{**defaults, **values})

    return make


@dataclass
class Traveller:
    """A stranger on the way to a provider of `vendors` and back."""

    stranger: Stranger
    vendors: UpstreamServer
    relying_party: RelyingParty
    url: str = ""

    def leave(self, provider: IdentityProvider) -> "Traveller":
        if not self.stranger.path:
            self.stranger.open(self.relying_party.request_url())
        self.url = self.stranger.leave_for(provider)
        return self

    def answer(self, **changes: str) -> str:
        """Return the address to which the vendor sends the browser back."""
        self.vendors.more = changes
        return self.vendors.send_back(self.url)

    def come_back(self) -> Stranger:
        """Go through the vendor's page as a browser does: by a redirect, or by Apple's form from another site."""
        if not self.vendors.vendor_at(self.url.removeprefix(self.vendors.base)).is_form_post:
            return self.stranger.open(self.answer())
        redirect_uri, answer = self.vendors.authorize(self.url)
        # Cookies that are Lax don't come along from there.
        response = Stranger().http.post(redirect_uri, answer, headers={"Origin": "https://appleid.apple.com"})
        assert response.status_code == 303
        assert not any(value in response["Location"] for name, value in answer.items() if name != "state")
        return self.stranger.open(response["Location"])

    def go_on(self) -> Stranger:
        """Follow the button of a page that says what went wrong."""
        return self.stranger.press_link()


@pytest.fixture
def traveller(stranger: Stranger, vendors: UpstreamServer, relying_party: RelyingParty) -> Traveller:
    return Traveller(stranger, vendors, relying_party)


@pytest.fixture
def partner(tenant: Tenant) -> IdentityProvider:
    """A SAML identity provider that no flow offers: its answers are judged one by one."""
    return IdentityProvider.objects.create(tenant=tenant, kind="Saml", name="Fabrikam", settings=partner_settings())


@pytest.fixture
def forger(partner: IdentityProvider) -> Forger:
    return Forger(request_id=REQUEST_ID, acs=acs_url(partner), audience=metadata_url(partner), signer=signer())
