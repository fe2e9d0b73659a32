"""The two admin sites: `/admin/` for platform operators, `/{tenant}/admin/` for members who hold a role."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth import logout
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from directory import audit
from directory.admin import (
    AuditEventAdmin,
    OperatorAdmin,
    PlatformAuditEventAdmin,
    RoleAdmin,
    TenantAdmin,
)
from directory.admin.pages import PlainLabels
from directory.admin.scoping import roles_in
from directory.members import roles_of
from directory.models import Application, AuditEvent, IdentityProvider, RoleAssignment, Tenant, User, UserAttribute
from directory.people import revoke_sign_in_sessions
from identity_portal.admin_account_urls import account_urls
from identity_portal.admin_home import platform_home, tenant_home
from identity_portal.admin_search import search_urls
from identity_portal.admin_sign_in import (
    PASSWORD_CHANGE_LIMIT,
    AdminSignInForm,
    begin_sign_in,
    checked_next,
    has_admin_session,
    person_with_password,
    tenant_or_none,
)
from identity_portal.application_admin import PortalApplicationAdmin
from identity_portal.health_page import health_urls, with_health
from identity_portal.invitations import PeopleAdmin, PlatformTenants
from identity_portal.oidc.admin import SigningKeyAdmin
from identity_portal.oidc.models import SigningKey
from identity_portal.run_page import run_urls
from identity_portal.security_notice import Change, tell
from identity_portal.tenancy import tenant_cookie_path
from identity_portal.tenant_switcher import other_tenants
from userflows.admin import FlowAttributeAdmin, FlowIdentityProviderAdmin, SignInAdmin, UserFlowAdmin
from userflows.browser import forget_browser
from userflows.models import SignIn, UserFlow
from userflows.rate_limit import count_attempt
from userflows.sign_in import stay_signed_in

# The same for an unknown address, a wrong password and an account without admin rights.
REFUSAL = _("The email address or the password is wrong, or the account may not enter here.")


# static/admin_skin/skin.css has as many.
TENANT_COLOURS = 8


class PlainPasswordForm(PlainLabels, PasswordChangeForm):
    """Django's, labelled like the other forms."""


class PasswordChange(PasswordChangeView):
    """Django's, with an audit event. It ends the person's other sessions, and voids what applications have."""

    form_class = PlainPasswordForm

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        audit.record("password.changed", tenant=form.user.tenant, actor=form.user, target=form.user)
        revoke_sign_in_sessions(form.user, actor=form.user)
        stay_signed_in(self.request, form.user)
        tell(form.user, Change.PASSWORD_CHANGED, recorded=True)
        messages.success(self.request, _now("Your password was changed."))
        return response


