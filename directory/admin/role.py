"""The roles: what each may do, who holds it; giving it and taking it away."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.auditing import actor_of
from directory.admin.keyset import found
from directory.admin.scoping import TenantModelAdmin, tenant_of
from directory.admin.step_up import require_step_up
from directory.members import assign_role, remove_role
from directory.models import RoleAssignment, User, UserType
from directory.roles import Role, in_words

MOST_HOLDERS = 200
MOST_FOUND = 20
LONGEST_SEARCH = 200


class RoleAdmin(TenantModelAdmin):
    """Roles are no rows: the list is of directory.roles, its pages are of who holds one."""

    audit_subject = "role"
    tenant_path = "user__tenant"
    menu_name = _("Roles")
    summary = _("What each role may do, and who holds it.")

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, tuple[str, Any]] = {
            "changelist": ("", self.roles_view),
            "role": ("<slug:role>/", self.role_view),
            "assign": ("<slug:role>/assign/<uuid:user_id>/", self.assign_view),
            "remove": ("<slug:role>/remove/<uuid:user_id>/", self.remove_view),
        }
        return [
            path(route, self.admin_site.admin_view(view), name=f"directory_roleassignment_{name}")
            for name, (route, view) in pages.items()
        ]

    def roles_view(self, request: HttpRequest) -> HttpResponse:
        self._check(request, "view")
        counts = dict(self._holders(request).values_list("role").annotate(count=Count("pk")))
        rows = [
            {"role": role, "powers": in_words(role), "count": counts.get(role.value, 0), "url": self._url("role", role)}
            for role in Role
        ]
        return self._page(request, "list", title=_now("Roles"), rows=rows)

    def role_view(self, request: HttpRequest, role: str) -> HttpResponse:
        self._check(request, "view")
        chosen = self._role(role)
        held: list[Any] = list(self._holders(request).filter(role=chosen)[: MOST_HOLDERS + 1])
        holders = [
            {
                "person": assignment.user,
                "since": assignment.created_at,
                "person_url": self._person_url(assignment.user),
                "remove_url": "" if assignment.user == request.user else self._url("remove", chosen, assignment.user),
            }
            for assignment in held[:MOST_HOLDERS]
        ]
        query = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
        may_give = self.may(request, "change")
        return self._page(
            request,
            "detail",
            title=str(chosen.label),
            powers=in_words(chosen),
            holders=holders,
            is_cut=len(held) > MOST_HOLDERS,
            query=query,
            members=self._found(request, chosen, query) if query and may_give else [],
            may_give=may_give,
        )

    @method_decorator(require_step_up)
    def assign_view(self, request: HttpRequest, role: str, user_id: uuid.UUID) -> HttpResponse:
        self._check(request, "change")
        chosen, user = self._role(role), self._member(request, user_id)
        if user == request.user:
            raise PermissionDenied
        if request.method == "POST":
            done = _now("%(name)s has the role %(role)s now.") % {"name": user, "role": chosen.label}
            return self._do(request, assign_role, chosen, user, done)
        title = _now("Give %(name)s the role %(role)s?") % {"name": user, "role": chosen.label}
        return self._confirmation(
            request, chosen, user, title=title, button=_now("Give the role"), powers=in_words(chosen)
        )

    @method_decorator(require_step_up)
    def remove_view(self, request: HttpRequest, role: str, user_id: uuid.UUID) -> HttpResponse:
        self._check(request, "change")
        chosen, user = self._role(role), self._member(request, user_id)
        if user == request.user:
            raise PermissionDenied
        if request.method == "POST":
            done = _now("%(name)s no longer has the role %(role)s.") % {"name": user, "role": chosen.label}
            return self._do(request, remove_role, chosen, user, done)
        title = _now("Take the role %(role)s from %(name)s?") % {"name": user, "role": chosen.label}
        return self._confirmation(request, chosen, user, title=title, button=_now("Take it away"), is_danger=True)

    def _do(self, request: HttpRequest, verb: Any, role: Role, user: User, done: str) -> HttpResponse:
        try:
            with transaction.atomic():
                verb(user, role=role, actor=actor_of(request))
        except ValidationError as refusal:
            self.message_user(request, " ".join(refusal.messages), messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)
        return redirect(self._url("role", role))

    def _holders(self, request: HttpRequest) -> QuerySet[RoleAssignment]:
        holders: QuerySet[RoleAssignment] = self.get_queryset(request).filter(user__deleted_at__isnull=True)
        return holders.select_related("user").order_by("user__display_name", "user__mail")

    def _found(self, request: HttpRequest, role: Role, query: str) -> list[dict[str, Any]]:
        """Return the members with these words who don't have the role yet."""
        members, _is_cut = found(self._members(request), query)
        members = members.exclude(role_assignments__role=role).exclude(pk=request.user.pk)
        return [
            {"person": member, "url": self._url("assign", role, member)}
            for member in members.order_by("display_name", "mail")[:MOST_FOUND]
        ]

    def _members(self, request: HttpRequest) -> QuerySet[User]:
        people: QuerySet[User] = User.objects.existing().filter(tenant=tenant_of(request), user_type=UserType.MEMBER)
        return people

    def _member(self, request: HttpRequest, user_id: uuid.UUID) -> User:
        member: User = get_object_or_404(self._members(request), pk=user_id)  # type: ignore[assignment,unused-ignore]
        return member

    def _role(self, value: str) -> Role:
        if value not in Role.values:
            raise Http404
        return Role(value)

    def _check(self, request: HttpRequest, action: str) -> None:
        if not self.may(request, action):
            raise PermissionDenied

    def _url(self, name: str, role: Role, user: User | None = None) -> str:
        args = (role.value, user.pk) if user else (role.value,)
        return reverse(f"{self.admin_site.name}:directory_roleassignment_{name}", args=args)

    def _person_url(self, user: User) -> str:
        return reverse(f"{self.admin_site.name}:directory_user_change", args=(user.pk,))

    def _confirmation(self, request: HttpRequest, role: Role, user: User, **context: Any) -> HttpResponse:
        return self._page(request, "confirm", role=role, person=user, back=self._url("role", role), **context)

    def _page(self, request: HttpRequest, name: str, **context: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            f"admin/directory/role/{name}.html",
            {**self.admin_site.each_context(request), "opts": self.opts, **context},
        )
