"""One row in the table of kinds, and another of django-allauth's providers works."""

from collections.abc import Callable

import pytest

from directory import identity_provider_kinds
from directory.identity_provider_kinds import Mark, Protocol, ProviderKind
from directory.models import Identity, IdentityProvider
from tests.relying_party import RelyingParty
from tests.stranger import Stranger
from tests.upstream import vendors as upstream
from tests.upstream.server import UpstreamServer
from tests.upstream.vendors import Vendor
from tests.userflows.federation.conftest import Traveller

pytestmark = pytest.mark.any_database

DISCORD = ProviderKind(
    id="Discord",
    label="Discord",
    summary="Discord accounts.",
    protocol=Protocol.OAUTH,
    mark=Mark("discord", "Discord"),
    issuer="discord.com",
    allauth_provider="allauth.socialaccount.providers.discord.provider.DiscordProvider",
    scopes=("identify", "email"),
    subject_claim="id",
    is_single=True,
    fields=("client_id", "secret"),
    defaults={"GivenName": ("global_name", "username")},
)
# https://discord.com/developers/docs/resources/user#user-object
NELLY = {
    "id": "80351110224678912",
    "username": "Nelly",
    "discriminator": "1337",
    "verified": True,
    "email": "nelly@discord.com",
}


def test_takes_another_kind_by_its_row(
    monkeypatch: pytest.MonkeyPatch,
    settings: object,
    vendors: UpstreamServer,
    make_vendor: Callable[..., IdentityProvider],
    relying_party: RelyingParty,
    traveller: Traveller,
) -> None:
    monkeypatch.setattr(identity_provider_kinds, "KINDS", (*identity_provider_kinds.KINDS, DISCORD))
    monkeypatch.setitem(
        upstream.VENDORS,
        "Discord",
        Vendor(
            "Discord",
            NELLY,
            authorize="/api/oauth2/authorize",
            token="/api/oauth2/token",
            profile="/api/users/@me",
            is_openid=False,
            hosts={"https://discord.com": ""},
        ),
    )
    settings.PROVIDER_ENDPOINTS = vendors.endpoints  # type: ignore[attr-defined]
    provider = make_vendor("Discord")
    stranger = traveller.stranger
    stranger.email = NELLY["email"]  # type: ignore[assignment]
    traveller.leave(provider).come_back()
    # Its row says that it isn't believed on addresses.
    assert stranger.step == "email"
    stranger.give_email().give_code()
    assert 'value="Nelly"' in stranger.html
    stranger.submit(GivenName="Nelly", Surname="the Elephant")
    assert relying_party.claims_of(stranger.left_to)["idp"] == "discord.com"
    assert Identity.objects.filter(issuer="discord.com", issuer_assigned_id=NELLY["id"]).exists()

    again = Traveller(Stranger(), vendors, relying_party)
    again.leave(provider).come_back()
    assert relying_party.claims_of(again.stranger.left_to)["idp"] == "discord.com"
