"""Whose work is being done: the tenant of the request, and the rule that rows of two tenants never meet."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from directory.models import Tenant

_current_tenant: ContextVar["Tenant | None"] = ContextVar("current_tenant", default=None)


def current_tenant() -> "Tenant | None":
    """Return the tenant of the request or command in progress, None on the platform's own pages."""
    return _current_tenant.get()


@contextmanager
def tenant_scope(tenant: "Tenant | None") -> Iterator[None]:
    """Work for `tenant` inside the block. The library's hooks that get no request ask `current_tenant()`."""
    token = _current_tenant.set(tenant)
    try:
        yield
    finally:
        _current_tenant.reset(token)


def check_same_tenant(instance: models.Model, *field_names: str) -> None:
    """Refuse foreign keys that lead into another tenant.

    Row-level security does not check foreign keys, so this is the only fence there.

    Raises ValidationError, keyed by the field that crosses.
    """
    own_tenant_id = getattr(instance, "tenant_id")  # noqa: B009 - the attribute is not on models.Model
    errors = {}
    for name in field_names:
        other = getattr(instance, name, None)
        if other is not None and other.tenant_id != own_tenant_id:
            errors[name] = _("Choose one of this tenant.")
    if errors:
        raise ValidationError(errors)
