from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.auditing import actor_of
from directory.admin.pages import PlainLabels, ReadOnly
from directory.admin.scoping import TenantModelAdmin, tenant_of
from directory.admin.step_up import require_step_up
from identity_portal.oidc.keys import KeyTooYoung, rotate_keys
from identity_portal.oidc.models import SigningKey


class RotationForm(PlainLabels, forms.Form):
    """Which of the tenant's keys: those of one algorithm."""

    algorithm = forms.ChoiceField(label=_("Algorithm"), widget=forms.RadioSelect)

    def __init__(self, data: Any = None, *, algorithms: list[str]) -> None:
        super().__init__(data, initial={"algorithm": next(iter(algorithms), "")})
        self.fields["algorithm"].choices = [(name, name) for name in algorithms]  # type: ignore[attr-defined]


class SigningKeyAdmin(ReadOnly, TenantModelAdmin):
    """Keys are looked at and rotated. The private part is shown nowhere."""

    audit_subject = "signing_key"
    summary = _("What your tokens are signed with, and how to rotate it.")
    empty_text = _("No signing key yet. The first ones are made by themselves when an application asks for them.")
    list_display = ("short_id", "algorithm", "state_badge", "created_at", "activated_at", "retired_at")
    list_filter = ("state",)
    fields = ("kid", "algorithm", "state_badge", "created_at", "activated_at", "retired_at")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).defer("private_jwk")

    @admin.display(description=_("key ID"))
    def short_id(self, key: SigningKey) -> str:
        return f"{key.kid[:12]}…"

    @admin.display(description=_("state"), ordering="state")
    def state_badge(self, key: SigningKey) -> SafeString:
        return format_html('<span class="badge badge-{}">{}</span>', key.state, key.get_state_display())

    def get_urls(self) -> list[URLPattern]:
        rotate = path("rotate/", self.admin_site.admin_view(self.rotate_view), name="oidc_signingkey_rotate")
        return [rotate, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"may_rotate": self.may(request, "change"), **(extra_context or {})})

    @method_decorator(require_step_up)
    def rotate_view(self, request: HttpRequest) -> HttpResponse:
        if not self.may(request, "change"):
            raise PermissionDenied
        keys = self.get_queryset(request).order_by("-algorithm")
        algorithms = list(keys.values_list("algorithm", flat=True).distinct())
        form = RotationForm(algorithms=algorithms)
        if request.method == "POST":
            form = RotationForm(request.POST, algorithms=algorithms)
            if form.is_valid():
                return self._rotate(request, form.cleaned_data["algorithm"])
        context = {"opts": self.opts, "title": _now("Rotate the signing keys?"), "form": form}
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request, "admin/oidc/signingkey/rotate.html", {**self.admin_site.each_context(request), **context}
        )

    def _rotate(self, request: HttpRequest, algorithm: str) -> HttpResponse:
        try:
            key = rotate_keys(tenant_of(request), algorithm=algorithm, actor=actor_of(request))
        except KeyTooYoung:
            refusal = _now("The next key was published less than five minutes ago. Try again in five minutes.")
            self.message_user(request, refusal, messages.ERROR)
        else:
            done = _now("The keys were rotated. %(key)s signs from now on.") % {"key": key}
            self.message_user(request, done, messages.SUCCESS)
        return redirect(f"{self.admin_site.name}:oidc_signingkey_changelist")
