"""The SAML endpoints: whose answer is kept, what a partner reads of us, who signs whom out."""

import base64
import uuid
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from lxml import etree

from directory.models import Identity, IdentityProvider, Tenant, User, UserType
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from tests.userflows.federation.saml_forger import (
    PERSISTENT,
    Forger,
    partner_settings,
    posted,
    signer,
)
from userflows.federation.addresses import acs_url, metadata_url, single_logout_url
from userflows.federation.saml_answer import MAX_LENGTH
from userflows.federation.saml_metadata import make_key_pair
from userflows.models import Handshake, Journey, SignIn, UserFlow

pytestmark = pytest.mark.any_database


@pytest.fixture
def provider(user_flow: UserFlow, tenant: Tenant, make_provider: Callable[..., IdentityProvider]) -> IdentityProvider:
    values = {"secret": "", "trusted_domains": ["fabrikam.example"], "settings": partner_settings()}
    return make_provider(tenant, "Saml", name="Fabrikam", **values)


def forger_for(provider: IdentityProvider, request_url: str) -> tuple[Forger, str]:
    """Return who answers a request, and its RelayState."""
    query = parse_qs(urlsplit(request_url).query)
    request = etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15))
    forger = Forger(
        request_id=request.get("ID"), acs=acs_url(provider), audience=metadata_url(provider), signer=signer()
    )
    return forger, query["RelayState"][0]


def post(provider: IdentityProvider, answer: str, state: str) -> Any:
    fields = {"SAMLResponse": answer, "RelayState": state}
    return Client(enforce_csrf_checks=True).post(urlsplit(acs_url(provider)).path, fields)


def leave(stranger: Stranger, relying_party: RelyingParty, provider: IdentityProvider) -> tuple[Forger, str]:
    stranger.open(relying_party.request_url())
    return forger_for(provider, stranger.leave_for(provider))


def test_asks_the_provider_for_an_answer_to_us(
    provider: IdentityProvider, relying_party: RelyingParty, stranger: Stranger
) -> None:
    provider.settings["sso_url"] = 'https://idp.fabrikam.example/sso?a=1&b="2"'
    provider.settings["name_id_format"] = PERSISTENT
    provider.save()
    stranger.open(relying_party.request_url(login_hint="amina@fabrikam.example", prompt="login"))
    url = stranger.leave_for(provider)
    query = parse_qs(urlsplit(url).query)
    assert (query["a"], query["login_hint"]) == (["1"], ["amina@fabrikam.example"])
    request = etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15))
    assert request.get("Destination") == provider.settings["sso_url"]
    assert request.get("AssertionConsumerServiceURL") == acs_url(provider)
    assert request.get("ForceAuthn") == "true"
    assert request.findtext("{*}Issuer") == metadata_url(provider)
    assert request.find("{*}NameIDPolicy").get("Format") == PERSISTENT
    assert "Signature" not in query
    # The Host header is anybody's; what stands in these addresses never comes from it.
    assert acs_url(provider).startswith("http://testserver/woodgrove/federation/")


def test_keeps_an_answer_for_the_browser_that_asked_and_takes_it_once(
    provider: IdentityProvider, relying_party: RelyingParty, stranger: Stranger
) -> None:
    forger, state = leave(stranger, relying_party, provider)
    answer = posted(forger.signed())
    kept = post(provider, answer, state)
    assert kept.status_code == 303
    assert answer[:50] not in kept["Location"]
    # Another browser gets nowhere with it, and uses nothing up.
    other = Stranger().open(kept["Location"])
    assert other.page.status_code == 404
    stranger.open(kept["Location"])
    assert stranger.step == "email", stranger.html
    # A replay, in the same journey and in one of its own.
    assert stranger.open(post(provider, answer, state)["Location"]).page.status_code == 409
    again = Stranger()
    _forger, state = leave(again, relying_party, provider)
    again.open(post(provider, answer, state)["Location"])
    assert again.page.status_code == 400
    assert _refusals() == ["saml_in_response_to"]
    assert not User.objects.filter(user_type=UserType.GUEST).exists()