class PortalAdminSite(AdminSite):
    """What both sites share. `menu` groups the lists by task; what isn't in it isn't shown there."""

    site_header = site_title = "Identity Portal"
    index_title = _("Home")
    site_url = None
    # The menu is our own: templates/admin/includes/menu.html.
    enable_nav_sidebar = False
    menu: tuple[tuple[str | Promise, tuple[type[Model], ...]], ...] = ()

    def may_enter(self, request: HttpRequest, user: User) -> bool:
        raise NotImplementedError

    def get_urls(self) -> list[URLResolver | URLPattern]:
        # Django's “view on site” resolves any object of any tenant by its id.
        own = [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
        return [*account_urls(self), *search_urls(self), *own]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        tenant = tenant_or_none(request)
        return {
            **context,
            "other_tenants": other_tenants(request) if context["has_permission"] else [],
            # The same colour each time, so that one sees at once whose pages these are.
            "tenant_colour": 1 + tenant.pk.int % TENANT_COLOURS if tenant else 0,
        }

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The menu: groups of lists, in the shape in which Django's templates expect apps."""
        apps = super().get_app_list(request)
        entries = {entry["model"]: entry for app in apps for entry in app["models"]}
        for model, entry in entries.items():
            model_admin = self.get_model_admin(model)
            entry["summary"] = getattr(model_admin, "summary", "")
            entry["name"] = getattr(model_admin, "menu_name", "") or entry["name"]
            entry["verbose_name"] = model._meta.verbose_name
            entry["icon"] = model._meta.model_name
            entry["more"] = [
                {
                    "name": name,
                    "summary": summary,
                    "admin_url": reverse(f"{self.name}:{url_name}"),
                    "icon": url_name,
                }
                for name, url_name, summary in getattr(model_admin, "more_in_menu", ())
            ]
            # Their pages are mounted below the list's own.
            entry["is_elsewhere"] = any(request.path.startswith(page["admin_url"]) for page in entry["more"])
        groups = []
        for name, models in self.menu:
            lists = [entries[model] for model in models if model in entries]
            shown = [page for entry in lists for page in (entry, *entry["more"])]
            if shown:
                groups.append({"name": name, "app_label": "", "app_url": "", "models": shown})
        return groups

    def app_index(  # type: ignore[override]
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """People know tasks, not Django's apps."""
        return redirect(f"{self.name}:index")

    @method_decorator(never_cache)
    @method_decorator(sensitive_post_parameters("password"))
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        next_url = checked_next(request, prefix=reverse(f"{self.name}:index"))
        if request.method != "POST" and self.has_permission(request):
            return redirect(next_url)
        form = AdminSignInForm()
        if request.method == "POST":
            form = AdminSignInForm(request.POST)
            if form.is_valid():
                user = person_with_password(request, self, form.cleaned_data)
                if user is not None:
                    begin_sign_in(request, user, next_url=next_url)
                    return redirect(f"{self.name}:second_factor")
                form.add_error(None, REFUSAL)
        context = {**self.each_context(request), "title": _now("Sign in"), "form": form, "next": next_url}
        request.current_app = self.name
        return TemplateResponse(request, "admin/login.html", context | (extra_context or {}))

    @method_decorator(require_POST)
    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        if isinstance(request.user, User):
            audit.record("user.signed_out", tenant=tenant_or_none(request), actor=request.user)
        logout(request)
        messages.success(request, _now("You are signed out."))
        response = redirect(f"{self.name}:login")
        forget_browser(response, path=tenant_cookie_path(request))
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        request.current_app = self.name
        if request.method == "POST":
            count_attempt((PASSWORD_CHANGE_LIMIT, str(request.user.pk)))
        page: HttpResponse = PasswordChange.as_view(  # type: ignore[assignment]
            template_name="admin/password_change.html",
            success_url=reverse(f"{self.name}:index"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )(request)
        return page


class PlatformAdminSite(PortalAdminSite):
    """For those who run the portal. They see the tenants, not the tenants' people."""

    menu = ((_("Tenants"), (Tenant,)), (_("People"), (User,)), (_("Watch"), (AuditEvent,)))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**platform_home(), **(extra_context or {})})

    def may_enter(self, request: HttpRequest, user: User) -> bool:
        return user.is_operator and user.is_active

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return isinstance(user, User) and self.may_enter(request, user) and has_admin_session(request)


class TenantAdminSite(PortalAdminSite):
    """For the members who run a tenant."""

    menu = (
        (_("Build"), (UserFlow, IdentityProvider, Application, UserAttribute)),
        (_("People"), (User, RoleAssignment)),
        (_("Watch"), (SignIn, AuditEvent)),
        (_("Set up"), (Tenant, SigningKey)),
    )

    def get_urls(self) -> list[URLResolver | URLPattern]:
        return [*health_urls(self), *run_urls(self), *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**tenant_home(request), **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        groups = super().get_app_list(request, app_label)
        return with_health(groups) if self.has_permission(request) else groups

    def may_enter(self, request: HttpRequest, user: User) -> bool:
        tenant = tenant_or_none(request)
        return tenant is not None and bool(roles_of(user, tenant=tenant))

    def has_permission(self, request: HttpRequest) -> bool:
        return tenant_or_none(request) is not None and has_admin_session(request) and bool(roles_in(request))


platform_site = PlatformAdminSite(name="admin")
platform_site.register(Tenant, PlatformTenants)
platform_site.register(User, OperatorAdmin)
platform_site.register(AuditEvent, PlatformAuditEventAdmin)

tenant_site = TenantAdminSite(name="tenant_admin")
tenant_site.register(UserFlow, UserFlowAdmin)
tenant_site.register(Application, PortalApplicationAdmin)
tenant_site.register(IdentityProvider, FlowIdentityProviderAdmin)
tenant_site.register(UserAttribute, FlowAttributeAdmin)
tenant_site.register(User, PeopleAdmin)
tenant_site.register(RoleAssignment, RoleAdmin)
tenant_site.register(SignIn, SignInAdmin)
tenant_site.register(AuditEvent, AuditEventAdmin)
tenant_site.register(Tenant, TenantAdmin)
tenant_site.register(SigningKey, SigningKeyAdmin)
