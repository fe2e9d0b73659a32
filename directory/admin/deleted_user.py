"""Deleted people: thirty days in which they can be restored, or deleted for good."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from directory import people
from directory.admin.auditing import actor_of
from directory.admin.person import PersonPages, gives_roles, must_be_proven
from directory.admin.step_up import require_step_up, to_step_up
from directory.models import User


class DeletedUserAdmin(PersonPages):
    """A second list of the same model, so it isn't registered: UserAdmin mounts its pages beside its own."""

    title = _("Deleted users")
    summary = _("Who was deleted in the last 30 days, to restore or to delete for good.")
    empty_text = _("Nobody is deleted. Who is deleted stays here for 30 days and can be restored.")
    list_display = ("name", "mail", "user_type", "deleted", "days_left", "choices")
    list_display_links = None
    list_filter = ("user_type",)
    ordering = ("-deleted_at",)
    sortable_by = ()
    # Deletes a person with everything; the floor above knows more of them.
    erase: Callable[..., None] = staticmethod(people.erase_user)

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
            "deleted": ("deleted/", self.changelist_view),
            "restore": ("deleted/<uuid:person_id>/restore/", self.restore_view),
            "erase": ("deleted/<uuid:person_id>/delete-for-good/", self.erase_view),
        }
        return [
            path(route, self.admin_site.admin_view(view), name=f"directory_user_{name}")
            for name, (route, view) in pages.items()
        ]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        deleted = super().get_queryset(request).filter(deleted_at__isnull=False)
        # The links of a row know no request.
        known: models.QuerySet[Any] = deleted.annotate(giver_of_roles=models.Value(gives_roles(request)))
        return known.prefetch_related("role_assignments")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return self.list_display if self.may(request, "delete") else self.list_display[:-1]

    @admin.display(description=_("deleted (UTC)"))
    def deleted(self, user: User) -> str:
        return f"{user.deleted_at:%Y-%m-%d %H:%M}"

    @admin.display(description=_("days left"))
    def days_left(self, user: User) -> str:
        left = user.deleted_at + people.RESTORABLE_FOR - timezone.now() if user.deleted_at else None
        days = max(0, left.days) if left else 0
        return ngettext("%(count)d day", "%(count)d days", days) % {"count": days} if days else _now("Less than a day")

    @admin.display(description=_("choices"))
    def choices(self, user: Any) -> SafeString | str:
        if not user.giver_of_roles and user.role_assignments.all():
            return "–"
        urls = [self._url(name, user.pk) for name in ("restore", "erase")]
        return format_html(
            '<a href="{}">{}</a> · <a href="{}">{}</a>', urls[0], _now("Restore"), urls[1], _now("Delete for good")
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": self.title, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def restore_view(self, request: HttpRequest, person_id: uuid.UUID) -> HttpResponse:
        person = self.find_person(request, person_id, action="delete")
        if must_be_proven(request, person):
            return to_step_up(request)
        if request.method == "POST":
            done = _now("%(name)s was restored.") % {"name": person}
            self.done_or_refused(request, done, people.restore_user, person, actor=actor_of(request))
            return redirect(f"{self.admin_site.name}:directory_user_change", person.pk)
        hits = [
            _now("They can sign in again with the ways that they had, to the applications that they had."),
            _now("Their answers and roles are as they were. Their old sessions and tokens stay void."),
        ]
        if not person.account_enabled:
            hits.append(_now("The account was disabled before, and stays so."))
        title = _now("Restore %(name)s?") % {"name": person}
        return self.confirmation(
            request, person, title=title, hits=hits, button=_now("Restore"), back=self._url("deleted")
        )

    @method_decorator(require_step_up)
    def erase_view(self, request: HttpRequest, person_id: uuid.UUID) -> HttpResponse:
        person = self.find_person(request, person_id, action="delete")
        if request.method == "POST":
            done = _now("%(name)s was deleted for good.") % {"name": person}
            self.done_or_refused(request, done, self.erase, person, actor=actor_of(request))
            return redirect(self._url("deleted"))
        title = _now("Delete %(name)s for good?") % {"name": person}
        hits = [
            _now("This can't be undone."),
            _now("Their profile, answers, ways to sign in, sign-up record, sessions and tokens are deleted at once."),
            _now("The sign-in log keeps that somebody came, without name and address."),
            _now("The audit log stays as it is, with their name, until its time is over."),
            _now("The address is free again: whoever proves it may sign up as a stranger."),
        ]
        return self.confirmation(
            request,
            person,
            title=title,
            hits=hits,
            button=_now("Delete for good"),
            is_danger=True,
            back=self._url("deleted"),
        )

    def _url(self, name: str, *args: Any) -> str:
        return reverse(f"{self.admin_site.name}:directory_user_{name}", args=args)
