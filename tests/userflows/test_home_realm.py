"""Who is led straight to their provider, and who isn't."""

from collections.abc import Callable
from typing import Any

import pytest

from directory.models import IdentityProvider, Tenant
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from tests.upstream.server import UpstreamServer
from tests.userflows.joining import come_back, journey_of, told_by
from userflows.home_realm import provider_of_hint, provider_of_mail
from userflows.models import Handshake, IdentityProviderAssignment, Journey, UserFlow
from userflows.publishing import publish

pytestmark = pytest.mark.any_database

MakeProvider = Callable[..., IdentityProvider]


@pytest.fixture
def fabrikam(
    tenant: Tenant, user_flow: UserFlow, make_provider: MakeProvider, vendors: UpstreamServer
) -> IdentityProvider:
    settings = {"issuer": vendors.issuer("OpenIdConnect")}
    return make_provider(tenant, "OpenIdConnect", name="Fabrikam", domains=["fabrikam.com"], settings=settings)


def kept(kind: str, name: str, *domains: str) -> IdentityProvider:
    return IdentityProvider(kind=kind, name=name, domains=list(domains))


WAYS = [
    kept("EmailOTP", "code", "code.example"),
    kept("Google", "google"),
    kept("EntraID", "contoso", "contoso.com"),
    kept("EntraID", "eu", "eu.contoso.com"),
    kept("MicrosoftAccount", "personal", "outlook.com"),
    kept("Saml", "twin", "contoso.com", "xn--bcher-kva.example"),
]