def _refusals() -> list[str]:
    steps = [step for entry in SignIn.objects.order_by("started_at") for step in entry.steps]
    return [step["problem"] for step in steps if step.get("problem")]


Answer = Callable[[Forger], str]
REFUSED: dict[str, tuple[str, Answer]] = {
    "unsigned": ("saml_unsigned", lambda f: posted(f.response())),
    "another key": ("saml_signature", lambda f: posted(replace(f, signer=signer("mallory")).signed())),
    "too large": ("saml_too_large", lambda f: posted(f.signed()) + "A" * MAX_LENGTH),
    "nothing": ("saml_not_xml", lambda f: ""),
}


def test_shows_a_way_on_and_notes_why(
    provider: IdentityProvider, relying_party: RelyingParty, stranger: Stranger
) -> None:
    for problem, make in REFUSED.values():
        forger, state = leave(stranger, relying_party, provider)
        stranger.open(post(provider, make(forger), state)["Location"])
        assert stranger.page.status_code == 400
        assert "could not be checked" in stranger.html
        assert "Choose another way to sign in" in stranger.html
        assert problem not in stranger.html
    assert _refusals() == [problem for problem, _make in REFUSED.values()]
    assert not Identity.objects.exists()


def test_takes_no_answer_that_nobody_asked_for(
    provider: IdentityProvider, relying_party: RelyingParty, stranger: Stranger, make_tenant: Callable[..., Tenant]
) -> None:
    forger, state = leave(stranger, relying_party, provider)
    answer = posted(forger.signed())
    assert post(provider, answer, "").status_code == 404
    assert post(provider, answer, "unheard-of\x00").status_code == 404
    # Another provider of the tenant, and another tenant's, with the state of this one.
    for owner in (provider.tenant, make_tenant("globex")):
        other = IdentityProvider.objects.create(tenant=owner, kind="Saml", name="Other", settings=partner_settings())
        assert post(other, answer, state).status_code == 404
    assert "answer" not in Handshake.objects.get().secrets
    path = urlsplit(acs_url(provider)).path
    assert Client().get(path).status_code == 405
    assert Client().post(path.replace(str(provider.pk), str(uuid.uuid4()))).status_code == 404


def test_refuses_the_answer_of_a_provider_that_was_switched_off(
    provider: IdentityProvider, relying_party: RelyingParty, stranger: Stranger
) -> None:
    forger, state = leave(stranger, relying_party, provider)
    provider.is_enabled = False
    provider.save()
    stranger.open(post(provider, posted(forger.signed()), state)["Location"])
    assert "was switched off" in stranger.html
    assert not Journey.objects.get().facts.get("proofs")


def test_shows_partners_what_they_need_and_no_secret(
    provider: IdentityProvider, make_tenant: Callable[..., Tenant]
) -> None:
    path = urlsplit(metadata_url(provider)).path
    plain = etree.fromstring(Client().get(path).content)
    assert plain.get("entityID") == metadata_url(provider)
    assert plain.get("validUntil") is None
    assert plain.find(".//{*}AssertionConsumerService").get("Location") == acs_url(provider)
    assert plain.find(".//{*}SingleLogoutService").get("Location") == single_logout_url(provider)
    assert plain.find(".//{*}SPSSODescriptor").get("WantAssertionsSigned") == "true"
    assert plain.find(".//{*}KeyDescriptor") is None

    provider.settings["signs_requests"] = True
    make_key_pair(provider)
    provider.is_enabled = False
    provider.save()
    response = Client().get(path, headers={"Host": "testserver"})
    assert b"PRIVATE" not in response.content
    with_key = etree.fromstring(response.content)
    assert with_key.find(".//{*}SPSSODescriptor").get("AuthnRequestsSigned") == "true"
    assert [one.get("use") for one in with_key.findall(".//{*}KeyDescriptor")] == ["signing", "encryption"]

    make_tenant("globex")
    code = IdentityProvider.objects.get(tenant=provider.tenant, kind="EmailOTP")
    for wrong in (path.replace("woodgrove", "globex"), path.replace(str(provider.pk), str(code.pk))):
        assert Client().get(wrong).status_code == 404
