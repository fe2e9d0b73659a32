"""The form on an application: what is asked depends on its kind, so the kind is chosen first."""

from dataclasses import dataclass
from typing import Any

from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.validators import MaxLengthValidator
from django.forms import HiddenInput
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from directory.admin.scoping import TenantForm
from directory.models import Application, ApplicationKind
from directory.redirect_uris import MAX_COUNT, MAX_LENGTH, Remark, examine_redirect_uris

WEB_URIS = _(
    "Where people return to after signing in. One on each line, beginning with https://; while you develop, "
    "http://localhost and http://127.0.0.1 work too. No wildcards, no fragments: what your application sends must "
    "match to the letter."
)
NATIVE_URIS = _(
    "Where people return to after signing in. One on each line: a scheme of your own such as "
    "com.example.app:/callback, http://127.0.0.1 (any port), or https://. No wildcards, no fragments: what your "
    "application sends must match to the letter."
)
URI_FIELDS = ("redirect_uris", "post_logout_redirect_uris")
MAX_TEXT_LENGTH = MAX_COUNT * (MAX_LENGTH + 2)


@dataclass(frozen=True)
class KindCard:
    """What helps to choose the kind of a new application."""

    kind: ApplicationKind
    summary: str | Promise
    secret: str | Promise
    uri: str
    title: str | Promise


KIND_CARDS = (
    KindCard(
        ApplicationKind.WEB,
        _("Runs on a server that shows pages: ASP.NET Core, Django, Spring Boot, Express, PHP."),
        _("It keeps a secret on the server."),
        "https://app.example.com/signin-oidc",
        _("Add a web application"),
    ),
    KindCard(
        ApplicationKind.SPA,
        _("Runs in the browser alone: React, Angular, Vue, or plain JavaScript."),
        _("It keeps no secret: everybody could read it. PKCE protects it."),
        "https://app.example.com/",
        _("Add a single-page application"),
    ),
    KindCard(
        ApplicationKind.NATIVE,
        _("Is installed on a phone or a computer: Android, iOS, Windows, macOS, Linux, a command line."),
        _("It keeps no secret: everybody could read it. PKCE protects it."),
        "com.example.app:/callback",
        _("Add a mobile or desktop application"),
    ),
    KindCard(
        ApplicationKind.DAEMON,
        _("Works without people: a service, a nightly job, a script that calls an API."),
        _("It keeps a secret, and gets tokens in its own name."),
        "",
        _("Add a daemon"),
    ),
)


def chosen_kind(request: HttpRequest) -> KindCard | None:
    """Return the kind of which the person adds an application."""
    value = request.POST.get("kind") or request.GET.get("kind")
    return next((card for card in KIND_CARDS if card.kind == value), None)


class RedirectUrisWidget(AdminTextareaWidget):
    """A list of URIs with what is to be said of them. redirect_uris.js asks the server again as the person types."""

    template_name = "admin/directory/application/redirect_uris_widget.html"

    def __init__(self, application: Application) -> None:
        super().__init__(attrs={"rows": 3, "spellcheck": "false", "dir": "ltr"})
        self.application = application

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        remarks = remarks_on(str(value or ""), self.application)
        return {
            **context,
            "check_url": reverse("tenant_admin:directory_application_check_uris"),
            "kind": self.application.kind,
            # Problems stand in the form's own list of errors.
            "remarks": [remark for remark in remarks if not remark.is_problem],
        }


def remarks_on(text: str, application: Application) -> list[Remark]:
    return examine_redirect_uris(text[:MAX_TEXT_LENGTH], private_schemes=application.takes_private_schemes)


class ApplicationForm(TenantForm):
    class Meta:
        model = Application
        # The admin says which of them are asked.
        fields = ("name", "kind", "is_enabled", *URI_FIELDS, "algorithm")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            self.fields["kind"].widget = HiddenInput()
        self.instance.kind = self.instance.kind or self["kind"].value() or ""
        for name in URI_FIELDS:
            if name in self.fields:
                self.fields[name].widget = RedirectUrisWidget(self.instance)
                self.fields[name].validators.append(MaxLengthValidator(MAX_TEXT_LENGTH))
        if "redirect_uris" in self.fields:
            self.fields["redirect_uris"].help_text = NATIVE_URIS if self.instance.takes_private_schemes else WEB_URIS
