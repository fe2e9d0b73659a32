from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.scoping import TenantModelAdmin
from directory.models import AttributeType, UserAttribute


class UserAttributeAdmin(TenantModelAdmin):
    audit_subject = "user_attribute"
    audit_values = True
    summary = _("What you can ask people when they sign up.")
    empty_text = _("No user attribute yet. A user attribute is something that you ask people when they sign up.")
    list_display: tuple[str, ...] = ("display_name", "name", "attribute_type", "data_type")
    list_filter = ("attribute_type", "data_type")
    search_fields = ("display_name", "name", "description")
    ordering = ("attribute_type", "display_name")

    def get_fields(self, request: HttpRequest, obj: UserAttribute | None = None) -> tuple[str, ...]:
        if obj and obj.attribute_type == AttributeType.BUILT_IN:
            return ("display_name", "name", "data_type", "description")
        return ("display_name", "name", "data_type", "description", "autocomplete")

    def get_readonly_fields(self, request: HttpRequest, obj: UserAttribute | None = None) -> tuple[str, ...]:
        return ("name", "data_type") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        built_in = obj is not None and obj.attribute_type == AttributeType.BUILT_IN
        return not built_in and super().has_delete_permission(request, obj)

    def what_deleting_hits(self, request: HttpRequest, obj: UserAttribute) -> list[str]:
        return [_now("It can't be asked any more. Answers that people gave stay in their accounts.")]
