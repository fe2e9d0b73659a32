from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from directory.admin.activities import activity_in_words, titled_activity
from directory.admin.export import ExportedList
from directory.admin.filters import DistinctFilter, period_filter
from directory.admin.pages import ReadOnly
from directory.admin.readable import event_details, kind_of, model_named
from directory.admin.scoping import TenantModelAdmin
from directory.models import AuditEvent


class ActivityFilter(DistinctFilter):
    title = _("activity")
    parameter_name = column = "activity"

    def label(self, value: str) -> str:
        return f"{activity_in_words(value)} ({value})"


class TargetFilter(DistinctFilter):
    title = _("what it was done to")
    parameter_name = column = "target_type"

    def label(self, value: str) -> str:
        return str(capfirst(kind_of(value)))


class ActorFilter(admin.SimpleListFilter):
    title = _("who did it")
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("user", _("A person")), ("application", _("An application")), ("nobody", _("Nobody signed in"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        kinds = {"user": "user", "application": "application", "nobody": ""}
        if self.value() not in kinds:
            return queryset
        return queryset.filter(actor_type=kinds[str(self.value())])


class AuditEventPages(ReadOnly, ExportedList):
    """How audit events are shown: newest first, found by what was done, by whom, to what, or by correlation id."""

    menu_name = _("Audit log")
    summary = _("Who did what, when. Find a person's attempt by the correlation ID of their error page.")
    empty_text = _("Nothing has happened yet. Every sign-up, sign-in and change will be listed here.")
    list_display = ("time", "what", "actor_name", "target_name", "outcome")
    list_display_links = ("time", "what")
    list_filter = ("result", period_filter("at"), ActorFilter, ActivityFilter, TargetFilter)
    ordering = ("-at",)
    sortable_by = ("time",)
    search_fields = ("search_text",)
    search_column = "search_text"
    id_columns = ("correlation_id", "target_id", "actor_id", "pk")
    search_help_text = _(
        "A person, an application, a user flow, an activity, or the whole of a correlation ID or object ID. "
        "Fewer than three letters find words that begin with them."
    )
    export_activity = "audit_log.exported"
    export_columns = (
        *("at", "activity", "result", "reason", "actor_type", "actor_id", "actor_name"),
        *("target_type", "target_id", "target_name", "correlation_id", "details"),
    )
    fieldsets = (
        (None, {"fields": ("time", "what_and_code", "outcome", "attempt")}),
        (_("By whom"), {"fields": ("actor", "actor_type", "actor_id")}),
        (_("To what"), {"fields": ("target", "target_type", "target_id")}),
        (_("Details"), {"fields": ("readable_details",)}),
    )

    @admin.display(description=_("time (UTC)"), ordering="at")
    def time(self, event: AuditEvent) -> str:
        return f"{event.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("activity"))
    def what(self, event: AuditEvent) -> SafeString:
        return titled_activity(event.activity)

    @admin.display(description=_("activity"))
    def what_and_code(self, event: AuditEvent) -> SafeString:
        return format_html("{} <code>{}</code>", activity_in_words(event.activity), event.activity)

    @admin.display(description=_("result"))
    def outcome(self, event: AuditEvent) -> SafeString:
        words = event.get_result_display()
        text = f"{words}: {event.reason}" if event.reason else words
        return format_html('<span class="badge badge-{}">{}</span>', event.result, text)

    @admin.display(description=_("correlation ID"))
    def attempt(self, event: AuditEvent) -> SafeString:
        """What happened in the same attempt is one click away."""
        return format_html(
            '<code>{}</code> <a href="{}?q={}">{}</a>',
            event.correlation_id,
            reverse("admin:directory_auditevent_changelist"),
            event.correlation_id,
            _("Everything of this attempt"),
        )

    @admin.display(description=_("actor"))
    def actor(self, event: AuditEvent) -> SafeString | str:
        return self._linked(event, event.actor_name, event.actor_type, event.actor_id)

    @admin.display(description=_("target"))
    def target(self, event: AuditEvent) -> SafeString | str:
        return self._linked(event, event.target_name, event.target_type, event.target_id)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The event, with the request of who reads it: what it names is linked for those who may open it."""
        event = super().get_object(request, object_id, from_field)
        if event is not None:
            event.read_by = request
        return event

    def _linked(self, event: Any, name: str, model_name: str, pk: str) -> SafeString | str:
        """The page may be gone: then it says so itself."""
        model = model_named(model_name)
        if model is None or not self.admin_site.is_registered(model):
            return name or "–"
        if not self.admin_site.get_model_admin(model).has_view_permission(event.read_by):
            return name
        try:
            url = reverse(f"admin:{model._meta.app_label}_{model_name}_change", args=[pk])
        except NoReverseMatch:
            return name
        return format_html('<a href="{}">{}</a>', url, name)

    @admin.display(description=_("details"))
    def readable_details(self, event: AuditEvent) -> SafeString | str:
        return event_details(event) or "–"


class AuditEventAdmin(AuditEventPages, TenantModelAdmin):
    """A tenant's own log."""
