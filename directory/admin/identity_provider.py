from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.scoping import TenantModelAdmin
from directory.models import IdentityProvider


class IdentityProviderAdmin(TenantModelAdmin):
    """The built-in way to sign in. Others can't be added yet, and this one is never deleted: it is switched off."""

    audit_subject = "identity_provider"
    summary = _("The ways in which people prove who they are.")
    empty_text = _("No identity provider yet.")
    list_display: tuple[str, ...] = ("name", "kind", "state")
    ordering = ("created_at", "name")
    fields = ("name", "kind", "is_enabled")
    readonly_fields = ("kind",)

    @admin.display(description=_("state"), ordering="is_enabled")
    def state(self, provider: IdentityProvider) -> SafeString:
        badge, words = ("success", _now("On")) if provider.is_enabled else ("neutral", _now("Switched off"))
        return format_html('<span class="badge badge-{}">{}</span>', badge, words)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
