"""The sign-in log: every way through a user flow, how far it led and where it ended."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.activities import activity_in_words
from directory.admin.export import ExportedList
from directory.admin.filters import period_filter, relation_filter
from directory.admin.pages import ReadOnly
from directory.admin.scoping import TenantModelAdmin, roles_in, tenant_of
from directory.models import Application, AuditEvent
from directory.roles import may
from userflows.models import Outcome, SignIn, UserFlow
from userflows.sign_in_words import reason_in_words, step_in_words

MAX_EVENTS = 100
BADGES = {
    Outcome.SIGNED_UP: "success",
    Outcome.SIGNED_IN: "success",
    Outcome.REFUSED: "failure",
    Outcome.CANCELLED: "neutral",
    Outcome.IN_PROGRESS: "neutral",
}


class SignInAdmin(ReadOnly, ExportedList, TenantModelAdmin):
    audit_subject = "sign_in"
    menu_name = _("Sign-ins")
    summary = _("Who came, through which user flow, how far, and why somebody could not go on.")
    empty_text = _("Nobody has come yet. Every sign-up and sign-in through a user flow will be listed here.")
    list_display = ("time", "person", "flow", "application", "reached", "result", "attempt")
    list_display_links = ("time",)
    list_filter = (
        "outcome",
        period_filter("started_at"),
        relation_filter("user_flow", UserFlow, _("user flow")),
        relation_filter("application", Application, _("application")),
        "is_test",
    )
    list_select_related = ("user", "user_flow", "flow_version", "application")
    ordering = ("-started_at",)
    sortable_by = ("time",)
    search_fields = ("search_text",)
    search_column = "search_text"
    id_columns = ("correlation_id", "user", "user_flow", "pk")
    search_help_text = _(
        "A person, an email address, an application, a user flow, or the whole of a correlation ID or object ID. "
        "Fewer than three letters find words that begin with them."
    )
    export_activity = "sign_in_log.exported"
    export_columns = (
        *("started_at", "ended_at", "outcome", "reason", "reached", "mail", "user", "user_flow", "version"),
        *("application", "identity_provider", "is_test", "correlation_id", "id", "steps"),
    )
    fieldsets = (
        (None, {"fields": ("time", "result", "reached", "attempt_links", "is_test_run")}),
        (_("Who"), {"fields": ("person", "mail", "identity_provider")}),
        (_("Where"), {"fields": ("flow", "application_link")}),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).defer("flow_version__definition", "user__search_text", "search_text")

    @admin.display(description=_("time (UTC)"), ordering="started_at")
    def time(self, entry: SignIn) -> str:
        return f"{entry.started_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("person"))
    def person(self, entry: SignIn) -> SafeString | str:
        if entry.user is None:
            return entry.mail or _now("Unknown")
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:directory_user_change", args=[entry.user.pk]), entry.user
        )

    @admin.display(description=_("user flow"))
    def flow(self, entry: SignIn) -> SafeString | str:
        if entry.user_flow is None:
            return "–"
        url = reverse("admin:userflows_userflow_change", args=[entry.user_flow.pk])
        version = f"v{entry.flow_version.number}" if entry.flow_version else _now("draft")
        return format_html('<a href="{}">{}</a> {}', url, entry.user_flow, version)

    @admin.display(description=_("application"))
    def application_link(self, entry: SignIn) -> SafeString | str:
        if entry.application is None:
            return "–"
        url = reverse("admin:directory_application_change", args=[entry.application.pk])
        return format_html('<a href="{}">{}</a>', url, entry.application)

    @admin.display(description=_("outcome"))
    def result(self, entry: SignIn) -> SafeString:
        badge = format_html(
            '<span class="badge badge-{}">{}</span>', BADGES[Outcome(entry.outcome)], entry.get_outcome_display()
        )
        test = format_html(' <span class="badge badge-info">{}</span>', _now("Test run")) if entry.is_test else ""
        return format_html("{}{} {}", badge, test, reason_in_words(entry.reason) if entry.reason else "")

    # A cross says that something is wrong, and here it is the rule.
    @admin.display(description=_("test run"))
    def is_test_run(self, entry: SignIn) -> str:
        return _now("Yes") if entry.is_test else _now("No")

    @admin.display(description=_("correlation ID"))
    def attempt(self, entry: SignIn) -> SafeString:
        return format_html('<code title="{}">{}</code>', entry.correlation_id, str(entry.correlation_id)[:8])

    @admin.display(description=_("correlation ID"))
    def attempt_links(self, entry: SignIn) -> SafeString:
        return format_html(
            '<code>{}</code> <a href="{}?q={}">{}</a>',
            entry.correlation_id,
            reverse("admin:directory_auditevent_changelist"),
            entry.correlation_id,
            _now("In the audit log"),
        )

    def get_list_display(self, request: HttpRequest) -> Any:
        sees_people = may(roles_in(request), action="view", subject="user")
        return self.list_display if sees_people else [_unlinked(column) for column in self.list_display]

    def get_fieldsets(self, request: HttpRequest, obj: SignIn | None = None) -> Any:
        if may(roles_in(request), action="view", subject="user"):
            return self.fieldsets
        return [
            (title, {**options, "fields": [column for column in options["fields"] if column != "person"]})
            for title, options in self.fieldsets
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """An application's id is the one that its developers know: its client ID."""
        try:
            client_id = str(uuid.UUID(search_term.strip()))
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        application = Application.objects.filter(tenant=tenant_of(request), client_id=client_id).first()
        if application:
            return queryset.filter(application=application), False
        return super().get_search_results(request, queryset, search_term)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        entry: SignIn = context["original"]
        context["timeline"] = sorted([*_steps(entry), *_events(request, entry)], key=lambda row: row["at"])
        return super().render_change_form(request, context, **kwargs)

    def export_row(self, row: SignIn) -> list[Any]:
        own = {"version": row.flow_version.number if row.flow_version else "", "reached": row.get_reached_display()}
        return [own.get(column, getattr(row, column, "")) for column in self.export_columns]


def _unlinked(column: str) -> str:
    return "mail" if column == "person" else column


def _steps(entry: SignIn) -> Iterator[dict[str, Any]]:
    for step in entry.steps:
        refused = step.get("outcome") == "refused"
        yield {"at": datetime.fromisoformat(step["at"]), "words": step_in_words(step), "refused": refused}


def _events(request: HttpRequest, entry: SignIn) -> Iterator[dict[str, Any]]:
    """What the audit log tells of the same attempt, for those who may read it."""
    if not may(roles_in(request), action="view", subject="auditevent"):
        return
    events = AuditEvent.objects.filter(tenant=tenant_of(request), correlation_id=entry.correlation_id)
    for event in events.order_by("at")[:MAX_EVENTS]:
        url = reverse("admin:directory_auditevent_change", args=[event.pk])
        refused = event.result == AuditEvent.Result.FAILURE
        reason = reason_in_words(event.reason) if event.reason else ""
        words = {"words": activity_in_words(event.activity), "code": event.activity, "reason": reason}
        yield {"at": event.at, "url": url, "refused": refused, **words}
