from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from directory.admin.application_form import KIND_CARDS, MAX_TEXT_LENGTH, ApplicationForm, chosen_kind, remarks_on
from directory.admin.auditing import actor_of
from directory.admin.client_secret import ClientSecretPages, keep_for_showing
from directory.admin.client_secret_state import secret_badge, secrets_badge
from directory.admin.pages import ReadOnly
from directory.admin.scoping import TenantTabularInline
from directory.applications import create_application
from directory.models import Application, ApplicationKind, ClientSecret
from directory.redirect_uris import split_uris


class ClientSecretInline(ReadOnly, TenantTabularInline):
    model = ClientSecret
    tenant_path = "application__tenant"
    fields = ("begins_with", "description", "created_at", "expires_at", "state", "remove")
    readonly_fields = fields

    @admin.display(description=_("begins with"))
    def begins_with(self, secret: ClientSecret) -> SafeString:
        return format_html("<code>{}</code>", secret)

    @admin.display(description=_("state"))
    def state(self, secret: ClientSecret) -> SafeString:
        return secret_badge(secret)

    @admin.display(description=_("remove"))
    def remove(self, secret: ClientSecret) -> SafeString:
        return format_html('<a href="../secrets/{}/remove/">{}</a>', secret.pk, _now("Remove"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        may_remove = self.may(request, "delete") and not (obj and obj.is_first_party)
        return self.fields if may_remove else self.fields[:-1]


class ApplicationAdmin(ClientSecretPages):
    audit_subject = "application"
    added_by_verb = True
    form = ApplicationForm
    summary = _("The web, mobile and desktop applications that people sign in to.")
    empty_text = _(
        "No application yet. An application is what people sign in to. With a user flow, new people can sign up to it."
    )
    list_display: tuple[str, ...] = (
        *("name", "shown_kind", "redirect_uri_count", "secret_state"),
        *("is_enabled", "created"),
    )
    list_filter: ClassVar[tuple[Any, ...]] = ("kind", "is_enabled")
    search_fields = ("name", "client_id")
    search_help_text = _("A name or an application (client) ID.")
    ordering = ("name",)
    sortable_by = ("name",)
    inlines = (ClientSecretInline,)

    class Media:
        js = (Script("admin_skin/redirect_uris.js", defer=True),)
        css = {"all": ("admin_skin/applications.css",)}

    def get_urls(self) -> list[URLPattern]:
        check = path(
            "check-uris/", self.admin_site.admin_view(self.check_uris_view), name="directory_application_check_uris"
        )
        return [check, *super().get_urls()]

    # --- the list -------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("secrets")

    @admin.display(description=_("kind"), ordering="kind")
    def shown_kind(self, application: Application) -> str | SafeString:
        if not application.is_first_party:
            return application.get_kind_display()
        badge = format_html('<span class="badge">{}</span>', _now("First-party"))
        return format_html("{} {}", application.get_kind_display(), badge)

    @admin.display(description=_("redirect URIs"))
    def redirect_uri_count(self, application: Application) -> int | str | SafeString:
        if application.kind == ApplicationKind.DAEMON:
            return "–"
        count = len(split_uris(application.redirect_uris))
        return count or format_html('<span class="badge badge-failure">{}</span>', _now("None"))

    @admin.display(description=_("client secret"))
    def secret_state(self, application: Application) -> str | SafeString:
        return secrets_badge(list(application.secrets.all())) if application.keeps_secret else "–"

    # --- adding: the kind first, then what that kind needs -----------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        card = chosen_kind(request)
        if card is not None:
            context = {"title": card.title, "card": card, "show_save_and_continue": False, **(extra_context or {})}
            return super().add_view(request, form_url, context)
        if not self.has_add_permission(request):
            raise PermissionDenied
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "opts": self.opts, "cards": KIND_CARDS, "media": self.media}
        title = _now("What kind of application is it?")
        return TemplateResponse(request, "admin/directory/application/kinds.html", {**context, "title": title})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        card = chosen_kind(request)
        return {"kind": card.kind} if card else {}

    def get_fieldsets(self, request: HttpRequest, obj: Application | None = None) -> Any:
        """A daemon has no pages to return to."""
        card = chosen_kind(request)
        kind = obj.kind if obj else card and card.kind
        returns = (_("Where people return to"), {"fields": ("redirect_uris", "post_logout_redirect_uris")})
        tokens = (_("Tokens"), {"fields": ("algorithm",), "classes": ("collapse",)})
        basics = (None, {"fields": ("name", "is_enabled") if obj else ("name", "kind")})
        return [basics, *(() if kind == ApplicationKind.DAEMON else (returns,)), tokens]

    @method_decorator(require_POST)
    def check_uris_view(self, request: HttpRequest) -> HttpResponse:
        """Say of URIs what saving them would say. The one place that knows the rules is the server."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        card = chosen_kind(request)
        text = request.POST.get("uris", "")
        if card is None or len(text) > MAX_TEXT_LENGTH:
            return JsonResponse({"remarks": []}, status=400)
        remarks = remarks_on(text, Application(kind=card.kind))
        return JsonResponse(
            {"remarks": [{"message": remark.message, "isProblem": remark.is_problem} for remark in remarks]}
        )

    # --- one application ------------------------------------------------------------------------------------------

    def get_inlines(self, request: HttpRequest, obj: Application | None) -> tuple[Any, ...]:
        return (ClientSecretInline,) if obj and obj.keeps_secret else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.is_first_party)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_first_party)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        application = self.get_object(request, unquote(object_id))
        context = self.overview(request, application) if application and self.has_view_permission(request) else {}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def overview(self, request: HttpRequest, application: Application) -> dict[str, Any]:
        """Return what the page shows beside the form. The upper floors know more and add to it."""
        if application.is_first_party:
            return {"may_add_secret": False}
        secrets = list(application.secrets.all())
        return {"secrets_badge": secrets_badge(secrets) if application.keeps_secret else ""}

    def _find(self, request: HttpRequest, object_id: int, *, action: str) -> Application:
        application = super()._find(request, object_id, action=action)
        if application.is_first_party:
            raise PermissionDenied
        return application

    def save_model(self, request: HttpRequest, obj: Application, form: Any, change: Any) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        secret = create_application(obj, actor=actor_of(request))
        if secret:
            keep_for_showing(request, obj, secret)

    def response_add(
        self, request: HttpRequest, obj: Application, post_url_continue: str | None = None
    ) -> HttpResponse:
        if obj.keeps_secret:
            return self.to_page("show_secret", obj)
        return self.to_page("change", obj)

    def what_deleting_hits(self, request: HttpRequest, obj: Application) -> list[str]:
        people = obj.app_role_assignments.count()
        return [
            _now("Nobody can sign in to %(name)s any more, and its tokens stop working at once.") % {"name": obj},
            ngettext(
                "%(count)d person loses their access to it. Their account stays.",
                "%(count)d people lose their access to it. Their accounts stay.",
                people,
            )
            % {"count": people},
            _now("Its client secrets are deleted. To stop its use for a while, switch it off instead."),
        ]
