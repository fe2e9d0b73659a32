"""Two tenants with something of everything, and browsers that are signed in to the admin."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.test import Client

from directory.applications import create_application
from directory.members import assign_role, create_operator
from directory.models import (
    Application,
    AppRoleAssignment,
    AuditEvent,
    ClientSecret,
    Identity,
    IdentityProvider,
    Tenant,
    User,
    UserAttribute,
)
from directory.models.identity import MAIL_ISSUER
from directory.roles import Role
from directory.session_store import SessionStore
from identity_portal.oidc.keys import active_key
from identity_portal.oidc.models import SigningKey
from tests.conftest import PASSWORD, REDIRECT_URI
from userflows.models import ApplicationAssignment, SignIn, UserFlow


@dataclass
class Furnished:
    """A tenant with one of each. Everything that a person could read in it contains `marker`."""

    tenant: Tenant
    marker: str
    admin: User
    guest: User
    flow: UserFlow
    attribute: UserAttribute
    application: Application
    secret: str
    key: SigningKey
    event: AuditEvent
    entry: SignIn
    ids: list[str] = field(default_factory=list)

    @property
    def admin_url(self) -> str:
        return f"/{self.tenant.slug}/admin/"

    @property
    def provider(self) -> IdentityProvider:
        return self.tenant.identity_providers.get(kind="EmailOTP")


def browser_of(user: User, *, methods: tuple[str, ...] = ("pwd", "otp", "mfa"), proven: bool = True) -> Client:
    """Return a browser with a session of `user`, as signing in leaves it."""
    session = SessionStore(tenant_id=user.tenant_id)
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "identity_portal.tenancy.TenantBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session["amr"] = list(methods)
    if proven:
        session["step_up_at"] = int(time.time())
    session.create()
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = session.session_key or ""
    return browser


@cache
def password_hash() -> str:
    """Hashing takes its time by design: once is enough for people who don't sign in."""
    return make_password(PASSWORD)


@pytest.fixture
def make_admin(db: None) -> Callable[..., User]:
    def make(tenant: Tenant, *roles: Role, mail: str = "admin@woodgrove.example") -> User:
        member = User(tenant=tenant, user_type="Member", mail=mail, display_name=mail)
        member.save()
        for role in roles:
            assign_role(member, role=role)
        # As a one-time link would: a first role voids what was there before.
        member.password = password_hash()
        member.save(update_fields=["password"])
        return member

    return make


@pytest.fixture
def make_guest() -> Callable[..., User]:
    def make(tenant: Tenant, mail: str = "guest@supplier.example", **values: object) -> User:
        guest = User(tenant=tenant, mail=mail, creation_type="SelfServiceSignUp", **values)
        guest.set_unusable_password()
        guest.save()
        Identity.objects.create(
            tenant=tenant, user=guest, sign_in_type="emailAddress", issuer=MAIL_ISSUER, issuer_assigned_id=mail
        )
        return guest

    return make


@pytest.fixture
def make_application() -> Callable[..., Application]:
    def make(tenant: Tenant, name: str = "Supplier Portal", kind: str = "web", **values: object) -> Application:
        application = Application(tenant=tenant, name=name, kind=kind, **{"redirect_uris": REDIRECT_URI, **values})
        create_application(application)
        return application

    return make


def make_sign_in(flow: UserFlow, application: Application, *, user: User | None = None, **values: object) -> SignIn:
    """Return an entry of the sign-in log, as it stands at the end of a journey."""
    mail = user.mail if user else ""
    steps = [{"at": "2026-01-01T12:00:00+00:00", "step": "started", "outcome": "done"}]
    made: dict[str, object] = {
        "id": uuid.uuid4(),
        "tenant": flow.tenant,
        "user_flow": flow,
        "flow_version": flow.live_version,
        "application": application,
        "user": user,
        "mail": mail,
        "correlation_id": uuid.uuid4(),
        "steps": steps,
        "search_text": f"{mail}\n{user or ''}\n{flow}\n{application}".lower(),
    }
    return SignIn.objects.create(**(made | values))


@pytest.fixture
def furnish(
    make_tenant: Callable[..., Tenant],
    make_admin: Callable[..., User],
    make_guest: Callable[..., User],
    make_attribute: Callable[..., UserAttribute],
    make_user_flow: Callable[..., UserFlow],
) -> Callable[[str], Furnished]:
    def make(slug: str) -> Furnished:
        marker = f"{slug}-marker"
        tenant = make_tenant(slug, name=f"{marker} Ltd")
        attribute = make_attribute(tenant, f"{slug}_marker", description=marker)
        flow = make_user_flow(tenant, f"{slug}_marker", questions=("GivenName", attribute.name))
        application = Application(tenant=tenant, name=f"{marker} app", kind="web", redirect_uris=REDIRECT_URI)
        secret = create_application(application) or ""
        ApplicationAssignment.objects.create(user_flow=flow, application=application)
        guest = make_guest(
            tenant, f"guest@{marker}.example", display_name=f"{marker} guest", extension_values={attribute.name: marker}
        )
        AppRoleAssignment.objects.create(user=guest, application=application)
        admin = make_admin(tenant, Role.GLOBAL_ADMINISTRATOR, mail=f"admin@{marker}.example")
        event = AuditEvent.objects.filter(tenant=tenant, target_id=str(admin.pk)).latest("at")
        entry = make_sign_in(flow, application, user=guest, outcome="signedUp", reached=4)
        key = active_key(tenant, "ES256")
        furnished = Furnished(tenant, marker, admin, guest, flow, attribute, application, secret, key, event, entry)
        owned = [tenant, guest, admin, flow, attribute, event, entry, key, furnished.provider]
        owned.append(ClientSecret.objects.get(application=application))
        furnished.ids = [*(str(row.pk) for row in owned), application.client_id, key.kid, secret]
        return furnished

    return make


@pytest.fixture
def ours(furnish: Callable[[str], Furnished]) -> Furnished:
    return furnish("woodgrove")


@pytest.fixture
def theirs(furnish: Callable[[str], Furnished]) -> Furnished:
    return furnish("globex")


@pytest.fixture
def browser(ours: Furnished) -> Client:
    """Our Global Administrator's."""
    return browser_of(ours.admin)


@pytest.fixture
def operator(db: None) -> User:
    return create_operator(User(mail="ops@portal.example", display_name="Olu Operator"), password=PASSWORD)
