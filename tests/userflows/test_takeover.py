"""Nobody gets into somebody else's account: the identity rules, each tried from the attacker's side."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from directory.models import Identity, IdentityProvider, Tenant, User
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from tests.userflows.joining import (
    ANSWERS,
    MAIL,
    arrive,
    claims_of,
    give_identity,
    is_untouched,
    make_guest,
    open_journey,
    told_by,
)
from userflows.errors import IdentityInDoubt
from userflows.federation.errors import ProviderAnswerInvalid, ProviderSwitchedOff
from userflows.federation.told import Told
from userflows.models import Journey, UserFlow
from userflows.proofs import known_person, take_told
from userflows.ways import take_way

MakeProvider = Callable[..., IdentityProvider]
SAML_ISSUER = "https://idp.fabrikam.example/saml"


def saml_settings(entity_id: str) -> dict[str, Any]:
    return {"entity_id": entity_id, "sso_url": "https://idp.fabrikam.example/sso", "certificates": ["unread"]}


@pytest.fixture
def saml(tenant: Tenant, user_flow: UserFlow, make_provider: MakeProvider) -> IdentityProvider:
    return make_provider(tenant, "Saml", name="Fabrikam", settings=saml_settings(SAML_ISSUER))


# Addresses


def test_believes_no_address_that_is_not_vouched_for(
    relying_party: RelyingParty, github: IdentityProvider, owner: User
) -> None:
    """The same page whether the address is somebody's or nobody's: the mailbox has to be proven first."""
    pages = []
    for subject, address in (("1", MAIL), ("2", "nobody@fabrikam.example")):
        stranger = arrive(relying_party, github, told_by(github, subject, address, is_mail_verified=False))
        assert stranger.step == "email"
        stranger.give_email(address)
        assert stranger.step == "email_code"
        pages.append(stranger.html.replace(address, "ADDRESS").count("\n"))
        assert stranger.submit(code="00000000").step == "email_code"
        assert stranger.open(stranger.path.replace("email_code", "attributes")).step == "email_code"
    assert pages[0] == pages[1]
    assert is_untouched(owner)
    assert User.objects.count() == 1


def test_hands_nobody_an_account_made_before_they_came(
    relying_party: RelyingParty, github: IdentityProvider, google: IdentityProvider
) -> None:
    """Pre-hijacking: an account with somebody's address waits for them, with another one's way to sign in."""
    thief = arrive(relying_party, github, told_by(github, mail=MAIL, is_mail_verified=False)).give_email(MAIL)
    assert thief.submit(code="12345678").step == "email_code"
    assert User.objects.count() == 0
    victim = arrive(relying_party, google, told_by(google, mail=MAIL))
    assert victim.step == "attributes"
    claims = claims_of(relying_party, victim.submit(**ANSWERS))
    assert list(User.objects.get(pk=claims["oid"]).identities.values_list("issuer", flat=True)) == ["google.com"]
    # The thief's journey is where it was.
    assert thief.open(thief.path).step == "email_code"


@pytest.mark.parametrize("address", ["AMINA@FABRIKAM.EXAMPLE", "Amina@fabrikam.example", "amina@Fabrikam.Example"])
def test_knows_an_address_in_any_case(
    relying_party: RelyingParty, google: IdentityProvider, owner: User, address: str
) -> None:
    assert arrive(relying_party, google, told_by(google, mail=address)).step == "link"


@pytest.mark.parametrize(
    "address",
    [
        # Each is another mailbox, whatever some providers make of them.
        "amina+portal@fabrikam.example",
        "am.ina@fabrikam.example",
        "amina@mail.fabrikam.example",
        "amina@fabrikam.example.org",
        # fabrіkam with a Cyrillic letter, as it travels.
        "amina@xn--fabrkam-uog.example",
    ],
)
def test_takes_look_alikes_for_somebody_else(
    relying_party: RelyingParty, google: IdentityProvider, owner: User, address: str
) -> None:
    stranger = arrive(relying_party, google, told_by(google, mail=address))
    assert stranger.step == "attributes"
    claims = claims_of(relying_party, stranger.submit(**ANSWERS))
    assert claims["oid"] != str(owner.pk)
    assert is_untouched(owner)


@pytest.mark.parametrize(
    "address", ["\u212aate@fabrikam.example", "kate\u017f@fabrikam.example", "ﬁona@fabrikam.example"]
)
def test_takes_no_letters_that_fold_into_others(relying_party: RelyingParty, tenant: Tenant, address: str) -> None:
    """The Kelvin sign in lower case is a k: a code for one mailbox would prove another one (CVE-2019-19844)."""
    give_identity(make_guest(tenant, mail=address.casefold()))
    stranger = Stranger().open(relying_party.request_url()).give_email(address)
    assert stranger.step == "choose"
    assert "Enter an email address such as" in stranger.html
    assert mail.outbox == []


def test_takes_the_homoglyph_of_a_domain_for_another_one(relying_party: RelyingParty, owner: User) -> None:
    stranger = Stranger().open(relying_party.request_url()).give_email("amina@fabr\u0456kam.example")
    assert mail.outbox[0].to == ["amina@xn--fabrkam-uog.example"]
    stranger.email = "amina@xn--fabrkam-uog.example"
    assert stranger.give_code().step == "attributes"


# Identities


def test_follows_no_address_that_changed_at_the_provider(
    relying_party: RelyingParty, google: IdentityProvider, tenant: Tenant, owner: User
) -> None:
    """A known identity is who it was, whatever address is told today."""
    mallory = make_guest(tenant, mail="mallory@fabrikam.example")
    give_identity(mallory, issuer="google.com", subject="666", provider=google)
    claims = claims_of(relying_party, arrive(relying_party, google, told_by(google, "666", MAIL)))
    assert (claims["oid"], claims["email"]) == (str(mallory.pk), "mallory@fabrikam.example")
    assert is_untouched(owner)
    mallory.refresh_from_db()
    assert mallory.mail == "mallory@fabrikam.example"


def test_takes_the_same_id_at_another_issuer_for_somebody_else(
    relying_party: RelyingParty, google: IdentityProvider, github: IdentityProvider, tenant: Tenant
) -> None:
    give_identity(make_guest(tenant), issuer="google.com", subject="4711", provider=google)
    stranger = arrive(relying_party, github, told_by(github, "4711", "other@fabrikam.example"))
    assert stranger.step == "attributes"


def test_knows_nobody_of_another_tenant(
    relying_party: RelyingParty, google: IdentityProvider, make_tenant: Callable[..., Tenant]
) -> None:
    give_identity(make_guest(make_tenant("contoso")), issuer="google.com", subject="4711")
    assert arrive(relying_party, google, told_by(google, mail=MAIL)).step == "attributes"


def test_takes_the_word_of_no_other_tenants_provider(
    relying_party: RelyingParty, make_tenant: Callable[..., Tenant], make_provider: MakeProvider
) -> None:
    foreign = make_provider(make_tenant("contoso"), "Google")
    journey = open_journey(relying_party)
    take_way(journey, foreign)
    with pytest.raises(ProviderSwitchedOff):
        take_told(journey, foreign, told_by(foreign, mail=MAIL))


@pytest.mark.parametrize("issuer", ["mail", "google.com", "live.com", "passkey"])
def test_lets_nobody_call_themselves_what_others_are(
    relying_party: RelyingParty,
    tenant: Tenant,
    make_provider: MakeProvider,
    user_flow: UserFlow,
    owner: User,
    issuer: str,
) -> None:
    """A partner's metadata may say that its entity id is `mail`; its people would be everybody."""
    for kind, settings in (("Saml", saml_settings(issuer)), ("OpenIdConnect", {"issuer": issuer})):
        posing = make_provider(tenant, kind, settings=settings)
        journey = open_journey(relying_party)
        take_way(journey, posing)
        with pytest.raises(ProviderAnswerInvalid):
            take_told(journey, posing, Told(issuer=issuer, subject=MAIL))


