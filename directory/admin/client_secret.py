"""The pages on an application's client secrets: add one, see it once, remove one."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.auditing import actor_of
from directory.admin.pages import PlainLabels
from directory.admin.scoping import TenantModelAdmin, roles_in
from directory.admin.step_up import require_step_up
from directory.applications import add_client_secret, remove_client_secret
from directory.encryption import seal, unseal
from directory.models import Application, ClientSecret
from directory.roles import may

LIFETIMES = {30: _("30 days"), 90: _("90 days"), 180: _("180 days"), 365: _("1 year"), 730: _("2 years")}


class ClientSecretForm(PlainLabels, forms.Form):
    description = forms.CharField(
        label=_("Description"),
        max_length=100,
        required=False,
        help_text=_("Where it is used: “production servers”. So you know later which one to remove."),
    )
    days = forms.TypedChoiceField(
        label=_("Ends after"),
        coerce=int,
        initial=180,
        choices=list(LIFETIMES.items()),
        help_text=_("Add the next one before then: several may be live at once."),
    )


def _session_key(application: Application) -> str:
    return f"new_client_secret.{application.pk}"


def keep_for_showing(request: HttpRequest, application: Application, secret: str) -> None:
    """Keep a new secret for the one page that shows it. Encrypted: the session's table would keep it readable."""
    key = _session_key(application)
    request.session[key] = seal(secret, context=key)


def take_to_show(request: HttpRequest, application: Application) -> str | None:
    """Return the secret that waits to be shown; the second time there is none."""
    key = _session_key(application)
    sealed = request.session.pop(key, None)
    return unseal(sealed, context=key) if sealed else None


class ClientSecretPages(TenantModelAdmin):
    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
            "add_secret": ("<int:object_id>/secrets/add/", self.add_secret_view),
            "show_secret": ("<int:object_id>/secrets/new/", self.show_secret_view),
            "remove_secret": ("<int:object_id>/secrets/<uuid:secret_id>/remove/", self.remove_secret_view),
        }
        urls = [
            path(route, self.admin_site.admin_view(view), name=f"directory_application_{name}")
            for name, (route, view) in pages.items()
        ]
        return urls + super().get_urls()

    def to_page(self, name: str, application: Application, *args: Any) -> HttpResponse:
        return redirect(f"{self.admin_site.name}:directory_application_{name}", application.pk, *args)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may_add = may(roles_in(request), action="add", subject="clientsecret")
        return super().change_view(request, object_id, form_url, {"may_add_secret": may_add, **(extra_context or {})})

    @method_decorator(require_step_up)
    def add_secret_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        application = self._find(request, object_id, action="add")
        form = ClientSecretForm()
        if request.method == "POST":
            form = ClientSecretForm(request.POST)
            if form.is_valid():
                secret = add_client_secret(
                    application,
                    description=form.cleaned_data["description"],
                    lifetime=timedelta(days=form.cleaned_data["days"]),
                    actor=actor_of(request),
                )
                keep_for_showing(request, application, secret)
                return self.to_page("show_secret", application)
        return self._page(request, "add_secret", application, title=_now("Add a client secret"), form=form)

    def show_secret_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        application = self._find(request, object_id, action="add")
        secret = take_to_show(request, application)
        if secret is None:
            return self.to_page("change", application)
        return self._page(request, "show_secret", application, title=_now("Copy the client secret now"), secret=secret)

    @method_decorator(require_step_up)
    def remove_secret_view(self, request: HttpRequest, object_id: int, secret_id: uuid.UUID) -> HttpResponse:
        application = self._find(request, object_id, action="delete")
        client_secret = get_object_or_404(ClientSecret, pk=secret_id, application=application)
        if request.method == "POST":
            remove_client_secret(client_secret, actor=actor_of(request))
            self.message_user(request, _now("The client secret was removed."), messages.SUCCESS)
            return self.to_page("change", application)
        title = _now("Remove the client secret?")
        return self._page(request, "remove_secret", application, title=title, client_secret=client_secret)

    def _find(self, request: HttpRequest, object_id: int, *, action: str) -> Application:
        if not may(roles_in(request), action=action, subject="clientsecret"):
            raise PermissionDenied
        application: Application | None = self.get_object(request, str(object_id))
        if application is None or not application.keeps_secret:
            raise Http404
        return application

    def _page(self, request: HttpRequest, name: str, application: Application, **context: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            f"admin/directory/application/{name}.html",
            {**self.admin_site.each_context(request), "opts": self.opts, "original": application, **context},
        )
