from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.scoping import TenantModelAdmin
from directory.models import AttributeType, UserAttribute


class UserAttributeAdmin(TenantModelAdmin):
    audit_subject = "user_attribute"
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
        if obj is None:
            return ()
        # Whether people have values is looked at when a change is sent: it costs more than a page may.
        fixed = obj.attribute_type == AttributeType.BUILT_IN or obj.is_referred_to
        return ("name", "data_type") if fixed else ("name",)

    def get_form(
        self, request: HttpRequest, obj: UserAttribute | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            words = _("It can be changed until a question uses the attribute.")
        elif "data_type" in self.get_readonly_fields(request, obj):
            words = _("It can't be changed any more: questions or people's values are of this type.")
        else:
            words = _("It can be changed as long as no question and no person uses the attribute.")
        return super().get_form(request, obj, change, help_texts={"data_type": words}, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        built_in = obj is not None and obj.attribute_type == AttributeType.BUILT_IN
        return not built_in and super().has_delete_permission(request, obj)

    def what_deleting_hits(self, request: HttpRequest, obj: UserAttribute) -> list[str]:
        return [_now("It can't be asked any more. Answers that people gave stay in their accounts.")]
