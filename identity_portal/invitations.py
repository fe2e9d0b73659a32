"""Letting people in who run a tenant: new ones, those who forgot their password, those who lost their second factor."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _now

from directory.admin import PlatformTenantAdmin
from directory.admin.auditing import actor_of
from directory.admin.step_up import recently_proven, require_step_up, to_step_up
from directory.encryption import seal, unseal
from directory.models import Tenant, User
from directory.one_time_link import make_link
from directory.people import revoke_sign_in_sessions
from identity_portal.admin_sign_in import admin_page
from identity_portal.second_factor import remove_all_factors
from identity_portal.security_notice import Change, tell
from identity_portal.set_password import mail_link
from userflows.admin import FlowUserAdmin

FACT = "one_time_link_to_show"


@transaction.atomic
def invite(user: User, *, actor: models.Model | None = None) -> str:
    """Make a one-time link, mail it to the person, and return it to be shown once."""
    link = make_link(user, actor=actor)
    mail_link(user, link)
    return link


@transaction.atomic
def reset_second_factor(user: User, *, actor: models.Model | None = None) -> None:
    """For whoever lost theirs: all factors and all sessions end; the next sign-in asks for the password and sets up."""
    remove_all_factors(user)
    revoke_sign_in_sessions(user, actor=actor or user)
    tell(user, Change.FACTORS_RESET, actor=actor or user)


def keep_link(request: HttpRequest, user: User, link: str) -> None:
    """Keep a link for the one page that shows it. Sealed: the session's table would keep it readable."""
    request.session[FACT] = [user.mail, seal(link, context=FACT)]


def take_link(request: HttpRequest) -> tuple[str, str] | None:
    """Return whose link waits to be shown, and the link; the second time there is none."""
    kept = request.session.pop(FACT, None)
    return (kept[0], unseal(kept[1], context=FACT)) if kept else None


class ShowsLink(BaseModelAdmin):  # type: ignore[type-arg]
    """The page that shows a new one-time link."""

    admin_site: Any

    def show_link_view(self, request: HttpRequest) -> HttpResponse:
        kept = take_link(request)
        if kept is None:
            return redirect(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return admin_page(
            request,
            self.admin_site,
            "show_link",
            title=_now("Hand over the link"),
            opts=self.opts,
            mail=kept[0],
            link=kept[1],
        )

    def show_link_url(self) -> URLPattern:
        name = f"{self.opts.app_label}_{self.opts.model_name}_show_link"
        url: URLPattern = path("link/", self.admin_site.admin_view(self.show_link_view), name=name)
        return url

    def to_link(self) -> HttpResponse:
        return redirect(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_show_link")


class PeopleAdmin(ShowsLink, FlowUserAdmin):
    """The people of a tenant, with what needs mail and second factors. Giving power to somebody is a step up."""

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
            "new_link": ("<uuid:user_id>/link/", self.new_link_view),
            "reset_factor": ("<uuid:user_id>/second-factor/reset/", self.reset_factor_view),
        }
        urls = [
            path(route, self.admin_site.admin_view(view), name=f"directory_user_{name}")
            for name, (route, view) in pages.items()
        ]
        return [self.show_link_url(), *urls, *super().get_urls()]

    @method_decorator(require_step_up)
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().add_view(request, form_url, extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # As Django reads it: an id in another spelling is the same person.
        person: User | None = self.get_object(request, unquote(object_id))
        if person and self._changes_roles(request, person) and not recently_proven(request):
            return to_step_up(request)
        may_let_in = person is not None and self._may_let_in(request, person)
        return super().change_view(request, object_id, form_url, {"may_let_in": may_let_in, **(extra_context or {})})

    def _changes_roles(self, request: HttpRequest, person: User) -> bool:
        if request.method != "POST" or not self._gives_roles(request, person):
            return False
        held = {assignment.role for assignment in person.role_assignments.all()}
        return held != set(request.POST.getlist("roles"))

    def _may_let_in(self, request: HttpRequest, person: User) -> bool:
        """Oneself has other ways. Without a role nobody enters, and needs no password."""
        is_let_in = person.is_active and not person.is_guest and bool(person.role_assignments.all())
        return is_let_in and person != request.user and self.has_change_permission(request, person)

    def _find_person(self, request: HttpRequest, user_id: uuid.UUID) -> User:
        if not self.has_view_permission(request):
            raise PermissionDenied
        person: User | None = self.get_object(request, str(user_id))
        if person is None:
            raise Http404
        if not self._may_let_in(request, person):
            raise PermissionDenied
        return person

    @method_decorator(require_step_up)
    def new_link_view(self, request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
        person = self._find_person(request, user_id)
        if request.method == "POST":
            keep_link(request, person, invite(person, actor=actor_of(request)))
            return self.to_link()
        title = _now("Send a new link?")
        return admin_page(request, self.admin_site, "new_link", title=title, opts=self.opts, original=person)

    @method_decorator(require_step_up)
    def reset_factor_view(self, request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
        person = self._find_person(request, user_id)
        if request.method == "POST":
            reset_second_factor(person, actor=actor_of(request))
            done = _now("%(name)s sets up a new second factor at the next sign-in.") % {"name": person}
            self.message_user(request, done, messages.SUCCESS)
            return redirect(f"{self.admin_site.name}:directory_user_change", person.pk)
        title = _now("Reset the second factor?")
        return admin_page(request, self.admin_site, "reset_factor", title=title, opts=self.opts, original=person)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        super().save_model(request, obj, form, change)
        if not change and obj.role_assignments.exists():
            keep_link(request, obj, invite(obj, actor=actor_of(request)))

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        answer = super().response_add(request, obj, post_url_continue)
        return self.to_link() if FACT in request.session else answer


class PlatformTenants(ShowsLink, PlatformTenantAdmin):
    """Tenants, each made together with its first administrator."""

    def get_urls(self) -> list[URLPattern]:
        return [self.show_link_url(), *super().get_urls()]

    @method_decorator(require_step_up)
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().add_view(request, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: Any) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            admin = User.objects.get(tenant=obj)
            keep_link(request, admin, invite(admin, actor=actor_of(request)))

    def response_add(self, request: HttpRequest, obj: Tenant, post_url_continue: str | None = None) -> HttpResponse:
        super().response_add(request, obj, post_url_continue)
        return self.to_link()
