"""Another tenant of this portal as the provider: what it says of people is enough for itself."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from django.conf import settings as django_settings

from directory.models import Identity, IdentityProvider, Tenant, User
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.federation.addresses import callback_url
from userflows.models import UserFlow

pytestmark = pytest.mark.any_database


class LiveBrowser:
    """A browser for Stranger that speaks HTTP with a running server."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.session = requests.Session()

    def get(self, url: str) -> "LiveAnswer":
        return LiveAnswer(self.session.get(urljoin(self.base, url), allow_redirects=False, timeout=20))

    def post(self, url: str, data: dict[str, str]) -> "LiveAnswer":
        return LiveAnswer(self.session.post(urljoin(self.base, url), data, allow_redirects=False, timeout=20))


class LiveAnswer:
    def __init__(self, response: requests.Response) -> None:
        self.status_code, self.content, self._headers = response.status_code, response.content, response.headers

    def __getitem__(self, name: str) -> str:
        return self._headers[name]


@pytest.fixture
def portal(live_server: Any, settings: Any) -> str:
    settings.BASE_URL = live_server.url
    return str(live_server.url)


def test_signs_up_with_an_account_of_another_tenant(
    portal: str,
    make_tenant: Callable[..., Tenant],
    make_user_flow: Callable[..., UserFlow],
    make_provider: Callable[..., IdentityProvider],
    make_relying_party: Callable[..., RelyingParty],
) -> None:
    contoso, woodgrove = make_tenant("contoso"), make_tenant("woodgrove")
    theirs, ours = make_user_flow(contoso), make_user_flow(woodgrove)
    issuer = f"{django_settings.BASE_URL}/contoso/v2.0"
    provider = make_provider(woodgrove, "OpenIdConnect", name="Contoso", settings={"issuer": issuer})
    upstream = make_relying_party(contoso, theirs, redirect_uris=callback_url(provider))
    provider.client_id, provider.secret = upstream.application.client_id, str(upstream.secret)
    provider.trusted_domains = ["fabrikam.example"]
    provider.save()
    application = make_relying_party(woodgrove, ours)

    browser: Any = LiveBrowser(portal)
    amina = Stranger(http=browser, own_host="localhost")
    amina.open(application.request_url())
    # There she is a stranger, too: she signs up and is sent back.
    amina.open(amina.leave_for(provider)).give_email().give_code()
    amina.submit(GivenName="Amina", Surname="Aziz")
    assert amina.step == "attributes", amina.html
    assert amina.path.startswith("/woodgrove/")
    assert 'value="Aziz"' in amina.html
    amina.submit(GivenName="Amina", Surname="Aziz")
    claims = application.claims_of(amina.left_to)
    assert claims["idp"] == issuer
    there = User.objects.get(tenant=contoso, mail=amina.email)
    identity = Identity.objects.get(tenant=woodgrove, issuer=issuer)
    assert identity.issuer_assigned_id != ""
    assert identity.user != there

    # An application that wants her to sign in anew gets that, though she is signed in at both.
    again = Stranger(http=browser, own_host="localhost")
    again.open(application.request_url(prompt="login")).open(again.leave_for(provider))
    assert again.path.startswith("/contoso/")
    again.give_email().give_code()
    assert application.claims_of(again.left_to)["sub"] == claims["sub"]
