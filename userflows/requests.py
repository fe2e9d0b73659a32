"""The request as the tenant's pages know it: the middleware has set `tenant`."""

from django.http import HttpRequest

from directory.models import Tenant


class TenantRequest(HttpRequest):
    """For annotations: a request under `/{tenant}/`. On the pages of “Run user flow” `is_test_run` is set."""

    tenant: Tenant
    is_test_run: bool


def client_address(request: HttpRequest) -> str:
    """Return the address of the browser, as the nearest trusted proxy saw it."""
    return str(request.META.get("REMOTE_ADDR", ""))
