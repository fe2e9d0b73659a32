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
    ApplicationAdmin,
    AuditEventAdmin,
    OperatorAdmin,
    PlatformAuditEventAdmin,
    PlatformTenantAdmin,
    TenantAdmin,
    UserAdmin,
)
from directory.admin.pages import PlainLabels
from directory.admin.scoping import roles_in
from directory.members import roles_of
from directory.models import Application, AuditEvent, Tenant, User, UserAttribute
from identity_portal.admin_sign_in import (
    PASSWORD_CHANGE_LIMIT,
    AdminSignInForm,
    checked_next,
    has_password_session,
    signs_in,
    tenant_or_none,
)
from identity_portal.oidc.admin import SigningKeyAdmin
from identity_portal.oidc.models import SigningKey
from identity_portal.tenancy import tenant_cookie_path
from userflows.admin import FlowAttributeAdmin, UserFlowAdmin
from userflows.browser import forget_browser
from userflows.models import UserFlow
from userflows.rate_limit import count_attempt

# The same for an unknown address, a wrong password and an account without admin rights.
REFUSAL = _("The email address or the password is wrong, or the account may not enter here.")


class PlainPasswordForm(PlainLabels, PasswordChangeForm):
    """Django's, labelled like the other forms."""


class PasswordChange(PasswordChangeView):
    """Django's, with an audit event. It ends the person's other sessions."""

    form_class = PlainPasswordForm

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        audit.record("password.changed", tenant=form.user.tenant, actor=form.user, target=form.user)
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
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The menu: groups of lists, in the shape in which Django's templates expect apps."""
        apps = super().get_app_list(request)
        entries = {entry["model"]: entry for app in apps for entry in app["models"]}
        for model, entry in entries.items():
            model_admin = self.get_model_admin(model)
            entry["summary"] = getattr(model_admin, "summary", "")
            entry["name"] = getattr(model_admin, "menu_name", "") or entry["name"]
            entry["verbose_name"] = model._meta.verbose_name
        groups = []
        for name, models in self.menu:
            shown = [entries[model] for model in models if model in entries]
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
                if signs_in(request, form, may_enter=lambda user: self.may_enter(request, user)):
                    return redirect(next_url)
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

    def may_enter(self, request: HttpRequest, user: User) -> bool:
        return user.is_operator and user.is_active

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return isinstance(user, User) and self.may_enter(request, user) and has_password_session(request)


class TenantAdminSite(PortalAdminSite):
    """For the members who run a tenant."""

    menu = (
        (_("Build"), (UserFlow, Application, UserAttribute)),
        (_("People"), (User,)),
        (_("Watch"), (AuditEvent,)),
        (_("Set up"), (Tenant, SigningKey)),
    )

    def may_enter(self, request: HttpRequest, user: User) -> bool:
        tenant = tenant_or_none(request)
        return tenant is not None and bool(roles_of(user, tenant=tenant))

    def has_permission(self, request: HttpRequest) -> bool:
        return tenant_or_none(request) is not None and has_password_session(request) and bool(roles_in(request))


platform_site = PlatformAdminSite(name="admin")
platform_site.register(Tenant, PlatformTenantAdmin)
platform_site.register(User, OperatorAdmin)
platform_site.register(AuditEvent, PlatformAuditEventAdmin)

tenant_site = TenantAdminSite(name="tenant_admin")
tenant_site.register(UserFlow, UserFlowAdmin)
tenant_site.register(Application, ApplicationAdmin)
tenant_site.register(UserAttribute, FlowAttributeAdmin)
tenant_site.register(User, UserAdmin)
tenant_site.register(AuditEvent, AuditEventAdmin)
tenant_site.register(Tenant, TenantAdmin)
tenant_site.register(SigningKey, SigningKeyAdmin)
