"""Signing out at the provider by which somebody came in: offered after signing out here, where the provider can it."""

import logging
import uuid
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest

from directory.identity_provider_kinds import Protocol
from directory.models import IdentityProvider, Tenant
from userflows.federation import documents, saml
from userflows.federation.addresses import signed_out_url

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SignOutThere:
    """Where the browser signs out at a provider. From there it comes back to the page for those who are signed out."""

    provider_name: str
    url: str


def sign_out_there(request: HttpRequest, tenant: Tenant) -> SignOutThere | None:
    """Return what to offer to who is about to be signed out here; None where there is nothing."""
    provider = _provider_of(request, tenant)
    if provider is None:
        return None
    if provider.about.protocol is Protocol.SAML:
        url = saml.sign_out_url(provider, request.session.get("sign_out") or {})
    else:
        url = _openid_connect_url(provider)
    return SignOutThere(provider.shown_name, url) if url else None


def _provider_of(request: HttpRequest, tenant: Tenant) -> IdentityProvider | None:
    try:
        provider_id = uuid.UUID(request.session.get("way", ""))
    except ValueError:
        return None
    providers = IdentityProvider.objects.filter(tenant=tenant, pk=provider_id, is_enabled=True, signs_out_there=True)
    provider = providers.first()
    if provider is None or not provider.is_known_kind:
        return None
    provider.tenant = tenant
    return provider if provider.about.protocol in (Protocol.OPENID_CONNECT, Protocol.SAML) else None


def _openid_connect_url(provider: IdentityProvider) -> str:
    """OpenID Connect RP-Initiated Logout 1.0, 2. There is no id_token_hint: the provider's tokens are thrown away."""
    try:
        url = str(documents.discovery(provider).get("end_session_endpoint") or "")
    except (documents.ProviderUnreachable, documents.ProviderMisconfigured) as error:
        # Nobody is kept here for it: they are signed out, and go back to the application.
        logger.warning("Signing out at %s is not offered: %s", provider.pk, error)
        return ""
    query = urlencode({"client_id": provider.client_id, "post_logout_redirect_uri": signed_out_url(provider)})
    return f"{url}{'&' if '?' in url else '?'}{query}" if url else ""
