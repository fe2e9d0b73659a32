"""The identity providers: the list, a kind chosen from cards, the page to set one up, the switch."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.auditing import actor_of
from directory.admin.identity_provider_form import IdentityProviderForm, NewProviderForm, chosen_kind, parts_of
from directory.admin.identity_provider_words import guide_of, label_of
from directory.admin.readable import definition_list
from directory.admin.scoping import TenantModelAdmin, tenant_of
from directory.admin.step_up import recently_proven, to_step_up
from directory.health import Severity
from directory.identity_provider_health import problems_of
from directory.identity_provider_kinds import ProviderKind, kinds
from directory.identity_provider_settings import missing_fields, setting_names
from directory.identity_providers import (
    create_identity_provider,
    delete_identity_provider,
    replace_secret,
    set_enabled,
    update_identity_provider,
)
from directory.models import EMAIL_CODE, IdentityProvider

SPRITE = "portal/providers.svg"
NAME_IN_LIST = 40
TEMPLATES = "admin/directory/identityprovider"


class IdentityProviderAdmin(TenantModelAdmin):
    audit_subject = "identity_provider"
    added_by_verb = True
    summary = _("The ways in which people prove who they are.")
    empty_text = _("No identity provider yet.")
    add_label = _("Add an identity provider")
    list_display: tuple[str, ...] = ("named", "shown_kind", "state", "tested")
    list_display_links = ("named",)
    ordering = ("created_at", "name")
    sortable_by = ()
    change_form_template = f"{TEMPLATES}/change_form.html"

    class Media:
        css = {"all": ("admin_skin/applications.css", "admin_skin/providers.css")}

    def get_urls(self) -> list[URLPattern]:
        switch = path(
            "<uuid:provider_id>/switch/",
            self.admin_site.admin_view(self.switch_view),
            name="directory_identityprovider_switch",
        )
        return [switch, *super().get_urls()]

    # --- the list -------------------------------------------------------------------------------------------------

    @admin.display(description=_("name"))
    def named(self, provider: IdentityProvider) -> SafeString:
        name = Truncator(provider.name).chars(NAME_IN_LIST)
        return format_html("<bdi>{}</bdi>", name)

    @admin.display(description=_("kind"))
    def shown_kind(self, provider: IdentityProvider) -> SafeString | str:
        if not provider.is_known_kind:
            return provider.kind
        return format_html("{}{}", mark(provider.about), provider.about.label)

    @admin.display(description=_("state"))
    def state(self, provider: IdentityProvider) -> SafeString:
        kind, words = ("success", _now("On")) if provider.is_enabled else ("neutral", _now("Switched off"))
        badges = [(kind, words)]
        for problem in problems_of(provider):
            badges.append(("failure" if problem.severity is Severity.ERROR else "warning", problem.badge))
        return format_html_join(" ", '<span class="badge badge-{}">{}</span>', badges)

    @admin.display(description=_("tested (UTC)"))
    def tested(self, provider: IdentityProvider) -> str:
        return f"{provider.tested_at:%Y-%m-%d %H:%M}" if provider.tested_at else "–"

    # --- adding: the kind first -----------------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        in_use = self._in_use(request)
        kind = self._asked_kind(request)
        if kind is None or kind.id in in_use:
            return self._kinds_page(request, in_use)
        context = {
            "title": _now("Add %(kind)s") % {"kind": kind.label},
            "about": kind,
            "show_save_and_continue": False,
        }
        return super().add_view(request, form_url, {**context, **(extra_context or {})})

    def _asked_kind(self, request: HttpRequest) -> ProviderKind | None:
        return chosen_kind(request.POST.get("kind") or request.GET.get("kind"))

    def _in_use(self, request: HttpRequest) -> dict[str, uuid.UUID]:
        """Return the kinds of which the tenant can have no other one, and the one that it has."""
        single = [kind.id for kind in kinds().values() if kind.is_single]
        rows = IdentityProvider.objects.filter(tenant=tenant_of(request), kind__in=single)
        return dict(rows.values_list("kind", "pk"))

    def _kinds_page(self, request: HttpRequest, in_use: dict[str, uuid.UUID]) -> HttpResponse:
        cards = [{"kind": kind, "in_use": in_use.get(kind.id)} for kind in kinds().values()]
        title = _now("Which identity provider?")
        return self.page(request, "kinds", None, title=title, cards=cards, media=self.media)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            return IdentityProviderForm if obj.is_known_kind else super().get_form(request, obj, change, **kwargs)
        kind = self._asked_kind(request)

        class FormOfKind(NewProviderForm):
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, kind=kind, **options)  # type: ignore[arg-type]

        return FormOfKind

    # --- one provider ---------------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: IdentityProvider | None = None) -> Any:
        if obj is None or not obj.is_known_kind:
            return [(None, {"fields": ("name",)})]
        if not self.has_change_permission(request, obj):
            # Django shows who only looks the values of the fields: the secret is none of them.
            return [(None, {"fields": ("name", "shown_settings")})]
        return [(title, {"fields": names}) for title, names in parts_of(obj.about)]

    @admin.display(description=_("set up as"))
    def shown_settings(self, provider: IdentityProvider) -> SafeString | str:
        about = provider.about
        values: list[tuple[str, Any]] = []
        if provider.client_id:
            values.append((label_of(about, "client_id"), provider.client_id))
        if "secret" in about.fields:
            values.append((label_of(about, "secret"), _now("kept") if provider.secret else _now("none")))
        values += [
            (label_of(about, name), provider.setting(name))
            for name in setting_names(about)
            if name in about.fields and name != "certificates"
        ]
        values.append((_now("New people can sign up with it"), provider.may_create_accounts))
        if about.is_federated:
            values += [
                (_now("Email domains that belong to it"), provider.domains),
                (_now("Trusted email domains"), provider.trusted_domains),
            ]
        return definition_list(values) or "–"

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        provider: IdentityProvider | None = context.get("original")
        if provider is not None and provider.is_known_kind:
            context |= self.about(request, provider)
        return super().render_change_form(request, context, **kwargs)

    def about(self, request: HttpRequest, provider: IdentityProvider) -> dict[str, Any]:
        """Return what the page says beside the form. The upper floors know more and add to it."""
        # As it is saved: the form has written what was typed into `provider`.
        saved = IdentityProvider.objects.get(pk=provider.pk)
        return {
            "about": provider.about,
            "saved": saved,
            "state_badges": self.state(saved),
            "problems": problems_of(saved),
            "is_ready": not missing_fields(saved),
            "guide": guide_of(provider.about),
            "pasted": [],
        }

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The code by mail is the way that every tenant has: it is switched off, never deleted."""
        return super().has_delete_permission(request, obj) and not (obj and obj.kind == EMAIL_CODE)

    def save_model(self, request: HttpRequest, obj: IdentityProvider, form: Any, change: Any) -> None:
        actor = actor_of(request)
        if not change:
            create_identity_provider(obj, actor=actor)
            return
        if not obj.is_known_kind:
            raise PermissionDenied
        update_identity_provider(obj, actor=actor)
        if form.new_secret:
            replace_secret(obj, form.new_secret, expires_on=obj.secret_expires_on, actor=actor)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """There is nothing beside the row, and the verbs have written the log."""

    def response_add(
        self, request: HttpRequest, obj: IdentityProvider, post_url_continue: str | None = None
    ) -> HttpResponse:
        words = _now("%(name)s is added, and switched off. Set it up, test it, and switch it on.")
        self.message_user(request, words % {"name": obj}, messages.SUCCESS)
        return self.to_page("change", obj)

    def response_change(self, request: HttpRequest, obj: IdentityProvider) -> HttpResponse:
        self.message_user(request, _now("%(name)s was saved.") % {"name": obj}, messages.SUCCESS)
        return self.to_page("change", obj)

    # --- on and off -----------------------------------------------------------------------------------------------

    def switch_view(self, request: HttpRequest, provider_id: uuid.UUID) -> HttpResponse:
        """GET asks, POST does what was asked: `enabled` says which of both."""
        provider = self.find(request, provider_id, action="change")
        if not provider.is_enabled and self.must_step_up(request, provider):
            return to_step_up(request)
        if request.method == "POST":
            try:
                set_enabled(provider, enabled=request.POST.get("enabled") == "yes", actor=actor_of(request))
            except ValidationError as refusal:
                self.message_user(request, " ".join(refusal.messages), messages.ERROR)
            return self.to_page("change", provider)
        title = _now("Switch off %(name)s?") if provider.is_enabled else _now("Switch on %(name)s?")
        return self.page(
            request,
            "switch",
            provider,
            title=title % {"name": provider},
            missing=[] if provider.is_enabled else self.missing_words(provider),
            hits=self.what_switching_hits(provider),
        )

    def missing_words(self, provider: IdentityProvider) -> list[str]:
        if not provider.is_known_kind:
            return [provider.kind]
        return [label_of(provider.about, name) for name in missing_fields(provider)]

    def what_switching_hits(self, provider: IdentityProvider) -> list[str]:
        """Return sentences for the page that asks."""
        return []

    # --- deleting -------------------------------------------------------------------------------------------------

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        provider = self.get_object(request, unquote(object_id))
        if provider and self.has_delete_permission(request, provider) and not recently_proven(request):
            return to_step_up(request)
        return super().delete_view(request, object_id, extra_context)

    def delete_model(self, request: HttpRequest, obj: IdentityProvider) -> None:
        delete_identity_provider(obj, actor=actor_of(request))

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> None:  # type: ignore[override]
        """The verb writes it down."""

    # --- changing one that is on ----------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.is_guarded_change(request, object_id):
            return to_step_up(request)
        return super().change_view(request, object_id, form_url, extra_context)

    def is_guarded_change(self, request: HttpRequest, object_id: str) -> bool:
        """Answer whether this would change a provider that is on, and the second factor is to be asked for first."""
        if request.method != "POST":
            return False
        provider = self.get_object(request, unquote(object_id))
        if provider is None or not provider.is_enabled or not self.has_change_permission(request, provider):
            return False
        return self.must_step_up(request, provider)

    def must_step_up(self, request: HttpRequest, provider: IdentityProvider) -> bool:
        """Whoever says whose word counts could let anybody in as anybody."""
        is_federated = provider.is_known_kind and provider.about.is_federated
        return is_federated and not recently_proven(request)

    # --- what the pages have in common ----------------------------------------------------------------------------

    def find(self, request: HttpRequest, provider_id: uuid.UUID, *, action: str) -> IdentityProvider:
        """Return the tenant's provider, for a person who may do `action`. Raises Http404 and PermissionDenied."""
        if not self.may(request, action):
            raise PermissionDenied
        provider: IdentityProvider | None = self.get_object(request, str(provider_id))
        if provider is None:
            raise Http404
        return provider

    def page(self, request: HttpRequest, name: str, provider: IdentityProvider | None, **context: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "original": provider}
        return TemplateResponse(request, f"{TEMPLATES}/{name}.html", {**shared, "media": self.media, **context})

    def to_page(self, name: str, provider: IdentityProvider, *args: Any) -> HttpResponse:
        return redirect(f"{self.admin_site.name}:directory_identityprovider_{name}", provider.pk, *args)


def mark(kind: ProviderKind) -> SafeString:
    return format_html(
        '<svg class="mark" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg> ',
        static(SPRITE),
        kind.mark.icon,
    )
