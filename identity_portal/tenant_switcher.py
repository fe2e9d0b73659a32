"""The other tenants that a person administers: there they are somebody else, with the same e-mail address.

Only tenants that this very browser has signed in to are named. Whoever runs a tenant may add members with any address,
so an address alone proves nothing: it must not tell one tenant where else somebody is an administrator.
"""

import uuid
from typing import TypeVar

from django.conf import settings
from django.core import signing
from django.db.models import Value
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse

from directory.models import RoleAssignment, Tenant, User, UserType

COOKIE_NAME = "portal_tenants"
MAX_AGE = 180 * 24 * 3600
KEPT = 10

Response = TypeVar("Response", bound=HttpResponse)


def remember_tenant(request: HttpRequest, response: Response) -> Response:
    """Note in the browser that an administrator has just signed in to this tenant, with everything that takes."""
    tenant: Tenant | None = getattr(request, "tenant", None)
    if tenant is None:
        return response
    others = [kept for kept in _remembered(request) if kept != tenant.pk]
    response.set_cookie(
        COOKIE_NAME,
        signing.dumps([kept.hex for kept in [tenant.pk, *others][:KEPT]], salt=COOKIE_NAME),
        max_age=MAX_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def other_tenants(request: HttpRequest) -> list[Tenant]:
    """Return the active tenants of this browser in which a member with a role has the person's address.

    For a person who is fully signed in. They sign in there anew: nothing but the tenant's name crosses over.
    """
    user = request.user
    ids = _remembered(request)
    if not isinstance(user, User) or user.tenant_id is None or not set(ids) - {user.tenant_id}:
        return []
    namesakes = RoleAssignment.objects.alias(mail_in_lower_case=Lower("user__mail")).filter(
        mail_in_lower_case=Lower(Value(user.mail)),
        user__tenant__in=ids,
        user__user_type=UserType.MEMBER,
        user__account_enabled=True,
        user__deleted_at=None,
    )
    tenants = Tenant.objects.filter(is_active=True, pk__in=namesakes.values("user__tenant"))
    return list(tenants.exclude(pk=user.tenant_id).order_by("name"))


def _remembered(request: HttpRequest) -> list[uuid.UUID]:
    try:
        kept = signing.loads(request.COOKIES.get(COOKIE_NAME, ""), salt=COOKIE_NAME, max_age=MAX_AGE)
    except signing.BadSignature:
        return []
    return [uuid.UUID(tenant) for tenant in kept]
