from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin import UserAttributeAdmin
from directory.models import UserAttribute


class FlowAttributeAdmin(UserAttributeAdmin):
    """The attributes, with what the ground floor doesn't know: which flows ask for them."""

    list_display = (*UserAttributeAdmin.list_display, "flow_count")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        attributes = super().get_queryset(request)
        counted: models.QuerySet[Any] = attributes.annotate(flow_count=models.Count("attribute_assignments"))
        return counted

    @admin.display(description=_("asked in user flows"))
    def flow_count(self, attribute: Any) -> int:
        return int(attribute.flow_count)

    def why_not_deleted(self, request: HttpRequest, obj: UserAttribute) -> list[str]:
        reason = _now("The user flow %(name)s asks for it. Remove the question there first.")
        names = obj.attribute_assignments.values_list("user_flow__name", flat=True).order_by("user_flow__name")
        return [reason % {"name": name} for name in names]
