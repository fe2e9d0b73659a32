import uuid
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory.admin.auditing import actor_of
from directory.admin.pages import ReadOnly
from directory.admin.readable import definition_list
from directory.admin.scoping import TenantModelAdmin, TenantTabularInline, roles_in
from directory.admin.user_forms import MemberForm, UserForm
from directory.members import create_member, set_roles
from directory.models import AppRoleAssignment, Identity, User, UserAttribute
from directory.roles import Role, may


class IdentityInline(ReadOnly, TenantTabularInline):
    model = Identity
    subject = "user"
    fields = ("sign_in_type", "issuer", "issuer_assigned_id", "created_at")
    readonly_fields = fields
    verbose_name_plural = _("ways to sign in")


class AppRoleAssignmentInline(ReadOnly, TenantTabularInline):
    model = AppRoleAssignment
    tenant_path = "user__tenant"
    subject = "user"
    fields = ("application", "created_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).select_related("application")


PROFILE = (
    ("given_name", "surname"),
    "job_title",
    "street_address",
    ("postal_code", "city"),
    ("state", "country"),
)


class UserAdmin(TenantModelAdmin):
    audit_subject = "user"
    added_by_verb = True
    summary = _("Everybody in your directory: guests who signed up, and the members who run it.")
    empty_text = _("Nobody is here yet. Guests appear when they sign up; members are added by you.")
    list_display = ("name", "mail", "user_type", "created_at", "account_enabled")
    list_filter = ("user_type", "creation_type", "account_enabled")
    search_fields = ("mail", "display_name", "given_name", "surname")
    search_help_text = _("A name, an email address, or the whole of an object ID.")
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    inlines = (IdentityInline, AppRoleAssignmentInline)

    @admin.display(description=_("name"))
    def name(self, user: User) -> str:
        return str(user)

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        return ", ".join(str(assignment) for assignment in user.role_assignments.all()) or _now("None")

    @admin.display(description=_("custom attributes"))
    def answers(self, user: User) -> SafeString | str:
        labels = dict(UserAttribute.objects.filter(tenant=user.tenant_id).values_list("name", "display_name"))
        answers = [(labels.get(name, name), value) for name, value in user.extension_values.items()]
        return definition_list(answers) or _now("None")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("role_assignments")

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        try:
            return queryset.filter(pk=uuid.UUID(search_term.strip())), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> tuple[Any, ...]:
        return self.inlines if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """The fields in the order of the task. Roles only for members, and only where the person may see them."""
        sees_roles = may(roles_in(request), action="view", subject="roleassignment")
        roles = [(_("What they may do here"), {"fields": ("roles",)})]
        if obj is None:
            member = (_("New member"), {"fields": ("mail", "display_name", "password")})
            return [member, *(roles if self._gives_roles(request, obj) else [])]
        return [
            (None, {"fields": ("display_name", "mail", "account_enabled", "preferred_language")}),
            *(roles if sees_roles and not obj.is_guest else []),
            (_("Profile"), {"fields": (*PROFILE, "answers")}),
            (_("Account"), {"fields": ("id", "user_type", "creation_type", "created_at")}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        fixed = ("mail", "answers", "id", "user_type", "creation_type", "created_at")
        own = ("account_enabled",) if obj == request.user else ()
        return (*fixed, *own, *(() if self._gives_roles(request, obj) else ("roles",)))

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, form=UserForm if obj else MemberForm, **kwargs)
        if not self._gives_roles(request, obj):
            # A declared field is taken from the request whether it is shown or not.
            form.base_fields.pop("roles", None)
        return form

    def _gives_roles(self, request: HttpRequest, obj: User | None) -> bool:
        """Not to oneself: so the last Global Administrator can't lock everybody out."""
        if obj is not None and (obj.is_guest or obj == request.user):
            return False
        return may(roles_in(request), action="change", subject="roleassignment")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._within_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and obj != request.user and self._within_reach(request, obj)

    @staticmethod
    def _within_reach(request: HttpRequest, user: User | None) -> bool:
        """Somebody with a role is changed only by those who give roles: nobody topples who stands above them."""
        if user is None or may(roles_in(request), action="change", subject="roleassignment"):
            return True
        return not user.role_assignments.all()

    def activity(self, form: Any) -> str:
        if "account_enabled" in form.changed_data:
            return "user.enabled" if form.cleaned_data["account_enabled"] else "user.disabled"
        return super().activity(form)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        actor = actor_of(request)
        roles = [Role(role) for role in form.cleaned_data.get("roles", ())]
        if not change:
            create_member(obj, password=form.cleaned_data["password"], roles=roles, actor=actor)
            return
        super().save_model(request, obj, form, change)
        if "roles" in form.cleaned_data:
            set_roles(obj, roles=roles, actor=actor)

    def what_deleting_hits(self, request: HttpRequest, obj: User) -> list[str]:
        return [
            _now("%(name)s can no longer sign in, and may sign up anew as a stranger.") % {"name": obj},
            _now("Their answers, their ways to sign in and what they may use are deleted. The audit log stays."),
            _now("To keep the account but stop its use, switch it off instead."),
        ]
