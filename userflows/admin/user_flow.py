from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.auditing import actor_of
from directory.admin.pages import PlainModelForm
from directory.admin.scoping import TenantModelAdmin, TenantStackedInline, TenantTabularInline
from userflows.admin.choices_field import ChoicesField
from userflows.flows import assign_application, create_user_flow, unassign_application
from userflows.models import ApplicationAssignment, AttributeAssignment, UserFlow


class PartOfFlow:
    """What stands inside a flow is changed by those who may change the flow."""

    subject = "userflow"
    tenant_path = "user_flow__tenant"


class QuestionForm(PlainModelForm):
    choices = ChoicesField()


class QuestionInline(PartOfFlow, TenantStackedInline):
    model = AttributeAssignment
    form = QuestionForm
    ordering = ("order", "pk")
    classes = ("questions",)
    verbose_name_plural = _("questions you ask")
    fieldsets = (
        (None, {"fields": (("order", "user_attribute", "input_type", "required"), ("label", "hint"))}),
        (_("Choices"), {"fields": ("choices",), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).select_related("user_attribute")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "user_attribute":
            # The address is always asked for, and checked, on the first page.
            field.queryset = field.queryset.exclude(attribute_type="builtIn", name="Email")
            # Read once: each question would ask the database again.
            field.choices = [choice for choice in field.choices]  # noqa: C416 - list() would count them first
        return field

    def get_formset(self, request: HttpRequest, obj: UserFlow | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        last = obj.attribute_assignments.aggregate(last=models.Max("order"))["last"] if obj else None
        order = formset.form.base_fields.get("order")
        if order is not None:
            order.initial = 1 if last is None else last + 1
        return formset


class ApplicationAssignmentInline(PartOfFlow, TenantTabularInline):
    model = ApplicationAssignment
    fields = ("application", "created_at")
    readonly_fields = ("created_at",)
    autocomplete_fields = ("application",)
    verbose_name_plural = _("applications that use this flow")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).select_related("application")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An application is linked or unlinked; a link isn't turned into another one."""
        return False


class UserFlowAdmin(TenantModelAdmin):
    audit_subject = "user_flow"
    audit_values = True
    added_by_verb = True
    inlines_by_verb = (ApplicationAssignment,)
    summary = _("What people go through when they sign up, and what you ask them.")
    empty_text = _("No user flow yet. A user flow is what people see when they sign up to your applications.")
    list_display = ("name", "sign_up_enabled", "application_count", "question_count", "created_at")
    list_filter = ("sign_up_enabled",)
    search_fields = ("name",)
    ordering = ("name",)
    sortable_by = ("name", "created_at")
    fields = ("name", "sign_up_enabled")
    inlines = (QuestionInline, ApplicationAssignmentInline)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        flows = super().get_queryset(request)
        counted: models.QuerySet[Any] = flows.annotate(
            application_count=models.Count("application_assignments", distinct=True),
            question_count=models.Count("attribute_assignments", distinct=True),
        )
        return counted

    @admin.display(description=_("applications"))
    def application_count(self, flow: Any) -> int:
        return int(flow.application_count)

    @admin.display(description=_("questions"))
    def question_count(self, flow: Any) -> int:
        return int(flow.question_count)

    def get_readonly_fields(self, request: HttpRequest, obj: UserFlow | None = None) -> tuple[str, ...]:
        return ("name",) if obj else ()

    def save_model(self, request: HttpRequest, obj: UserFlow, form: Any, change: Any) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            create_user_flow(obj, actor=actor_of(request))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        if formset.model is not ApplicationAssignment:
            super().save_formset(request, form, formset, change)
            return
        formset.save(commit=False)
        for assignment in formset.deleted_objects:
            unassign_application(assignment, actor=actor_of(request))
        for assignment in formset.new_objects:
            assign_application(form.instance, assignment.application, actor=actor_of(request))

    def why_not_deleted(self, request: HttpRequest, obj: UserFlow) -> list[str]:
        reason = _now("The application %(name)s uses it. Remove it from the flow first.")
        names = obj.application_assignments.values_list("application__name", flat=True).order_by("application__name")
        return [reason % {"name": name} for name in names]

    def what_deleting_hits(self, request: HttpRequest, obj: UserFlow) -> list[str]:
        return [
            _now("Its address stops working, and who is signing up at this moment can't go on."),
            _now("Its questions are deleted. People who signed up keep their accounts and answers."),
        ]
