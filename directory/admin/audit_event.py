import uuid
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from directory.admin.pages import PortalModelAdmin, ReadOnly
from directory.admin.readable import definition_list
from directory.admin.scoping import TenantModelAdmin
from directory.models import AuditEvent


class AuditEventPages(ReadOnly, PortalModelAdmin):
    """How audit events are shown: newest first, found by what was done, by whom, to what, or by correlation id."""

    menu_name = _("Audit log")
    summary = _("Who did what, when. Find a person's attempt by the correlation ID of their error page.")
    empty_text = _("Nothing has happened yet. Every sign-up, sign-in and change will be listed here.")
    list_display = ("time", "activity", "actor_name", "target_name", "outcome")
    list_display_links = ("time", "activity")
    list_filter = (("at", admin.DateFieldListFilter), "result")
    ordering = ("-at",)
    sortable_by = ("time",)
    search_fields = ("activity", "actor_name", "target_name")
    search_help_text = _("An activity, a name, or the whole of a correlation ID or object ID.")
    fieldsets = (
        (None, {"fields": ("time", "activity", "outcome", "correlation_id")}),
        (_("By whom"), {"fields": ("actor_name", "actor_type", "actor_id")}),
        (_("To what"), {"fields": ("target_name", "target_type", "target_id")}),
        (_("Details"), {"fields": ("readable_details",)}),
    )

    @admin.display(description=_("time (UTC)"), ordering="at")
    def time(self, event: AuditEvent) -> str:
        return f"{event.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("result"))
    def outcome(self, event: AuditEvent) -> SafeString:
        words = event.get_result_display()
        text = f"{words}: {event.reason}" if event.reason else words
        return format_html('<span class="badge badge-{}">{}</span>', event.result, text)

    @admin.display(description=_("details"))
    def readable_details(self, event: AuditEvent) -> SafeString | str:
        return definition_list(event.details.items()) or "–"

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """An id is looked up in the indexes for ids; anything else is searched in the words."""
        try:
            wanted = uuid.UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(Q(correlation_id=wanted) | Q(target_id=str(wanted)) | Q(actor_id=str(wanted))), False


class AuditEventAdmin(AuditEventPages, TenantModelAdmin):
    """A tenant's own log."""
