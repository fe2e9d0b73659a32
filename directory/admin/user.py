from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import models
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from directory import people
from directory.admin.auditing import actor_of
from directory.admin.deleted_user import DeletedUserAdmin
from directory.admin.filters import PeriodFilter
from directory.admin.pages import ReadOnly
from directory.admin.people_export import PeopleExport
from directory.admin.person import gives_roles, must_be_proven, why_not_shut_out
from directory.admin.person_actions import PersonActionPages
from directory.admin.readable import definition_list
from directory.admin.scoping import TenantTabularInline, roles_in
from directory.admin.step_up import to_step_up
from directory.admin.user_forms import MemberForm, UserForm
from directory.members import create_member, set_roles
from directory.models import AppRoleAssignment, AuditEvent, Identity, User, UserAttribute
from directory.people import PersonProtected
from directory.roles import Role, may


class IdentityInline(ReadOnly, TenantTabularInline):
    model = Identity
    subject = "user"
    fields: ClassVar[tuple[str, ...]] = ("sign_in_type", "issuer", "issuer_assigned_id", "created_at")
    readonly_fields: ClassVar[tuple[str, ...]] = fields
    verbose_name_plural = _("ways to sign in")


class AppRoleAssignmentInline(ReadOnly, TenantTabularInline):
    model = AppRoleAssignment
    tenant_path = "user__tenant"
    subject = "user"
    fields = ("application", "created_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).select_related("application")


class StateFilter(admin.SimpleListFilter):
    title = _("account state")
    # Not “state”: that is the province in a person's address.
    parameter_name = "account"
    conditions = {
        "enabled": {"account_enabled": True},
        "disabled": {"account_enabled": False},
        "test": {"is_test": True},
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("enabled", _("Enabled")), ("disabled", _("Disabled")), ("test", _("Test users"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset.filter(**self.conditions.get(self.value() or "", {}))


class CreatedFilter(PeriodFilter):
    title = _("signed up")
    column = "created_at"


PROFILE = (
    ("given_name", "surname"),
    "job_title",
    "street_address",
    ("postal_code", "city"),
    ("state", "country"),
)
FIXED = ("mail", "answers", "state_badge", "id", "user_type", "creation_type", "created_at", "last_sign_in")


class UserAdmin(PersonActionPages, PeopleExport):
    added_by_verb = True
    summary = _("Everybody in your directory: guests who signed up, and the members who run it.")
    empty_text = _("Nobody is here yet. Guests appear when they sign up; members are added by you.")
    list_display: tuple[str, ...] = ("name", "mail", "user_type", "state_badge", "signed_up", "last_sign_in")
    list_filter: ClassVar[tuple[Any, ...]] = ("user_type", StateFilter, CreatedFilter)
    search_help_text = _(
        "Words of the name, the address or any answer: people with all of them are found. Or the whole of an object ID."
    )
    ordering = ("-created_at",)
    sortable_by = ("signed_up",)
    inlines = (IdentityInline, AppRoleAssignmentInline)
    change_form_template = "admin/directory/user/change_form.html"
    delete_confirmation_template = "admin/directory/user/delete.html"
    deleted_users: type[DeletedUserAdmin] = DeletedUserAdmin
    more_in_menu = ((DeletedUserAdmin.title, "directory_user_deleted", DeletedUserAdmin.summary),)

    @admin.display(description=_("signed up (UTC)"), ordering="created_at")
    def signed_up(self, user: User) -> str:
        return f"{user.created_at:%Y-%m-%d %H:%M}"

    @admin.display(description=_("last sign-in (UTC)"))
    def last_sign_in(self, user: User) -> str:
        return f"{user.last_login:%Y-%m-%d %H:%M}" if user.last_login else _now("Never")

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        return ", ".join(str(assignment) for assignment in user.role_assignments.all()) or _now("None")

    @admin.display(description=_("custom attributes"))
    def answers(self, user: User) -> SafeString | str:
        labels = dict(UserAttribute.objects.filter(tenant=user.tenant_id).values_list("name", "display_name"))
        answers = [(labels.get(name, name), value) for name, value in user.extension_values.items()]
        return definition_list(answers) or _now("None")

    def get_urls(self) -> list[URLPattern]:
        return [*self.deleted_users(self.model, self.admin_site).get_urls(), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).filter(deleted_at__isnull=True)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> tuple[Any, ...]:
        return self.inlines if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """The fields in the order of the task. Roles only for members, and only where the person may see them."""
        sees_roles = may(roles_in(request), action="view", subject="roleassignment")
        roles = [(_("What they may do here"), {"fields": ("roles",)})]
        if obj is None:
            member = (_("New member"), {"fields": ("mail", "display_name")})
            return [member, *(roles if self._gives_roles(request, obj) else [])]
        return [
            (None, {"fields": ("display_name", "mail", "state_badge", "preferred_language")}),
            *(roles if sees_roles and not obj.is_guest else []),
            (_("Profile"), {"fields": (*PROFILE, "answers")}),
            (_("Account"), {"fields": ("id", "user_type", "creation_type", "created_at", "last_sign_in")}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return (*FIXED, *(() if self._gives_roles(request, obj) else ("roles",)))

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, form=UserForm if obj else MemberForm, **kwargs)
        if not self._gives_roles(request, obj):
            # A declared field is taken from the request whether it is shown or not.
            form.base_fields.pop("roles", None)
        return form

    def _gives_roles(self, request: HttpRequest, obj: User | None) -> bool:
        """Not to oneself, and not to guests."""
        return (obj is None or not (obj.is_guest or obj == request.user)) and gives_roles(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().change_view(request, object_id, form_url, extra_context)
        except PersonProtected as refusal:
            self.message_user(request, " ".join(refusal.messages), messages.ERROR)
            return redirect(f"{self.admin_site.name}:directory_user_change", object_id)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        person: User | None = context.get("original")
        if person is not None:
            context |= {**self.about(request, person), "show_delete": False}
        else:
            context["title"] = _now("Add member")
        return super().render_change_form(request, context, **kwargs)

    def about(self, request: HttpRequest, person: User) -> dict[str, Any]:
        """Return what the page says beside the form."""
        open_sessions = person.sessions.filter(expire_date__gt=timezone.now())
        first = AuditEvent.objects.filter(
            tenant=person.tenant_id, target_id=str(person.pk), activity__in=("user.created", "user.signed_up")
        )
        sees_log = may(roles_in(request), action="view", subject="auditevent")
        return {
            "person_actions": self.offered_actions(request, person),
            "sessions": open_sessions.aggregate(count=Count("pk"), last_seen=Max("last_seen_at")),
            "made_by": first.order_by("at").first() if sees_log else None,
        }

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        actor = actor_of(request)
        roles = [Role(role) for role in form.cleaned_data.get("roles", ())]
        if not change:
            create_member(obj, roles=roles, actor=actor)
            return
        super().save_model(request, obj, form, change)
        if "roles" in form.cleaned_data:
            set_roles(obj, roles=roles, actor=actor)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        person: User | None = self.get_object(request, unquote(object_id))
        if person and must_be_proven(request, person):
            return to_step_up(request)
        try:
            return super().delete_view(request, object_id, extra_context)
        except PersonProtected as refusal:
            self.message_user(request, " ".join(refusal.messages), messages.ERROR)
            return redirect(f"{self.admin_site.name}:directory_user_change", object_id)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        people.delete_user(obj, actor=actor_of(request))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:  # type: ignore[override]
        """The verb writes it down."""

    def what_deleting_hits(self, request: HttpRequest, obj: User) -> list[str]:
        return [
            _now("%(name)s can no longer sign in. Their sessions and tokens are void at once.") % {"name": obj},
            _now("For 30 days you find them under “Deleted users” and can restore them as they are now."),
            _now("After that, they are deleted for good: profile, answers and ways to sign in. The audit log stays."),
            _now("To keep the account but stop its use, disable it instead."),
        ]

    def why_not_deleted(self, request: HttpRequest, obj: User) -> list[str]:
        refusal = why_not_shut_out(request, obj)
        return [refusal] if refusal else []
