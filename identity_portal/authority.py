"""The authority that a request came to: a tenant, or one flow of a tenant. Issuer and endpoints are built from it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings
from django.urls import get_script_prefix, reverse, set_script_prefix

from directory.models import Tenant
from userflows.models import UserFlow


@dataclass(frozen=True)
class Authority:
    """What clients call the authority: `https://host/{tenant}`, or `https://host/{tenant}/{flow}`."""

    tenant: Tenant
    user_flow: UserFlow | None = None

    @property
    def path(self) -> str:
        return f"/{self.tenant.slug}" + (f"/{self.user_flow.name}" if self.user_flow else "")

    @property
    def url(self) -> str:
        return f"{settings.BASE_URL}{self.path}"

    @property
    def issuer(self) -> str:
        """The `iss` of every token and response of this authority (OpenID Connect Discovery 1.0, 4.3)."""
        return f"{self.url}/v2.0"


_current: ContextVar[Authority] = ContextVar("authority")


def current_authority() -> Authority:
    """Return the authority of the request in progress. Raises LookupError outside a tenant's pages."""
    return _current.get()


@contextmanager
def authority_scope(authority: Authority) -> Iterator[None]:
    token = _current.set(authority)
    try:
        yield
    finally:
        _current.reset(token)


def tenant_path(tenant: Tenant, name: str, *args: object) -> str:
    """Return the path of a tenant's page by its URL name, without a flow in it, from anywhere (commands too)."""
    before = get_script_prefix()
    set_script_prefix(f"/{tenant.slug}/")
    try:
        return reverse(name, urlconf=settings.TENANT_URLCONF, args=args)
    finally:
        set_script_prefix(before)
