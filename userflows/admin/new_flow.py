"""A new flow: from a template, or as a copy of one that there is."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.auditing import actor_of
from directory.admin.pages import PlainLabels
from directory.admin.scoping import TenantModelAdmin, roles_in, tenant_of
from directory.models import Tenant
from directory.roles import may
from userflows.flow_templates import BY_ID, TEMPLATES, create_copy, create_from_template
from userflows.models import UserFlow

COPY = "copy"
MOST_TO_COPY = 200


class NewFlowForm(PlainLabels, forms.Form):
    template = forms.ChoiceField(
        label=_("Begin with"),
        choices=[*((template.id, template.title) for template in TEMPLATES), (COPY, _("A copy"))],
        error_messages={"required": _("Choose what to begin with.")},
    )
    source = forms.ModelChoiceField(
        label=_("Copy of"), queryset=UserFlow.objects.none(), required=False, empty_label=_("Choose …")
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=70,
        help_text=_("Letters, digits and underscores. It becomes part of the flow's URL and can never be changed."),
        error_messages={"required": _("Give the flow a name, such as Suppliers.")},
    )

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tenant = tenant
        source: Any = self.fields["source"]
        source.queryset = UserFlow.objects.filter(tenant=tenant)
        flows = source.queryset.order_by("name")[:MOST_TO_COPY]
        self.can_copy = bool(flows)
        source.choices = [("", _now("Choose …")), *((flow.pk, flow.name) for flow in flows)]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("template") == COPY and not values.get("source") and "source" not in self.errors:
            self.add_error("source", _now("Choose the flow to copy."))
        if "name" in values:
            user_flow = UserFlow(tenant=self.tenant, name=values["name"])
            try:
                user_flow.full_clean()
            except ValidationError as error:
                self.add_error("name", error.messages)
        return values


class NewFlowPage(TenantModelAdmin):
    """The add page of a user flow."""

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewFlowForm(tenant=tenant_of(request), initial={"template": TEMPLATES[0].id})
        if request.method == "POST":
            form = NewFlowForm(request.POST, tenant=tenant_of(request))
            if form.is_valid():
                return self._create(request, form)
        chosen = form["template"].value()
        context = {
            **self.admin_site.each_context(request),
            "title": _now("New user flow"),
            "opts": self.opts,
            "form": form,
            "templates": TEMPLATES,
            "chosen": chosen,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/userflows/userflow/new.html", context)

    @transaction.atomic
    def _create(self, request: HttpRequest, form: NewFlowForm) -> HttpResponse:
        values, actor = form.cleaned_data, actor_of(request)
        user_flow = UserFlow(tenant=tenant_of(request), name=values["name"])
        if values["template"] == COPY:
            create_copy(user_flow, values["source"], actor=actor)
        else:
            may_create = may(roles_in(request), action="add", subject="userattribute")
            template = BY_ID[values["template"]]
            left_out = create_from_template(user_flow, template, may_create_attributes=may_create, actor=actor)
            self._tell_left_out(request, left_out)
        messages.success(
            request, _now("%(name)s is ready. Nobody meets it until you publish it.") % {"name": user_flow}
        )
        return redirect("tenant_admin:userflows_userflow_change", user_flow.pk)

    def _tell_left_out(self, request: HttpRequest, labels: list[str]) -> None:
        if labels:
            words = _now("Left out, because your role can't create attributes: %(labels)s.")
            messages.warning(request, words % {"labels": ", ".join(labels)})
