from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.auditing import actor_of
from directory.admin.client_secret import ClientSecretPages, keep_for_showing
from directory.admin.pages import ReadOnly
from directory.admin.scoping import TenantTabularInline
from directory.applications import create_application
from directory.models import Application, ClientSecret


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
        ended = secret.expires_at is not None and secret.expires_at <= timezone.now()
        kind, words = ("failure", _now("Ended")) if ended else ("success", _now("Live"))
        return format_html('<span class="badge badge-{}">{}</span>', kind, words)

    @admin.display(description=_("remove"))
    def remove(self, secret: ClientSecret) -> SafeString:
        return format_html('<a href="../secrets/{}/remove/">{}</a>', secret.pk, _now("Remove"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fields if self.may(request, "delete") else self.fields[:-1]


class ApplicationAdmin(ClientSecretPages):
    audit_subject = "application"
    audit_values = True
    added_by_verb = True
    summary = _("The web, mobile and desktop applications that people sign in to.")
    empty_text = _(
        "No application yet. An application is what people sign in to. With a user flow, new people can sign up to it."
    )
    list_display = ("name", "kind", "client_id", "is_enabled", "created")
    list_filter = ("kind", "is_enabled")
    search_fields = ("name", "client_id")
    search_help_text = _("A name or an application (client) ID.")
    ordering = ("name",)
    sortable_by = ("name",)
    inlines = (ClientSecretInline,)

    def get_inlines(self, request: HttpRequest, obj: Application | None) -> tuple[Any, ...]:
        return (ClientSecretInline,) if obj and obj.keeps_secret else ()

    def get_fieldsets(self, request: HttpRequest, obj: Application | None = None) -> Any:
        """A daemon has no pages to return to; the kind of a new one isn't known yet."""
        returns = (_("Where people return to"), {"fields": ("redirect_uris", "post_logout_redirect_uris")})
        tokens = (_("Tokens"), {"fields": ("algorithm",), "classes": ("collapse",)})
        if obj is None:
            return [(None, {"fields": ("name", "kind")}), returns, tokens]
        first_party = ("is_first_party",) if obj.is_first_party else ()
        basics = (None, {"fields": ("name", "shown_client_id", "kind", "is_enabled", *first_party)})
        return [basics, *(() if obj.kind == "daemon" else (returns,)), tokens]

    def get_readonly_fields(self, request: HttpRequest, obj: Application | None = None) -> tuple[str, ...]:
        return ("shown_client_id", "kind", "is_first_party") if obj else ()

    @admin.display(description=_("application (client) ID"))
    def shown_client_id(self, application: Application) -> SafeString:
        return format_html(
            '<code data-copy="{}" data-copied="{}">{}</code>', _now("Copy"), _now("Copied"), application.client_id
        )

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
            _now("%(count)d people lose their access to it. Their accounts stay.") % {"count": people},
            _now("Its client secrets are deleted. To stop its use for a while, switch it off instead."),
        ]
