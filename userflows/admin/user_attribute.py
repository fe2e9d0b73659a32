"""The attributes, with what the ground floor doesn't know: which flows ask for them."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin import UserAttributeAdmin
from directory.admin.auditing import actor_of
from directory.models import UserAttribute
from userflows.attribute_use import delete_attribute, flows_that_use, why_kept
from userflows.models import AttributeAssignment, UserFlow, UserFlowVersion

# A flow may be among them twice: by its draft, and by its live version.
SHOWN_IN_LIST = 4
SHOWN_ON_PAGE = 50


def flow_link(user_flow: UserFlow, words: str = "") -> SafeString:
    page = reverse("tenant_admin:userflows_userflow_change", args=(user_flow.pk,))
    return format_html('<a href="{}">{}</a>', page, words or user_flow)


def place_words(*, in_draft: bool, is_live: bool) -> str:
    if in_draft and is_live:
        return _now("draft and live")
    return _now("live") if is_live else _now("draft")


class FlowAttributeAdmin(UserAttributeAdmin):
    list_display = (*UserAttributeAdmin.list_display, "asked_in")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        attributes = super().get_queryset(request)
        page = request.resolver_match.url_name if request.resolver_match else ""
        if page != "directory_userattribute_changelist":
            return attributes
        # Narrow rows: the database sorts all flows of an attribute to find its first few.
        drafts = AttributeAssignment.objects.select_related("user_flow").only("user_attribute", "user_flow__name")
        live = UserFlowVersion.objects.filter(live_in__isnull=False).select_related("user_flow").only("user_flow__name")
        first_drafts = drafts.order_by("user_flow__name")[:SHOWN_IN_LIST]
        first_live = live.order_by("user_flow__name")[:SHOWN_IN_LIST]
        return attributes.prefetch_related(
            Prefetch("attribute_assignments", first_drafts, to_attr="some_drafts"),
            Prefetch("user_flow_versions", first_live, to_attr="some_live"),
        )

    @admin.display(description=_("asked in user flows"))
    def asked_in(self, attribute: Any) -> str | SafeString:
        drafts = {assignment.user_flow for assignment in attribute.some_drafts}
        live = {version.user_flow for version in attribute.some_live}
        flows = sorted(drafts | live, key=lambda flow: flow.name)
        if not flows:
            return "–"
        shown = [(flow, flow in drafts, flow in live) for flow in flows[: SHOWN_IN_LIST - 1]]
        more = _now(" and more") if len(flows) >= SHOWN_IN_LIST else ""
        return format_html("{}{}", _links(shown, ", "), more)

    @admin.display(description=_("asked in user flows"))
    def used_in(self, attribute: UserAttribute) -> str | SafeString:
        flows = list(flows_that_use(attribute)[: SHOWN_ON_PAGE + 1])
        if not flows:
            return _now("None asks for it.")
        shown = [(flow, flow.in_draft, flow.is_live) for flow in flows[:SHOWN_ON_PAGE]]
        more = _now(" and more") if len(flows) > SHOWN_ON_PAGE else ""
        return format_html("{}{}", _links(shown, ", "), more)

    def get_fields(self, request: HttpRequest, obj: UserAttribute | None = None) -> tuple[str, ...]:
        fields = super().get_fields(request, obj)
        return (*fields, "used_in") if obj else fields

    def get_readonly_fields(self, request: HttpRequest, obj: UserAttribute | None = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), "used_in")

    # --- deleting, by the verb ----------------------------------------------------------------------------------------

    def why_not_deleted(self, request: HttpRequest, obj: UserAttribute) -> list[str]:
        opened = _now("Open the user flow")
        return [
            format_html("{} {}", why_kept(flow), flow_link(flow, opened))
            for flow in flows_that_use(obj)[:SHOWN_ON_PAGE]
        ]

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except ValidationError as refused:
            # A flow began to ask for it while the person looked at the confirmation.
            self.message_user(request, " ".join(refused.messages), messages.ERROR)
            page = f"{self.admin_site.name}:directory_userattribute_change"
            return HttpResponseRedirect(reverse(page, args=(object_id,)))

    def delete_model(self, request: HttpRequest, obj: UserAttribute) -> None:
        delete_attribute(obj, actor=actor_of(request))

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> None:  # type: ignore[override]
        """Done by the verb, with what is deleted."""


def _links(shown: list[tuple[UserFlow, bool, bool]], separator: str) -> SafeString:
    places = ((flow_link(flow), place_words(in_draft=in_draft, is_live=is_live)) for flow, in_draft, is_live in shown)
    return format_html_join(separator, "{} ({})", places)
