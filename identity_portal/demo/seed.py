"""What the demo begins with: the tenant Woodgrove, its flow, two applications, an administrator, a partner."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from directory.applications import add_client_secret, create_application
from directory.identity_providers import create_identity_provider
from directory.members import create_member, create_operator
from directory.models import (
    PASSKEY,
    Application,
    ApplicationKind,
    ClientSecret,
    IdentityProvider,
    Tenant,
    User,
    UserAttribute,
)
from directory.one_time_link import find_person, make_link
from directory.roles import Role
from directory.tenants import create_tenant
from identity_portal.authority import Authority
from identity_portal.demo.partner import PERSON_MAIL, add_partner
from userflows.flows import NewQuestion, assign_application, create_user_flow
from userflows.models import InputType, UserFlow
from userflows.publishing import publish

SLUG = "woodgrove"
ADMIN_MAIL = "admin@woodgrove.example"
OPERATOR_MAIL = "operator@portal.example"
QUESTIONS = (
    NewQuestion("GivenName"),
    NewQuestion("Surname"),
    NewQuestion("extension_BusinessName"),
    NewQuestion("extension_BusinessRegistrationCode", hint="As it stands in your country's company register."),
    NewQuestion("extension_Phone", InputType.PHONE, required=False, hint="With the country code."),
    NewQuestion("Country", InputType.COUNTRY),
)


@dataclass(frozen=True)
class DemoApplication:
    """A sample application that the demo runs, at its own origin."""

    name: str
    url: str

    @property
    def redirect_uri(self) -> str:
        return f"{self.url}/signin-oidc"

    @property
    def post_logout_redirect_uri(self) -> str:
        return f"{self.url}/signed-out"


@transaction.atomic
def seed(applications: list[DemoApplication], *, known: dict[str, Any]) -> dict[str, Any]:
    """Make what is missing, and return what the demo tells: var/demo.json.

    `known` is what an earlier run told; links and secrets can't be read back from the database.
    """
    tenant = Tenant.objects.filter(slug=SLUG).first() or _make_tenant()
    add_partner(tenant)
    user_flow = UserFlow.objects.filter(tenant=tenant).first() or _make_user_flow(tenant)
    flow_authority = Authority(tenant=tenant, user_flow=user_flow)
    clients = known.get("clients", [])
    admin = User.objects.with_mail(tenant, ADMIN_MAIL).first() or _make_admin(tenant)
    operator = User.objects.with_mail(None, OPERATOR_MAIL).first() or _make_operator()
    return {
        "issuer": Authority(tenant=tenant).issuer,
        "flow_issuer": flow_authority.issuer,
        "outbox_url": f"{settings.BASE_URL}/demo/outbox/",
        "outbox_dir": str(settings.OUTBOX_DIR),
        "admin": {**_way_in(admin, known.get("admin", {})), "url": f"{settings.BASE_URL}/{SLUG}/admin/"},
        "operator": {**_way_in(operator, known.get("operator", {})), "url": f"{settings.BASE_URL}/admin/"},
        "partner": {"email": PERSON_MAIL},
        "clients": [_client(user_flow, application, clients) for application in applications],
    }


def _make_tenant() -> Tenant:
    tenant = create_tenant(
        Tenant(
            slug=SLUG,
            name="Woodgrove",
            sign_up_enabled=True,
            support_contact="suppliers@woodgrove.example",
            privacy_url="https://woodgrove.example/privacy",
            terms_url="https://woodgrove.example/terms",
        )
    )
    create_identity_provider(IdentityProvider(tenant=tenant, kind=PASSKEY, name="Passkey", may_create_accounts=False))
    for name, label, autocomplete in (
        ("BusinessName", "Business name", "organization"),
        ("BusinessRegistrationCode", "Business registration code", ""),
        ("Phone", "Phone number", "tel"),
    ):
        attribute = UserAttribute(tenant=tenant, name=name, display_name=label, autocomplete=autocomplete)
        attribute.full_clean()
        attribute.save()
    return tenant


def _make_user_flow(tenant: Tenant) -> UserFlow:
    user_flow = create_user_flow(UserFlow(tenant=tenant, name="Suppliers"), questions=QUESTIONS)
    publish(user_flow)
    return user_flow


def _make_admin(tenant: Tenant) -> User:
    admin = User(tenant=tenant, mail=ADMIN_MAIL, display_name="Ada Admin")
    return create_member(admin, roles=[Role.GLOBAL_ADMINISTRATOR])


def _make_operator() -> User:
    return create_operator(User(mail=OPERATOR_MAIL, display_name="Olu Operator"))


def _way_in(person: User, known: dict[str, str]) -> dict[str, str]:
    """Return somebody's address, and the one-time link by which they set their password ("": they have)."""
    link = known.get("one_time_link", "")
    if person.has_usable_password():
        link = ""
    elif not _still_works(link, person):
        link = make_link(person)
    return {"email": person.mail, "one_time_link": link}


def _still_works(link: str, person: User) -> bool:
    *_, uid, token, _end = link.split("/") if link.startswith(f"{settings.BASE_URL}/") else ("", "", "")
    return find_person(person.tenant, uid, token) == person


def _client(user_flow: UserFlow, demo: DemoApplication, known: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the registration of a sample application; its redirect URI follows the port that it runs on."""
    application = Application.objects.filter(tenant=user_flow.tenant, name=demo.name).first()
    secret: str | None = None
    if application is None:
        application = Application(tenant=user_flow.tenant, name=demo.name, kind=ApplicationKind.WEB)
        application.redirect_uris = demo.redirect_uri
        application.post_logout_redirect_uris = demo.post_logout_redirect_uri
        secret = create_application(application)
        assign_application(user_flow, application)
    application.redirect_uris = demo.redirect_uri
    application.post_logout_redirect_uris = demo.post_logout_redirect_uri
    application.full_clean()
    application.save(update_fields=["redirect_uris", "post_logout_redirect_uris"])
    told = next((client for client in known if client["client_id"] == application.client_id), None)
    if secret is None and told:
        secret = told["client_secret"]
    if secret is None:
        ClientSecret.objects.filter(application=application).delete()
        secret = add_client_secret(application)
    return {
        "name": demo.name,
        "kind": application.kind,
        "client_id": application.client_id,
        "client_secret": secret,
        "url": demo.url,
        "redirect_uris": [demo.redirect_uri],
        "post_logout_redirect_uris": [demo.post_logout_redirect_uri],
    }


def read_told(path: Path) -> dict[str, Any]:
    """Return what an earlier run wrote, {} when there was none."""
    return dict(json.loads(path.read_text())) if path.exists() else {}
