"""From path to tenant: `/{tenant}/…`, and `/{tenant}/{flow}/…` for a flow's own authority.

The prefix moves into Django's script prefix, so that every `reverse()`, the libraries' and the admin's too, is right
for the tenant. Each tenant has its own session and CSRF cookies, bound to its path.
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import get_script_prefix, set_script_prefix
from django.utils.functional import SimpleLazyObject

from directory.models import Tenant, User
from directory.models.tenant import RESERVED_SLUGS
from directory.session_store import SessionStore
from directory.tenant_scope import current_tenant, tenant_scope
from identity_portal.authority import Authority, authority_scope
from userflows.models import UserFlow
from userflows.models.user_flow import NAME_PREFIX

PATH = re.compile(
    r"\A/(?P<tenant>[A-Za-z0-9][A-Za-z0-9-]{1,39})(?:/(?P<flow>[Bb]2[Xx]_1_[A-Za-z0-9_]{1,64}))?(?P<rest>/.*)?\Z",
    re.DOTALL,
)
# Machines come here without cookies: any spelling of the path is answered, and no session is looked up.
MACHINE_PATH = re.compile(
    r"\A/(v2\.0/)?\.well-known/|\A/discovery/|\A/oauth2/v2\.0/(token|revoke)\Z|\A/oidc/userinfo\Z"
)


@dataclass(frozen=True)
class TenantPath:
    """A request's path, taken apart: the tenant's and the flow's segments as they were typed, and what is left."""

    tenant: str
    flow: str
    rest: str

    @classmethod
    def of(cls, path_info: str) -> "TenantPath | None":
        match = PATH.match(path_info)
        if match is None or match["tenant"].lower() in RESERVED_SLUGS:
            return None
        # MSAL for Python writes a double slash when the authority ends with one.
        rest = re.sub(r"\A/+", "/", match["rest"] or "/")
        return cls(match["tenant"], match["flow"] or "", rest)


def find_tenant(segment: str) -> Tenant:
    """Return the active tenant of a path segment: its slug in any case, or its UUID. Raises Http404."""
    tenants = Tenant.objects.filter(is_active=True)
    tenant = tenants.filter(slug=segment.lower()).first()
    if tenant is None and len(segment) == 36:
        try:
            tenant = tenants.filter(pk=uuid.UUID(segment)).first()
        except ValueError:
            tenant = None
    if tenant is None:
        raise Http404("There is no such tenant.")
    return tenant


class PortalRequest(HttpRequest):
    """For annotations: what TenantMiddleware adds. No tenant: the platform's pages."""

    tenant: Tenant | None
    needs_session: bool


class TenantMiddleware:
    """Find the tenant (and flow) of the request and make it current."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: PortalRequest) -> HttpResponseBase:
        if request.encoding:
            # A charset in Content-Type would decode the address too, with codecs that make broken text of it.
            request.encoding = "utf-8"
        path = TenantPath.of(request.path_info)
        request.tenant = None
        request.needs_session = True
        if path is None:
            with tenant_scope(None):
                return self.get_response(request)
        tenant = find_tenant(path.tenant)
        flow = self._find_flow(request, tenant, path)
        request.tenant = tenant
        request.needs_session = MACHINE_PATH.match(path.rest) is None
        authority = Authority(tenant=tenant, user_flow=flow)
        if request.needs_session and (path.tenant != tenant.slug or (flow and path.flow and path.flow != flow.name)):
            return self._redirect_to_canonical(request, authority, path)
        return self._respond(request, authority, path)

    def _find_flow(self, request: HttpRequest, tenant: Tenant, path: TenantPath) -> UserFlow | None:
        # ?p= is how Azure AD B2C's clients name a flow.
        name = path.flow or request.GET.get("p", "")
        if not name.lower().startswith(NAME_PREFIX.lower()):
            return None
        # PostgreSQL refuses a NUL in a lookup with a server error.
        flow = None if "\x00" in name else UserFlow.objects.filter(tenant=tenant, name__iexact=name).first()
        if flow is None:
            raise Http404("There is no such user flow.")
        return flow

    def _redirect_to_canonical(self, request: HttpRequest, authority: Authority, path: TenantPath) -> HttpResponse:
        # Cookies are bound to the path to the letter, so a page has one spelling. 307 keeps method and body.
        prefix = authority.path if path.flow else f"/{authority.tenant.slug}"
        query = request.META.get("QUERY_STRING", "")
        response = HttpResponseRedirect(f"{prefix}{path.rest}" + (f"?{query}" if query else ""))
        response.status_code = 307
        return response

    def _respond(self, request: HttpRequest, authority: Authority, path: TenantPath) -> HttpResponseBase:
        before = get_script_prefix()
        segments = f"/{authority.tenant.slug}" + (
            f"/{authority.user_flow.name}" if authority.user_flow and path.flow else ""
        )
        request.path_info = path.rest
        request.path = segments + path.rest
        request.urlconf = settings.TENANT_URLCONF  # type: ignore[attr-defined]
        set_script_prefix(segments + "/")
        try:
            with tenant_scope(authority.tenant), authority_scope(authority):
                return self.get_response(request)
        finally:
            set_script_prefix(before)


def tenant_cookie_path(request: HttpRequest) -> str:
    tenant = cast(PortalRequest, request).tenant
    return f"/{tenant.slug}/" if tenant else "/admin/"


class TenantSessionMiddleware(SessionMiddleware):
    """One session cookie for each tenant (path `/{tenant}/`), another for platform operators (path `/admin/`)."""

    def process_request(self, request: HttpRequest) -> None:
        here = cast(PortalRequest, request)
        session_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME) if here.needs_session else None
        request.session = SessionStore(session_key, tenant=here.tenant)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if not cast(PortalRequest, request).needs_session:
            # No session was looked up; Django would take the browser's cookie for a dead one and delete it.
            return response
        response = super().process_response(request, response)
        _bind_to_path(response, settings.SESSION_COOKIE_NAME, tenant_cookie_path(request))
        return response


class TenantCsrfMiddleware(CsrfViewMiddleware):
    """Django's, with the cookie bound to the tenant's path."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response = super().process_response(request, response)
        _bind_to_path(response, settings.CSRF_COOKIE_NAME, tenant_cookie_path(request))
        return response


def _bind_to_path(response: HttpResponseBase, cookie_name: str, path: str) -> None:
    if cookie_name in response.cookies:
        response.cookies[cookie_name]["path"] = path


class TenantUserMiddleware(AuthenticationMiddleware):
    """The second fence behind the session's own: a user of another tenant is nobody here."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        signed_in = request.user
        request.user = cast(User, SimpleLazyObject(lambda: self._of_this_tenant(request, signed_in)))

    @staticmethod
    def _of_this_tenant(request: HttpRequest, user: Any) -> Any:
        if not user.is_authenticated:
            return user
        tenant = cast(PortalRequest, request).tenant
        return user if user.tenant_id == (tenant.pk if tenant else None) else AnonymousUser()


class TenantBackend(ModelBackend):
    """E-mail address and password, within the tenant of the request; operators where there is no tenant."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        mail = username
        if not mail or not password:
            return None
        user = User.objects.with_mail(current_tenant(), mail).first()
        if user is None or not user.has_usable_password():
            # The same work as for a known address, so that the time tells nothing.
            User().set_password(password)
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None

    def user_can_authenticate(self, user: Any) -> bool:
        """Test users are signed in nowhere: their tokens end in “Run user flow”."""
        return super().user_can_authenticate(user) and not user.is_test

    def get_user(self, user_id: Any) -> User | None:
        user = User.objects.filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
