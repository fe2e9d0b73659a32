"""What platform operators see: tenants, each other, and the platform's own log. Never a tenant's people."""

from typing import Any

from django import forms
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from directory.admin.audit_event import AuditEventPages
from directory.admin.auditing import actor_of
from directory.admin.pages import PlainModelForm, PortalModelAdmin, ReadOnly
from directory.models import Tenant, User
from directory.tenants import create_tenant


class NewTenantForm(PlainModelForm):
    """A new tenant, with the person who will run it."""

    admin_mail = forms.EmailField(
        label=_("Email address"),
        max_length=254,
        help_text=_("They become Global Administrator, and get a link by which they set their password."),
    )
    admin_name = forms.CharField(label=_("Name"), max_length=256)


class PlatformTenantAdmin(PortalModelAdmin):
    audit_subject = "tenant"
    added_by_verb = True
    summary = _("The customers of the portal, each with a directory of its own.")
    empty_text = _("No tenant yet. A tenant is a customer of the portal with a directory of its own.")
    list_display = ("name", "slug", "is_active", "sign_up_enabled", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "slug")
    new_fieldset = (_("First administrator"), {"fields": ("admin_name", "admin_mail")})
    fieldsets = (
        (None, {"fields": ("name", "slug", "default_language", "is_active")}),
        (
            _("Sign-up"),
            {
                "fields": ("sign_up_enabled", "support_contact", "privacy_url", "terms_url"),
                "description": _("The tenant's own administrators can change these, too."),
            },
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        basics, *others = self.fieldsets
        return self.fieldsets if obj else (basics, self.new_fieldset, *others)

    def get_form(self, request: HttpRequest, obj: Tenant | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, form=self.form if obj else NewTenantForm, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> tuple[str, ...]:
        return ("slug",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A tenant is switched off. Deleting people and tokens by the million is no matter for a web page."""
        return False

    def audited_tenant(self, request: HttpRequest, obj: models.Model) -> Tenant | None:
        """The tenant itself: what operators do to it, its administrators can read."""
        return obj if isinstance(obj, Tenant) else None

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: Any) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            admin = User(mail=form.cleaned_data["admin_mail"], display_name=form.cleaned_data["admin_name"])
            create_tenant(obj, admin=admin, actor=actor_of(request))


class OperatorAdmin(ReadOnly, PortalModelAdmin):
    audit_subject = "operator"
    summary = _("Who may open these pages.")
    empty_text = _("No operator yet.")
    list_display = ("mail", "display_name", "account_enabled", "created_at")
    search_fields = ("mail", "display_name")
    ordering = ("mail",)
    fields = ("mail", "display_name", "account_enabled", "created_at", "last_login")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).filter(is_operator=True)

    def audited_tenant(self, request: HttpRequest, obj: models.Model) -> None:
        return None


class PlatformAuditEventAdmin(AuditEventPages):
    """What happened outside all tenants. The tenants' logs are their own."""

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).filter(tenant=None)

    def audited_tenant(self, request: HttpRequest, obj: models.Model) -> None:
        return None
