"""The two rules of a tenant's admin site: only the tenant's own rows, and only what the person's roles allow."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest

from directory.admin.pages import PlainModelForm, PortalModelAdmin
from directory.members import roles_of
from directory.models import Tenant, User
from directory.roles import may
from directory.tenant_scope import current_tenant


def tenant_of(request: HttpRequest) -> Tenant:
    """Return whose site this is. Nothing here is for the platform's own pages: they are refused."""
    tenant: Tenant | None = getattr(request, "tenant", None)
    if tenant is None:
        raise PermissionDenied
    return tenant


def roles_in(request: HttpRequest) -> frozenset[str]:
    """Return the roles that the person holds in this tenant, read once for each request."""
    if not isinstance(request.user, User):
        return frozenset()
    roles: frozenset[str] | None = getattr(request, "_roles", None)
    if roles is None:
        roles = roles_of(request.user, tenant=tenant_of(request))
        request._roles = roles  # type: ignore[attr-defined]
    return roles


class TenantForm(PlainModelForm):
    """A form on a row that has a tenant: set before the row is checked, so that uniqueness in it is checked."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            self.instance.tenant = current_tenant()

    def _get_validation_exclusions(self) -> set[str]:
        # Django leaves out the constraints that name a column which is no field of the form.
        return super()._get_validation_exclusions() - {"tenant"}  # type: ignore[misc,no-any-return]


class TenantScoped(BaseModelAdmin):  # type: ignore[type-arg]
    """For everything on a tenant's site: a ModelAdmin or an inline.

    `tenant_path` leads from the model to the tenant's id; a model without one is a FieldError, never everybody's rows.
    `subject` is the model's name in directory.roles.PERMISSIONS.
    """

    tenant_path = "tenant"
    subject = ""
    view_on_site: Any = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).filter(**{self.tenant_path: tenant_of(request).pk})

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> models.QuerySet[Any]:
        """Foreign keys and many-to-many fields offer, and accept, the tenant's own rows only."""
        choices = super().get_field_queryset(db, db_field, request)
        if choices is None:
            choices = db_field.remote_field.model._default_manager.all()
        return choices.filter(tenant=tenant_of(request).pk)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        """Without the pop-up windows for adding and changing what a field points to."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def may(self, request: HttpRequest, action: str) -> bool:
        return may(roles_in(request), action=action, subject=self.subject or self.opts.model_name or "")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "view")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "delete")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "view")


class TenantModelAdmin(TenantScoped, PortalModelAdmin):
    form: type[PlainModelForm] = TenantForm

    def audited_tenant(self, request: HttpRequest, obj: models.Model) -> Tenant:
        return tenant_of(request)


class TenantTabularInline(TenantScoped, admin.TabularInline):  # type: ignore[type-arg]
    form = PlainModelForm
    extra = 0


class TenantStackedInline(TenantScoped, admin.StackedInline):  # type: ignore[type-arg]
    extra = 0
