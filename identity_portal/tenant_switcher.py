"""The other tenants that a person administers: there they are somebody else, with the same e-mail address."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet, Value
from django.db.models.functions import Lower
from django.http import HttpRequest

from directory.models import RoleAssignment, Tenant, User, UserType

FACT = "other_tenants"


def other_tenants_of(user: User) -> list[Tenant]:
    """Return the active tenants in which a member with a role has this person's address.

    They sign in there anew: nothing but the tenant's name crosses over. Reads all administrators of all tenants, so it
    is asked once, at sign-in.
    """
    if user.tenant_id is None:
        return []
    return list(_administered_by(user, Tenant.objects.exclude(pk=user.tenant_id)))


def remember_other_tenants(request: HttpRequest, user: User) -> None:
    request.session[FACT] = [str(tenant.pk) for tenant in other_tenants_of(user)]


def other_tenants(request: HttpRequest) -> list[Tenant]:
    """Return what was found at sign-in and is still so. For a person who is fully signed in."""
    ids: Iterable[Any] = request.session.get(FACT, ())
    if not ids or not isinstance(request.user, User):
        return []
    return list(_administered_by(request.user, Tenant.objects.filter(pk__in=ids)))


def _administered_by(user: User, tenants: QuerySet[Tenant]) -> QuerySet[Tenant]:
    namesakes = RoleAssignment.objects.alias(mail_in_lower_case=Lower("user__mail")).filter(
        mail_in_lower_case=Lower(Value(user.mail)),
        user__tenant__in=tenants,
        user__user_type=UserType.MEMBER,
        user__account_enabled=True,
        user__deleted_at=None,
    )
    return Tenant.objects.filter(is_active=True, pk__in=namesakes.values("user__tenant")).order_by("name")
