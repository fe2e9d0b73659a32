from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from directory.admin.pages import PlainModelForm
from directory.admin.scoping import TenantModelAdmin, tenant_of
from directory.models import Tenant


class TenantAdmin(TenantModelAdmin):
    """A tenant's site knows one tenant: its own."""

    tenant_path = "pk"
    form = PlainModelForm
    menu_name = _("Tenant")
    audit_subject = "tenant"
    summary = _(
        "Your organisation's name, language and links, who can sign up, and how long sign-ins and logs are kept."
    )
    fieldsets = (
        (_("Organisation"), {"fields": ("name", "slug", "tenant_id", "default_language")}),
        (_("Sign-up"), {"fields": ("sign_up_enabled", "admission", "domains")}),
        (_("Sessions"), {"fields": ("session_hours", "keep_signed_in_days")}),
        (_("On the sign-up pages"), {"fields": ("support_contact", "privacy_url", "terms_url")}),
        (_("Logs"), {"fields": ("audit_retention_days", "sign_in_retention_days")}),
    )
    readonly_fields = ("slug", "tenant_id")

    @admin.display(description=_("tenant ID"))
    def tenant_id(self, tenant: Tenant) -> SafeString:
        return format_html("<code>{}</code>", tenant.pk)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A list of one is no list: straight to the tenant."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return redirect(f"{self.admin_site.name}:directory_tenant_change", tenant_of(request).pk)
