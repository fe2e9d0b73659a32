"""Journeys that hold what a provider told, as `proofs` takes it in: the rules without the trip there and back."""

from typing import Any

from directory.models import Identity, IdentityProvider, SignInType, Tenant, User
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from userflows.federation.told import Told
from userflows.models import Journey
from userflows.proofs import take_told
from userflows.ways import take_way

ANSWERS = {"GivenName": "Amina", "Surname": "Haddad"}
MAIL = "amina@fabrikam.example"


def told_by(provider: IdentityProvider, subject: str = "4711", mail: str = "", **values: Any) -> Told:
    issuer = provider.issuer or "https://login.microsoftonline.com/fabrikam/v2.0"
    return Told(**{"issuer": issuer, "subject": subject, "mail": mail, "is_mail_verified": bool(mail), **values})


def come_back(stranger: Stranger, provider: IdentityProvider, told: Told) -> Stranger:
    """Go on as if this person had just come back from the provider. What it told was checked before."""
    journey = journey_of(stranger)
    take_way(journey, provider)
    take_told(journey, provider, told)
    journey.version += 1
    journey.save()
    return stranger.open(f"/{journey.tenant.slug}/journey/{journey.pk}/")


def journey_of(stranger: Stranger) -> Journey:
    journey: Journey = Journey.objects.select_related("tenant", "application").get(pk=stranger.path.split("/")[3])
    return journey


def arrive(party: RelyingParty, provider: IdentityProvider, told: Told, stranger: Stranger | None = None) -> Stranger:
    """Open the application's request, and come back from a provider."""
    return come_back((stranger or Stranger()).open(party.request_url()), provider, told)


def give_identity(
    user: User, *, issuer: str = "mail", subject: str = "", provider: IdentityProvider | None = None
) -> Identity:
    is_mail = issuer == "mail"
    assert user.tenant
    return Identity.objects.create(
        tenant=user.tenant,
        user=user,
        identity_provider=provider,
        provider_kind=provider.kind if provider else "",
        sign_in_type=SignInType.EMAIL_ADDRESS if is_mail else SignInType.FEDERATED,
        issuer=issuer,
        issuer_assigned_id=subject or user.mail.lower(),
    )


def make_guest(tenant: Tenant, mail: str = MAIL, **values: Any) -> User:
    user: User = User.objects.create(tenant=tenant, mail=mail, display_name="Amina Haddad", **values)
    return user


def claims_of(party: RelyingParty, stranger: Stranger) -> dict[str, Any]:
    assert stranger.left_to, stranger.html
    code = party.answer(stranger.left_to)["code"]
    return party.verified(party.redeem(code).json()["id_token"])


def open_journey(party: RelyingParty) -> Journey:
    return journey_of(Stranger().open(party.request_url()))


def is_untouched(owner: User) -> bool:
    """Answer whether somebody who signs in by code still does that, and nothing else."""
    return list(owner.identities.values_list("issuer", flat=True)) == ["mail"]
