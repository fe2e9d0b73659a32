"""Identity providers by the issuer of their identities, in words: what sign-ups, logs and lists keep of them."""

from django.utils.translation import gettext as _

from directory.identity_provider_kinds import kinds
from directory.identity_provider_settings import ENTRA_ISSUER
from directory.models import IdentityProvider, Tenant
from directory.models.identity import MAIL_ISSUER
from directory.tenant_scope import current_tenant

# Of each organisation that people of Entra ID come from there is another issuer.
ENTRA_KIND = "EntraID"


def provider_name(issuer: str) -> str:
    """Return what people call the issuer: a kind's name, the tenant's own, or the issuer where it is gone."""
    if issuer == MAIL_ISSUER:
        # Of the code and of the password alike.
        return _("Email")
    of_kind = next((str(kind.label) for kind in kinds().values() if kind.issuer == issuer), "")
    if not of_kind and issuer.startswith(ENTRA_ISSUER):
        of_kind = str(kinds()[ENTRA_KIND].label)
    tenant = current_tenant()
    return of_kind or (names_of(tenant).get(issuer) if tenant else "") or issuer


def names_of(tenant: Tenant) -> dict[str, str]:
    """Return the names of the tenant's own providers by their issuers, read once for each request."""
    names: dict[str, str] | None = getattr(tenant, "_provider_names", None)
    if names is None:
        providers = [one for one in IdentityProvider.objects.filter(tenant=tenant) if one.is_known_kind]
        names = {one.issuer: one.name for one in providers if one.issuer}
        tenant._provider_names = names  # type: ignore[attr-defined]
    return names


def offered_issuers(tenant: Tenant) -> list[tuple[str, str]]:
    """Return what a list of people can be filtered by: an issuer, or what Entra's begin with, and its name."""
    found: dict[str, str] = {}
    for provider in IdentityProvider.objects.filter(tenant=tenant):
        if provider.is_known_kind and provider.issuer and provider.about.may_create_accounts:
            found.setdefault(provider.issuer, provider_name(provider.issuer))
        elif provider.kind == ENTRA_KIND:
            found.setdefault(ENTRA_ISSUER, str(kinds()[ENTRA_KIND].label))
    return list(found.items())
