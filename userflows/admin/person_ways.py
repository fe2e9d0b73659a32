"""The ways in which one person signs in, on their page: looked at, and taken away."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin import UserAdmin
from directory.admin.auditing import actor_of
from directory.admin.identity_provider import mark
from directory.admin.step_up import require_step_up
from directory.admin.user import AppRoleAssignmentInline, IdentityInline
from directory.models import Identity, User
from directory.models.identity import MAIL_ISSUER
from userflows.account.ways import LastWay, PasswordStays, remove_identity, ways_in
from userflows.provider_names import provider_name

# Of an id at a provider, so much is shown at both ends: enough to compare, too little to use.
SHOWN_ENDS = 4


def masked(subject: str) -> str:
    """Return an id with its middle left out."""
    if len(subject) <= 2 * SHOWN_ENDS:
        return f"{subject[:2]}…"
    return f"{subject[:SHOWN_ENDS]}…{subject[-SHOWN_ENDS:]}"


class WayInline(IdentityInline):
    fields = ("provider", "issuer", "id_there", "created_at", "remove")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).select_related("identity_provider")

    @admin.display(description=_("identity provider"))
    def provider(self, identity: Identity) -> SafeString:
        row = identity.identity_provider
        icon = mark(row.about) if row is not None and row.is_known_kind else ""
        return format_html("{}<bdi>{}</bdi>", icon, row or provider_name(identity.issuer))

    @admin.display(description=_("id there"))
    def id_there(self, identity: Identity) -> SafeString:
        """An address is what the person is called here anyway."""
        subject = identity.issuer_assigned_id
        return format_html('<bdi dir="ltr">{}</bdi>', subject if identity.issuer == MAIL_ISSUER else masked(subject))

    @admin.display(description=_("remove"))
    def remove(self, identity: Identity) -> SafeString:
        page = reverse("tenant_admin:directory_user_remove_identity", args=(identity.user_id, identity.pk))
        return format_html('<a href="{}">{}</a>', page, _now("Remove"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fields if self.may(request, "change") else self.fields[:-1]


class PersonWayPages(UserAdmin):
    inlines = (WayInline, AppRoleAssignmentInline)

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<uuid:person_id>/ways/<uuid:identity_id>/remove/",
            self.admin_site.admin_view(self.remove_identity_view),
            name="directory_user_remove_identity",
        )
        return [page, *super().get_urls()]

    @method_decorator(require_step_up)
    def remove_identity_view(self, request: HttpRequest, person_id: uuid.UUID, identity_id: uuid.UUID) -> HttpResponse:
        person = self.find_person(request, person_id, action="change")
        way = next((way for way in ways_in(person) if way.id == identity_id), None)
        if way is None:
            raise Http404
        refusal = "" if way.may_go else _now("It is the only way in which this person can sign in.")
        if request.method == "POST" and not refusal:
            refusal = self._remove(request, person, identity_id)
            if not refusal:
                return redirect(f"{self.admin_site.name}:directory_user_change", person.pk)
        return self.confirmation(
            request,
            person,
            title=_now("Remove %(way)s of %(name)s?") % {"way": way.name, "name": person},
            hits=(
                _now("They can't sign in with it any more, and they get a mail that says so."),
                _now("Whoever proves it later is a stranger, and may sign up or be asked who they are."),
                _now("Their sign-ins that are open now stay open. To end those too, revoke their sessions."),
            ),
            refusal=refusal,
            button=_now("Remove"),
            is_danger=True,
            back=reverse(f"{self.admin_site.name}:directory_user_change", args=(person.pk,)),
        )

    def _remove(self, request: HttpRequest, person: User, identity_id: uuid.UUID) -> str:
        """Remove it; return why not."""
        try:
            removed = remove_identity(person, identity_id, actor=actor_of(request))
        except LastWay:
            return _now("It is the only way in which this person can sign in.")
        except PasswordStays:
            return _now("Their password goes with this address, so it stays.")
        if removed is not None:
            self.message_user(request, _now("%(way)s was removed.") % {"way": removed.name}, messages.SUCCESS)
        return ""
