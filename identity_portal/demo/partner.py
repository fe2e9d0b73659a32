"""The demo's partner: the tenant Contoso, with whose accounts people sign in to Woodgrove. The portal is both ends."""

from django.conf import settings

from directory.applications import add_client_secret, create_application
from directory.members import create_member
from directory.models import Application, ApplicationKind, ClientSecret, IdentityProvider, Tenant, User
from directory.tenants import create_tenant
from identity_portal.authority import Authority

SLUG = "contoso"
DOMAIN = "contoso.example"
PERSON_MAIL = f"casey@{DOMAIN}"


def add_partner(tenant: Tenant) -> IdentityProvider:
    """Give `tenant` an OpenID Connect provider at which Contoso's people sign in. What exists stays."""
    partner = Tenant.objects.filter(slug=SLUG).first() or create_tenant(Tenant(slug=SLUG, name="Contoso"))
    if not User.objects.with_mail(partner, PERSON_MAIL).exists():
        create_member(
            User(tenant=partner, mail=PERSON_MAIL, display_name="Casey Jensen", given_name="Casey", surname="Jensen")
        )
    provider = IdentityProvider.objects.filter(tenant=tenant, kind="OpenIdConnect", name="Contoso").first()
    if provider is None:
        provider = IdentityProvider(tenant=tenant, kind="OpenIdConnect", name="Contoso")
        provider.domains = provider.trusted_domains = [DOMAIN]
        provider.settings = {"token_auth_method": "client_secret_post"}
    application = Application.objects.filter(tenant=partner, name=tenant.name).first()
    if application is None or provider.client_id != application.client_id:
        application, provider.secret = _registration(partner, tenant, provider)
        provider.client_id = application.client_id
    # The origin may have moved since the last start.
    provider.settings |= {"issuer": Authority(tenant=partner).issuer}
    application.redirect_uris = _redirect_uri(tenant, provider)
    application.save(update_fields=["redirect_uris"])
    provider.save()
    return provider


def _registration(partner: Tenant, tenant: Tenant, provider: IdentityProvider) -> tuple[Application, str]:
    application = Application.objects.filter(tenant=partner, name=tenant.name).first()
    if application is not None:
        ClientSecret.objects.filter(application=application).delete()
        return application, add_client_secret(application)
    application = Application(tenant=partner, name=tenant.name, kind=ApplicationKind.WEB)
    application.redirect_uris = _redirect_uri(tenant, provider)
    secret = create_application(application)
    if secret is None:
        raise RuntimeError("A web application is made with a secret.")
    return application, secret


def _redirect_uri(tenant: Tenant, provider: IdentityProvider) -> str:
    return f"{settings.BASE_URL}/{tenant.slug}/federation/{provider.pk}/callback"
