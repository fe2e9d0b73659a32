"""The request as the tenant's pages know it: the middleware has set `tenant`."""

from typing import Any

from django.http import HttpRequest

from directory.models import Tenant


class TenantRequest(HttpRequest):
    """For annotations: a request under `/{tenant}/`. On the pages of “Run user flow” `is_test_run` is set,
    `is_passkey_refused` where a page comes again after a passkey that didn't count.

    `prepared` is what a step has found out before its journey is locked (userflows.steps).
    """

    tenant: Tenant
    is_test_run: bool
    is_passkey_refused: bool
    prepared: Any


def client_address(request: HttpRequest) -> str:
    """Return the address of the browser, as the nearest trusted proxy saw it."""
    return str(request.META.get("REMOTE_ADDR", ""))
