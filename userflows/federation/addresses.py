"""Where providers send people back to. Administrators paste these at the provider, so they never change."""

from django.conf import settings

from directory.models import IdentityProvider


def callback_url(provider: IdentityProvider) -> str:
    """Return the redirect URI: a provider's own, so that no provider can answer for another (RFC 9700 4.4.2.2)."""
    return _address(provider, "callback")


def acs_url(provider: IdentityProvider) -> str:
    """SAML: the assertion consumer service."""
    return _address(provider, "acs")


def metadata_url(provider: IdentityProvider) -> str:
    """SAML: our metadata, whose address is our entity id too."""
    return _address(provider, "metadata")


def single_logout_url(provider: IdentityProvider) -> str:
    return _address(provider, "sls")


def signed_out_url(provider: IdentityProvider) -> str:
    """OpenID Connect: where people come back to who have signed out at the provider. The same for all of a tenant's."""
    return f"{settings.BASE_URL}/{provider.tenant.slug}/oauth2/v2.0/logout/done"


def _address(provider: IdentityProvider, name: str) -> str:
    # Never from the request: not its Host, nor the flow's segment of its path.
    return f"{settings.BASE_URL}/{provider.tenant.slug}/federation/{provider.pk}/{name}"
