"""The request as the tenant's pages know it: the middleware has set `tenant`."""

from django.http import HttpRequest

from directory.models import Tenant


class TenantRequest(HttpRequest):
    """For annotations: a request under `/{tenant}/`."""

    tenant: Tenant


def client_address(request: HttpRequest) -> str:
    """Return the address of the browser, as the nearest trusted proxy saw it."""
    return str(request.META.get("REMOTE_ADDR", ""))
