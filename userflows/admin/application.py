"""The applications, with what the ground floor doesn't know: the user flow that each uses."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin import ApplicationAdmin
from directory.admin.auditing import actor_of
from directory.admin.filters import RelationFilter
from directory.admin.scoping import roles_in, tenant_of
from directory.models import Application, ApplicationKind
from directory.roles import may
from userflows.flows import move_application, unassign_application
from userflows.models import ApplicationAssignment, UserFlow
from userflows.rate_limit import Limit, count_attempt

CHECK_LIMIT = Limit("check_redirect_uris", count=600, seconds=600)
MAX_SHOWN = 50
NO_FLOW = "none"


class UserFlowFilter(RelationFilter):
    title = _("user flow")
    parameter_name = "user_flow"
    relation = UserFlow
    path = "flow_assignment__user_flow"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(NO_FLOW, _("None")), *super().lookups(request, model_admin)]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() == NO_FLOW:
            return queryset.filter(flow_assignment=None)
        return super().queryset(request, queryset)


def flow_of(application: Application) -> UserFlow | None:
    assignment: ApplicationAssignment | None = getattr(application, "flow_assignment", None)
    return assignment.user_flow if assignment else None


class FlowApplicationAdmin(ApplicationAdmin):
    list_display = ("name", "shown_kind", "user_flow", *ApplicationAdmin.list_display[2:])
    list_filter = (*ApplicationAdmin.list_filter, UserFlowFilter)

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
            "flows": ("<int:object_id>/flow/", self.flows_view),
            "leave_flow": ("<int:object_id>/flow/leave/", self.leave_flow_view),
            "use_flow": ("<int:object_id>/flow/<uuid:flow_id>/", self.use_flow_view),
        }
        urls = [
            path(route, self.admin_site.admin_view(view), name=f"directory_application_{name}")
            for name, (route, view) in pages.items()
        ]
        return urls + super().get_urls()

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).select_related("flow_assignment__user_flow")

    @admin.display(description=_("user flow"))
    def user_flow(self, application: Application) -> str | SafeString:
        flow = flow_of(application)
        if flow is None:
            return "–"
        page = reverse(f"{self.admin_site.name}:userflows_userflow_change", args=(flow.pk,))
        return format_html('<a href="{}">{}</a>', page, flow)

    def check_uris_view(self, request: HttpRequest) -> HttpResponse:
        count_attempt((CHECK_LIMIT, str(actor_of(request).pk)))
        return super().check_uris_view(request)

    def overview(self, request: HttpRequest, application: Application) -> dict[str, Any]:
        flow = flow_of(application)
        # Nobody signs in to a daemon, and nobody signs up through a first-party application.
        may_use_one = application.kind != ApplicationKind.DAEMON and not application.is_first_party
        return {
            **super().overview(request, application),
            "shows_user_flow": (may_use_one or flow is not None) and self._may_flows(request, "view"),
            "user_flow": flow,
            "may_assign": self._may_flows(request, "change"),
        }

    # --- which flow it uses: decided by who may change user flows -----------------------------------------------------

    def flows_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        application = self._find_to_assign(request, object_id)
        query = request.GET.get("q", "").replace("\x00", "").strip()[:200]
        flows = UserFlow.objects.filter(tenant=tenant_of(request), name__icontains=query).order_by("name")
        shown = list(flows[: MAX_SHOWN + 1])
        context = {
            "flows": shown[:MAX_SHOWN],
            "is_cut": len(shown) > MAX_SHOWN,
            "query": query,
            "may_add_flow": self._may_flows(request, "add"),
        }
        return self._flow_page(request, "flows", application, title=_now("Use a user flow"), **context)

    def use_flow_view(self, request: HttpRequest, object_id: int, flow_id: uuid.UUID) -> HttpResponse:
        application = self._find_to_assign(request, object_id)
        flow = get_object_or_404(UserFlow, pk=flow_id, tenant=tenant_of(request))
        current = flow_of(application)
        # What the person was asked is what is done: another administrator may have moved it since.
        if request.method == "POST" and request.POST.get("before", "") == (str(current.pk) if current else ""):
            try:
                move_application(flow, application, actor=actor_of(request))
            except ValidationError as refused:
                self.message_user(request, " ".join(refused.messages), messages.ERROR)
            else:
                done = _now("New people sign up to %(name)s through %(flow)s now.") % {
                    "name": application,
                    "flow": flow,
                }
                self.message_user(request, done, messages.SUCCESS)
            return self.to_page("change", application)
        if current == flow:
            return self.to_page("change", application)
        title = _now("Move to %(flow)s?") if current else _now("Use %(flow)s?")
        return self._flow_page(request, "use_flow", application, title=title % {"flow": flow}, flow=flow)

    def leave_flow_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        application = self._find_to_assign(request, object_id)
        current = flow_of(application)
        if current is None:
            return self.to_page("change", application)
        if request.method == "POST":
            unassign_application(application.flow_assignment, actor=actor_of(request))
            done = _now("%(name)s doesn't use %(flow)s any more.") % {"name": application, "flow": current}
            self.message_user(request, done, messages.SUCCESS)
            return self.to_page("change", application)
        title = _now("Stop using %(flow)s?") % {"flow": current}
        return self._flow_page(request, "leave_flow", application, title=title)

    def _may_flows(self, request: HttpRequest, action: str) -> bool:
        return may(roles_in(request), action=action, subject="userflow")

    def _find_to_assign(self, request: HttpRequest, object_id: int) -> Application:
        if not (self.has_view_permission(request) and self._may_flows(request, "change")):
            raise PermissionDenied
        application: Application | None = self.get_object(request, str(object_id))
        if application is None:
            raise Http404
        if application.is_first_party:
            raise PermissionDenied
        return application

    def _flow_page(self, request: HttpRequest, name: str, application: Application, **context: Any) -> HttpResponse:
        shown = {"current": flow_of(application), "media": self.media, **context}
        return self._page(request, name, application, **shown)