@pytest.mark.parametrize(
    ("mail", "name"),
    [
        ("a@contoso.com", "contoso"),
        ("a@CONTOSO.com", "contoso"),
        ("a@shop.contoso.com", "contoso"),
        # The closest one.
        ("a@eu.contoso.com", "eu"),
        ("a@shop.eu.contoso.com", "eu"),
        ("a@outlook.com", "personal"),
        ("a@xn--bcher-kva.example", "twin"),
        ("a@notcontoso.com", None),
        ("a@contoso.com.evil.example", None),
        ("a@b@contoso.com", "contoso"),
        # Only providers that people leave for.
        ("a@code.example", None),
        ("contoso.com", None),
        ("", None),
    ],
)
def test_finds_the_provider_of_an_address(mail: str, name: str | None) -> None:
    found = provider_of_mail(WAYS, mail)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("hint", "name"),
    [
        ("google.com", "google"),
        (" Google.com ", "google"),
        ("consumers", "personal"),
        ("live.com", "personal"),
        ("contoso.com", "contoso"),
        ("eu.contoso.com", "eu"),
        # There are two of them.
        ("organizations", None),
        ("github.com", None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_finds_what_a_hint_means(hint: str, name: str | None) -> None:
    found = provider_of_hint(WAYS, hint)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    "asked",
    [{"domain_hint": "fabrikam.com"}, {"domain_hint": "FABRIKAM.com"}, {"login_hint": "amina@sales.fabrikam.com"}],
)
def test_leads_there_at_once(
    relying_party: RelyingParty, fabrikam: IdentityProvider, stranger: Stranger, asked: dict[str, str]
) -> None:
    stranger.open(relying_party.request_url(**asked))
    assert stranger.step == "federation"
    sent = stranger.provider_url
    assert ("login_hint=amina%40sales.fabrikam.com" in sent) is ("login_hint" in asked)
    assert journey_of(stranger).facts["way"]["id"] == str(fabrikam.pk)


@pytest.mark.parametrize(
    "asked",
    [
        {"domain_hint": "unknown.example"},
        {"login_hint": "amina@unknown.example"},
        {"domain_hint": "fabrikam.com", "prompt": "select_account"},
        {"login_hint": "amina@fabrikam.com", "prompt": "login select_account"},
        {},
    ],
)
def test_shows_the_choice_otherwise(
    relying_party: RelyingParty, fabrikam: IdentityProvider, stranger: Stranger, asked: dict[str, str]
) -> None:
    stranger.open(relying_party.request_url(**asked))
    assert stranger.step == "choose"
    assert not Handshake.objects.exists()


def test_refuses_a_hint_that_is_too_long(
    relying_party: RelyingParty, fabrikam: IdentityProvider, stranger: Stranger
) -> None:
    stranger.open(relying_party.request_url(domain_hint="a" * 255))
    assert relying_party.answer(stranger.left_to)["error"] == "invalid_request"


def test_leads_by_the_typed_address_and_mails_no_code(
    relying_party: RelyingParty, fabrikam: IdentityProvider, stranger: Stranger, mailoutbox: list[Any]
) -> None:
    stranger.open(relying_party.request_url()).give_email("amina@fabrikam.com")
    assert stranger.step == "federation"
    assert "login_hint=amina%40fabrikam.com" in stranger.provider_url
    assert mailoutbox == []
    # Back, and by code: nobody is led there again.
    stranger.submit()
    assert stranger.step == "choose"
    assert stranger.give_email("amina@fabrikam.com").step == "email_code"
    assert len(mailoutbox) == 1


def test_leads_to_a_way_of_this_flow_that_is_open(
    relying_party: RelyingParty, fabrikam: IdentityProvider, stranger: Stranger, user_flow: UserFlow
) -> None:
    IdentityProvider.objects.filter(pk=fabrikam.pk).update(is_enabled=False)
    assert stranger.open(relying_party.request_url(domain_hint="fabrikam.com")).step == "choose"
    IdentityProvider.objects.filter(pk=fabrikam.pk).update(is_enabled=True)
    IdentityProviderAssignment.objects.filter(identity_provider=fabrikam).delete()
    publish(user_flow)
    assert stranger.open(relying_party.request_url(domain_hint="fabrikam.com")).step == "choose"


@pytest.fixture
def only_fabrikam(fabrikam: IdentityProvider, user_flow: UserFlow) -> IdentityProvider:
    IdentityProviderAssignment.objects.exclude(identity_provider=fabrikam).delete()
    publish(user_flow)
    return fabrikam


def test_skips_the_page_where_there_is_one_way_only(
    relying_party: RelyingParty, only_fabrikam: IdentityProvider, stranger: Stranger
) -> None:
    stranger.open(relying_party.request_url())
    assert stranger.step == "federation"
    first, page = stranger.provider_url, stranger.path
    # A second tab and a reload change nothing: each trip has its own state, and either may come back.
    journey = journey_of(stranger)
    assert stranger.open(page).provider_url != first
    after = journey_of(stranger)
    assert (after.version, after.facts) == (journey.version, journey.facts)
    # Whoever wants to see the choice can.
    stranger.open(page).submit()
    assert stranger.step == "choose"
    assert "Continue with Fabrikam" in stranger.html
    assert 'type="email"' not in stranger.html
    assert stranger.open(page.replace("federation/", "")).step == "choose"


def test_starts_again_at_the_choice(
    relying_party: RelyingParty, only_fabrikam: IdentityProvider, stranger: Stranger, tenant: Tenant
) -> None:
    """After a refusal the only provider would lead the same person to the same refusal."""
    Tenant.objects.update(sign_up_enabled=False)
    stranger.open(relying_party.request_url())
    come_back(stranger, only_fabrikam, told_by(only_fabrikam, mail="amina@fabrikam.com"))
    assert stranger.page.status_code == 403
    assert "You signed in with Fabrikam as amina@fabrikam.com." in stranger.html
    assert stranger.press_link().step == "choose"


def test_goes_back_to_the_choice_when_the_provider_is_switched_off_meanwhile(
    relying_party: RelyingParty, fabrikam: IdentityProvider, stranger: Stranger
) -> None:
    stranger.open(relying_party.request_url(domain_hint="fabrikam.com"))
    page = stranger.path
    IdentityProvider.objects.filter(pk=fabrikam.pk).update(is_enabled=False)
    assert stranger.open(page).step == "choose"
    assert Journey.objects.get().facts["declined"] == [str(fabrikam.pk)]
