from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from userflows.admin.builder import FlowBuilder
from userflows.admin.new_flow import NewFlowPage
from userflows.admin.version_pages import VersionPages
from userflows.definition import assemble, questions_in
from userflows.models import ApplicationAssignment, AttributeAssignment, IdentityProviderAssignment, UserFlow

# People are counted no further than this for a sentence.
MOST_GUESTS_COUNTED = 1000


class StatusFilter(admin.SimpleListFilter):
    title = _("status")
    parameter_name = "status"
    conditions = {  # noqa: RUF012
        "live": models.Q(live_version__isnull=False, sign_up_enabled=True),
        "draft": models.Q(live_version=None),
        "paused": models.Q(live_version__isnull=False, sign_up_enabled=False),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("live", _("Live")), ("draft", _("Not published")), ("paused", _("Paused"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        condition = self.conditions.get(self.value() or "")
        return queryset.filter(condition) if condition else queryset


class UserFlowAdmin(FlowBuilder, VersionPages, NewFlowPage):
    audit_subject = "user_flow"
    summary = _("What people go through when they sign up, and what you ask them.")
    empty_text = _("No user flow yet. A user flow is what people see when they sign up to your applications.")
    add_label = _("Start from a template")
    list_display = ("named", "status", "application_count", "question_count", "published_at")
    list_display_links = ("named",)
    list_filter = (StatusFilter,)
    search_fields = ("name", "description")
    search_help_text = _("By name or description.")
    ordering = ("name",)
    sortable_by = ("named",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        links = ApplicationAssignment.objects.filter(user_flow=models.OuterRef("pk")).order_by()
        counted = links.values("user_flow").annotate(count=models.Count("pk")).values("count")
        flows: models.QuerySet[Any] = (
            super()
            .get_queryset(request)
            .select_related("live_version")
            .annotate(application_count=Coalesce(models.Subquery(counted), 0))
        )
        return flows

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With what the drafts are made of, read at once for the rows of the page."""
        change_list = super().get_changelist_instance(request)
        change_list.result_list = list(change_list.result_list)
        ways = IdentityProviderAssignment.objects.select_related("identity_provider")
        questions = AttributeAssignment.objects.select_related("user_attribute")
        models.prefetch_related_objects(
            change_list.result_list,
            models.Prefetch("identity_provider_assignments", ways),
            models.Prefetch("attribute_assignments", questions),
        )
        return change_list

    @admin.display(description=_("name"), ordering="name")
    def named(self, flow: Any) -> SafeString:
        if not flow.description:
            return format_html("{}", flow.name)
        return format_html('{}<span class="flow-description"><bdi>{}</bdi></span>', flow.name, flow.description)

    @admin.display(description=_("status"))
    def status(self, flow: Any) -> SafeString:
        if flow.live_version is None:
            return format_html('<span class="badge">{}</span>', _now("Not published"))
        kind, words = ("active", _now("Live")) if flow.sign_up_enabled else ("failure", _now("Paused"))
        number = _now("version %(number)d") % {"number": flow.live_version.number}
        badge = format_html('<span class="badge badge-{}">{}</span> {}', kind, words, number)
        if not _differs(flow):
            return badge
        return format_html('{} <span class="badge badge-next">{}</span>', badge, _now("Unpublished changes"))

    @admin.display(description=_("applications"))
    def application_count(self, flow: Any) -> int:
        return int(flow.application_count)

    @admin.display(description=_("questions"))
    def question_count(self, flow: Any) -> int | None:
        return len(questions_in(flow.live_version.definition)) if flow.live_version else None

    @admin.display(description=_("last published"))
    def published_at(self, flow: Any) -> Any:
        return flow.live_version.published_at if flow.live_version else None

    def why_not_deleted(self, request: HttpRequest, obj: UserFlow) -> list[str]:
        reason = _now("The application %(name)s uses it. Remove it from the flow first.")
        names = obj.application_assignments.values_list("application__name", flat=True).order_by("application__name")
        return [reason % {"name": name} for name in names[:20]]

    def what_deleting_hits(self, request: HttpRequest, obj: UserFlow) -> list[str]:
        return [
            _now("Its address stops working, and who is signing up at this moment can't go on."),
            _now("Its questions and all its versions are deleted. They can't be published again."),
            _guests_sentence(obj),
        ]


def _differs(flow: Any) -> bool:
    """Answer whether the draft differs from what people meet, from what the list has read."""
    draft = assemble(
        flow,
        providers=[assignment.identity_provider for assignment in flow.identity_provider_assignments.all()],
        questions=flow.attribute_assignments.all(),
    )
    return bool(flow.live_version.definition != draft)


def _guests_sentence(user_flow: UserFlow) -> str:
    count = user_flow.sign_ups.all()[: MOST_GUESTS_COUNTED + 1].count()
    if count > MOST_GUESTS_COUNTED:
        return _now("More than %(count)d people came by it. They keep their accounts and answers.") % {
            "count": MOST_GUESTS_COUNTED
        }
    if not count:
        return _now("Nobody has signed up by it.")
    words = ngettext(
        "%(count)d person came by it and keeps their account and answers.",
        "%(count)d people came by it and keep their accounts and answers.",
        count,
    )
    return words % {"count": count}
