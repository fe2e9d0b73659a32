from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db import models
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.identity_provider import IdentityProviderAdmin
from directory.models import IdentityProvider
from userflows.models import IdentityProviderAssignment, UserFlowVersion

# A confirmation that names more is read by nobody.
MAX_NAMES = 20


class FlowIdentityProviderAdmin(IdentityProviderAdmin):
    """The identity providers, with what the ground floor doesn't know: which flows offer them."""

    list_display = (*IdentityProviderAdmin.list_display, "flow_count")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        assignments = IdentityProviderAssignment.objects.filter(identity_provider=models.OuterRef("pk"))
        counted = assignments.order_by().values("identity_provider").annotate(count=models.Count("pk")).values("count")
        annotated: models.QuerySet[Any] = (
            super().get_queryset(request).annotate(flow_count=Coalesce(models.Subquery(counted), 0))
        )
        return annotated

    @admin.display(description=_("offered in user flows"))
    def flow_count(self, provider: Any) -> int:
        return int(provider.flow_count)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Switching off what live flows can't do without is asked for twice."""
        is_switching_off = request.method == "POST" and "is_enabled" not in request.POST
        if is_switching_off and "confirmed" not in request.POST and self.has_change_permission(request):
            provider = self.get_object(request, unquote(object_id))
            names = flows_that_need(provider) if provider is not None and provider.is_enabled else []
            if provider is not None and names:
                return self._confirmation(request, provider, names)
        return super().change_view(request, object_id, form_url, extra_context)

    def _confirmation(self, request: HttpRequest, provider: IdentityProvider, names: list[str]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": provider,
            "title": _now("Switch off %(name)s?") % {"name": provider},
            "flows": names[:MAX_NAMES],
            "more": max(0, len(names) - MAX_NAMES),
            "name": request.POST.get("name", ""),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/directory/identityprovider/switch_off.html", context)


def flows_that_need(provider: IdentityProvider) -> list[str]:
    """Return the names of the live flows in which nobody could sign in without this provider."""
    enabled = IdentityProvider.objects.filter(tenant=provider.tenant_id, is_enabled=True).exclude(pk=provider.pk)
    others = {str(pk) for pk in enabled.values_list("pk", flat=True)}
    live = UserFlowVersion.objects.filter(live_in__tenant=provider.tenant_id).order_by("live_in__name")
    return [
        name
        for name, ways in live.values_list("live_in__name", "definition__ways")
        if str(provider.pk) in (ids := {way["id"] for way in ways}) and not ids & others
    ]
