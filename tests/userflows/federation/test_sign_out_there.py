"""Signing out at the provider, too: offered where it can be done, and nobody is stranded there."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from django.core import signing

from directory.models import IdentityProvider, Tenant
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from tests.upstream.openid_provider import OpenIdProvider
from tests.upstream.saml_identity_provider import SamlIdentityProvider
from tests.userflows.federation.test_saml import introduce, sign_in_there
from userflows.federation import saml_metadata
from userflows.models import UserFlow

pytestmark = pytest.mark.any_database

PATH = "/woodgrove/oauth2/v2.0/logout"
DONE = "/woodgrove/oauth2/v2.0/logout/done"
RETURN_TO = "https://app.example.com/signed-out"


@pytest.fixture
def provider(
    user_flow: UserFlow, tenant: Tenant, make_provider: Callable[..., IdentityProvider], openid_server: OpenIdProvider
) -> IdentityProvider:
    settings = {"issuer": openid_server.issuer, "trusts_mail": True}
    return make_provider(tenant, "OpenIdConnect", name="Fabrikam", settings=settings, signs_out_there=True)


@pytest.fixture
def hint(
    provider: IdentityProvider, openid_server: OpenIdProvider, relying_party: RelyingParty, stranger: Stranger
) -> str:
    """An ID token of somebody who came in by the provider."""
    stranger.open(relying_party.request_url())
    stranger.open(openid_server.sign_in(stranger.leave_for(provider)))
    stranger.submit(GivenName="Amina", Surname="Aziz")
    tokens = relying_party.redeem(relying_party.answer(stranger.left_to)["code"]).json()
    return str(tokens["id_token"])


def sign_out(stranger: Stranger, hint: str, **changes: str) -> Stranger:
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": RETURN_TO, "state": "a b&c"} | changes
    return stranger.open(f"{PATH}?{urlencode({name: value for name, value in asked.items() if value})}")


def links(stranger: Stranger) -> list[str]:
    return [unescape(url) for url in re.findall(r'<a class="btn[^"]*" href="([^"]*)"', stranger.html)]


def is_signed_in(stranger: Stranger, relying_party: RelyingParty) -> bool:
    stranger.open(relying_party.request_url(prompt="none"))
    return "code" in relying_party.answer(stranger.left_to)


def test_offers_to_sign_out_there_and_comes_back_to_the_application(
    hint: str, openid_server: OpenIdProvider, relying_party: RelyingParty, stranger: Stranger
) -> None:
    sign_out(stranger, hint)
    assert "You are signed out of Woodgrove" in stranger.html
    there, back = links(stranger)
    assert back == f"{RETURN_TO}?state=a+b%26c"
    asked = {name: values[0] for name, values in parse_qs(urlsplit(there).query).items()}
    assert asked == {"client_id": "the-portal", "post_logout_redirect_uri": f"http://testserver{DONE}"}
    # The provider asks, and sends the browser back.
    form = openid_server.browser.get(there, timeout=10)
    assert form.status_code == 200, form.text
    redirect_uri = re.search(r'name="redirect_uri" value="([^"]*)"', form.text)
    assert redirect_uri
    confirm = f"{openid_server.issuer}/oauth2/end_session/confirm"
    returned = requests.post(
        confirm, data={"redirect_uri": unescape(redirect_uri[1])}, allow_redirects=False, timeout=10
    )
    stranger.open(urlsplit(returned.headers["Location"]).path)
    assert stranger.left_to == back
    # Once: who opens that page later is told that they are signed out.
    assert stranger.open(DONE).page.status_code == 200
    assert not is_signed_in(stranger, relying_party)


def test_offers_no_way_back_to_who_came_from_nowhere(hint: str, stranger: Stranger) -> None:
    sign_out(stranger, hint, post_logout_redirect_uri="")
    assert len(links(stranger)) == 1
    assert stranger.open(DONE).page.status_code == 200


def test_leads_back_to_no_address_that_is_not_the_applications_any_more(
    hint: str, relying_party: RelyingParty, stranger: Stranger
) -> None:
    sign_out(stranger, hint)
    relying_party.application.post_logout_redirect_uris = ""
    relying_party.application.save()
    assert stranger.open(DONE).page.status_code == 200


def test_believes_no_way_back_that_it_did_not_write(stranger: Stranger, relying_party: RelyingParty) -> None:
    kept = {"application": str(relying_party.application.pk), "uri": RETURN_TO, "state": "theirs"}
    for forged in ("https://evil.example/", signing.dumps(kept, key="their own", salt="portal_way_back")):
        stranger.http.cookies["portal_way_back"] = forged
        assert stranger.open(DONE).page.status_code == 200


@pytest.mark.parametrize("change", [{"signs_out_there": False}, {"is_enabled": False}])
def test_goes_straight_back_where_that_is_not_wanted(
    hint: str, provider: IdentityProvider, stranger: Stranger, change: dict[str, Any]
) -> None:
    IdentityProvider.objects.filter(pk=provider.pk).update(**change)
    sign_out(stranger, hint)
    assert stranger.left_to == f"{RETURN_TO}?state=a+b%26c"


def test_goes_straight_back_when_the_provider_does_not_answer(
    hint: str, provider: IdentityProvider, relying_party: RelyingParty, stranger: Stranger
) -> None:
    """Nobody waits for another's server to be signed out here."""
    IdentityProvider.objects.filter(pk=provider.pk).update(settings={"issuer": "http://127.0.0.1:9"})
    sign_out(stranger, hint)
    assert stranger.left_to == f"{RETURN_TO}?state=a+b%26c"
    assert not is_signed_in(stranger, relying_party)


def test_goes_straight_back_for_who_came_in_by_a_code(
    provider: IdentityProvider, relying_party: RelyingParty, stranger: Stranger
) -> None:
    stranger.sign_up(relying_party.request_url(), GivenName="Amina", Surname="Aziz")
    tokens = relying_party.redeem(relying_party.answer(stranger.left_to)["code"]).json()
    sign_out(stranger, tokens["id_token"])
    assert stranger.left_to == f"{RETURN_TO}?state=a+b%26c"


@pytest.mark.saml
def test_signs_out_at_a_saml_provider_and_comes_back(
    user_flow: UserFlow,
    tenant: Tenant,
    make_provider: Callable[..., IdentityProvider],
    relying_party: RelyingParty,
    stranger: Stranger,
) -> None:
    server = SamlIdentityProvider().start()
    try:
        told = saml_metadata.fetch(server.entity_id)
        settings = {name: getattr(told, name) for name in ("entity_id", "sso_url", "slo_url", "certificates")}
        provider = make_provider(tenant, "Saml", name="Fabrikam", secret="", settings=settings, signs_out_there=True)
        introduce(server, provider)
        stranger.open(relying_party.request_url())
        sign_in_there(server, stranger, stranger.leave_for(provider))
        stranger.give_email().give_code().submit(GivenName="Amina", Surname="Aziz")
        tokens = relying_party.redeem(relying_party.answer(stranger.left_to)["code"]).json()
        sign_out(stranger, tokens["id_token"])
        there, back = links(stranger)
        returned = urlsplit(server.sign_out(there))
        stranger.open(f"{returned.path}?{returned.query}")
        assert stranger.left_to == back == f"{RETURN_TO}?state=a+b%26c"
    finally:
        server.stop()
