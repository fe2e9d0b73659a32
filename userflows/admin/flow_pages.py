"""What the pages of one user flow have in common."""

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import ngettext

from directory.admin.scoping import TenantModelAdmin, roles_in
from directory.health import Finding
from directory.roles import may
from userflows.models import UserFlow
from userflows.preview import Preview


class FlowPages(TenantModelAdmin):
    def flow_or_404(self, request: HttpRequest, pk: uuid.UUID, action: str = "view") -> UserFlow:
        """Return the tenant's flow, for a person who may do `action` to flows."""
        if not self.may(request, action):
            raise PermissionDenied
        own = UserFlow.objects.filter(**{self.tenant_path: request.tenant.pk})  # type: ignore[attr-defined]
        flow: UserFlow | None = own.filter(pk=pk).select_related("tenant", "live_version").first()
        if flow is None:
            raise Http404("No such user flow.")
        return flow

    def render(
        self, request: HttpRequest, template: str, user_flow: UserFlow, title: str, **context: Any
    ) -> TemplateResponse:
        request.current_app = self.admin_site.name
        context |= {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "original": user_flow,
            "live": user_flow.live_version,
            "may_change": self.has_change_permission(request, user_flow),
            "may_delete": self.has_delete_permission(request, user_flow),
        }
        return TemplateResponse(request, f"admin/userflows/userflow/{template}.html", context)


def preview_of(request: HttpRequest, note: str = "") -> Preview:
    """Return what the person who looks has chosen: preview_page, preview_errors, preview_scheme, preview_language."""
    chosen = request.POST if request.method == "POST" else request.GET
    language = chosen.get("preview_language", "")
    return Preview(
        page=chosen.get("preview_page", "")[:20],
        has_errors="preview_errors" in chosen,
        scheme="dark" if chosen.get("preview_scheme") == "dark" else "light",
        language=language if language in dict(settings.LANGUAGES) else "",
        note=note,
    )


def linked(request: HttpRequest, finding: Finding) -> dict[str, Any]:
    """Return a finding for a template, with the address where it is mended, if the person may go there."""
    url = ""
    if finding.page and _may_open(request, finding.page[0]):
        url = reverse(finding.page[0], args=finding.page[1:])
    return {"severity": str(finding.severity), "message": finding.message, "fix": finding.fix, "url": url}


def _may_open(request: HttpRequest, page: str) -> bool:
    """Answer whether the person's roles let them view the model of an admin page: site:app_model_page."""
    return may(roles_in(request), action="view", subject=page.split("_")[-2])


def links_sentence(user_flow: UserFlow) -> str:
    count = user_flow.application_assignments.count()
    if not count:
        return _now("No application uses this flow.")
    words = ngettext("%(count)d application uses this flow.", "%(count)d applications use this flow.", count)
    return words % {"count": count}