@pytest.mark.parametrize(
    ("issuer", "subject"),
    [
        ("facebook.com", "1"),
        ("", "1"),
        ("google.com", ""),
        ("google.com", "  "),
        ("google.com", "1" * 256),
        ("google.com", "1\x00"),
        ("google.com", "1\n"),
    ],
)
def test_takes_no_identity_that_is_none(
    relying_party: RelyingParty, google: IdentityProvider, issuer: str, subject: str
) -> None:
    journey = open_journey(relying_party)
    take_way(journey, google)
    with pytest.raises(ProviderAnswerInvalid):
        take_told(journey, google, Told(issuer=issuer, subject=subject))


def test_keeps_two_of_the_same_name_apart(
    relying_party: RelyingParty, tenant: Tenant, saml: IdentityProvider, make_provider: MakeProvider
) -> None:
    """Whoever writes a partner's entity id into their own metadata speaks for none of the partner's people."""
    guest = make_guest(tenant)
    give_identity(guest, issuer=SAML_ISSUER, subject="4711", provider=saml)
    twins = [
        make_provider(tenant, "Saml", name="Twin", settings=saml_settings(SAML_ISSUER)),
        make_provider(tenant, "OpenIdConnect", name="Other", settings={"issuer": SAML_ISSUER}),
    ]
    for twin in twins:
        with pytest.raises(IdentityInDoubt):
            add_proof_and_look(open_journey(relying_party), twin)
    claims = claims_of(relying_party, arrive(relying_party, saml, told_by(saml, "4711")))
    assert claims["oid"] == str(guest.pk)
    # The identity outlives its provider, set up anew.
    Identity.objects.update(identity_provider=None)
    assert add_proof_and_look(open_journey(relying_party), twins[0]) == guest
    with pytest.raises(IdentityInDoubt):
        add_proof_and_look(open_journey(relying_party), twins[1])
    # The other way round: a name that OpenID Connect proves (by https) is nobody's to write into metadata.
    Identity.objects.update(identity_provider=twins[1])
    with pytest.raises(IdentityInDoubt):
        add_proof_and_look(open_journey(relying_party), twins[0])
    assert add_proof_and_look(open_journey(relying_party), twins[1]) == guest


def test_takes_an_id_with_its_name_space(relying_party: RelyingParty, tenant: Tenant, saml: IdentityProvider) -> None:
    """As the answer of a provider of SAML gives it that speaks for several: what is before the tab belongs to it."""
    branch = "https://branch.fabrikam.example\t4711"
    guest = make_guest(tenant)
    give_identity(guest, issuer=SAML_ISSUER, subject=branch, provider=saml)
    assert claims_of(relying_party, arrive(relying_party, saml, told_by(saml, branch)))["oid"] == str(guest.pk)
    assert arrive(relying_party, saml, told_by(saml, "4711", "noor@fabrikam.example")).step == "attributes"


def add_proof_and_look(journey: Journey, provider: IdentityProvider) -> User | None:
    take_way(journey, provider)
    take_told(journey, provider, told_by(provider, "4711"))
    return known_person(journey)
