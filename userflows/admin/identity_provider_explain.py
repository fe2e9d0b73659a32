"""“Explain an address”: what would happen to somebody with it, at each identity provider."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from directory.admin.identity_provider import IdentityProviderAdmin
from directory.admin.pages import PlainLabels
from directory.admin.scoping import roles_in, tenant_of
from directory.models import Tenant
from directory.roles import may
from userflows.forms import EmailForm
from userflows.models import UserFlow
from userflows.what_happens import explain

MOST_FLOWS = 200


class ExplainForm(PlainLabels, forms.Form):
    mail = forms.CharField(
        label=_("Email address"),
        max_length=320,
        widget=forms.EmailInput(attrs={"class": "vTextField", "dir": "ltr", "spellcheck": "false"}),
    )
    user_flow = forms.ModelChoiceField(
        label=_("User flow"),
        queryset=UserFlow.objects.none(),
        required=False,
        empty_label=_("No user flow: who signs in only"),
        help_text=_("As people meet it now: its live version."),
    )

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["user_flow"]
        field.queryset = UserFlow.objects.filter(tenant=tenant).select_related("live_version", "tenant")
        flows = field.queryset.order_by("name")[:MOST_FLOWS]
        field.choices = [("", field.empty_label), *((flow.pk, flow.name) for flow in flows)]

    def clean_mail(self) -> str:
        """As the hosted pages take it."""
        form = EmailForm({"email": self.cleaned_data["mail"]})
        if not form.is_valid():
            raise forms.ValidationError(list(form.errors["email"]))
        return str(form.cleaned_data["email"])


class ExplainPage(IdentityProviderAdmin):
    def get_urls(self) -> list[URLPattern]:
        page = path(
            "explain/", self.admin_site.admin_view(self.explain_view), name="directory_identityprovider_explain"
        )
        return [page, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"may_explain": may_explain(request), **(extra_context or {})})

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def explain_view(self, request: HttpRequest) -> HttpResponse:
        """It says who has an address: for those who may see people. POST, so that the address is in no log of URLs."""
        if not may_explain(request):
            raise PermissionDenied
        tenant, explanation = tenant_of(request), None
        form = ExplainForm(tenant=tenant)
        if request.method == "POST":
            form = ExplainForm(request.POST, tenant=tenant)
            if form.is_valid():
                explanation = explain(tenant, form.cleaned_data["mail"], form.cleaned_data["user_flow"])
        title = _now("Explain an address")
        return self.page(request, "explain", None, title=title, form=form, explanation=explanation)


def may_explain(request: HttpRequest) -> bool:
    roles = roles_in(request)
    return all(may(roles, action="view", subject=subject) for subject in ("user", "identityprovider"))
