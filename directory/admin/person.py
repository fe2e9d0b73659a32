"""What the pages on people have in common, whether those are there or deleted."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.auditing import actor_of
from directory.admin.scoping import TenantModelAdmin, roles_in
from directory.admin.step_up import recently_proven
from directory.models import User
from directory.people import PersonProtected, check_may_be_shut_out
from directory.roles import may

NAME_IN_LIST = 40


def gives_roles(request: HttpRequest) -> bool:
    return may(roles_in(request), action="change", subject="roleassignment")


def within_reach(request: HttpRequest, user: User | None) -> bool:
    """Somebody with a role is changed only by those who give roles: nobody topples who stands above them."""
    return user is None or gives_roles(request) or not user.role_assignments.all()


def must_be_proven(request: HttpRequest, user: User) -> bool:
    """Who shuts an administrator out, or lets one in again, is asked who is there, as if it were the role itself."""
    return bool(user.role_assignments.all()) and not recently_proven(request)


def why_not_shut_out(request: HttpRequest, user: User) -> str:
    """Return why this person can't be disabled or deleted, "" if they can."""
    try:
        with transaction.atomic():
            check_may_be_shut_out(user, actor=actor_of(request))
    except PersonProtected as refusal:
        return " ".join(refusal.messages)
    return ""


class PersonPages(TenantModelAdmin):
    audit_subject = "user"
    search_fields = ("search_text",)
    search_column = "search_text"
    id_columns = ("id",)

    # A name may be written from right to left, or have signs that turn the text around it.
    @admin.display(description=_("name"))
    def name(self, user: User) -> SafeString:
        return format_html("<bdi>{}</bdi>", Truncator(user).chars(NAME_IN_LIST))

    @admin.display(description=_("state"))
    def state_badge(self, user: User) -> SafeString:
        kind, words = ("success", _now("Enabled")) if user.account_enabled else ("failure", _now("Disabled"))
        badge = format_html('<span class="badge badge-{}">{}</span>', kind, words)
        if not user.is_test:
            return badge
        return format_html('{} <span class="badge badge-warning">{}</span>', badge, _now("Test user"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and within_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and within_reach(request, obj)

    def find_person(self, request: HttpRequest, person_id: uuid.UUID, *, action: str) -> User:
        """Return whom the page is about: one of this list, whom the person at work may change or delete."""
        if not self.may(request, action):
            raise PermissionDenied
        person: User | None = self.get_object(request, str(person_id))
        if person is None:
            raise Http404
        if not within_reach(request, person):
            raise PermissionDenied
        return person

    def confirmation(self, request: HttpRequest, person: User, **context: Any) -> HttpResponse:
        """The page before something with consequences: `title`, `hits` (sentences), `button`, `is_danger`."""
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            "admin/directory/user/confirm.html",
            {**self.admin_site.each_context(request), "opts": self.opts, "person": person, **context},
        )

    def done_or_refused(self, request: HttpRequest, done: str, verb: Any, person: User, **kwargs: Any) -> bool:
        """Do it, and say so; or say why not. Answers whether it was done."""
        try:
            with transaction.atomic():
                verb(person, **kwargs)
        except ValidationError as refusal:
            self.message_user(request, " ".join(refusal.messages), messages.ERROR)
            return False
        self.message_user(request, done, messages.SUCCESS)
        return True
