"""Sign-out that an application asks for (OpenID Connect RP-Initiated Logout 1.0).

Who came in by a provider that can sign them out, too, is offered that first. Whatever they choose, and from the
provider, they come back to where the application wants them.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from directory import audit
from directory.models import Application
from directory.redirect_uris import form_action_source
from identity_portal.authority import current_authority, tenant_path
from identity_portal.oidc import errors
from identity_portal.oidc.keys import verified_claims
from userflows.browser import forget_browser
from userflows.federation.sign_out_there import SignOutThere, sign_out_there

# The cookie of who is at a provider to sign out there.
WAY_BACK = "portal_way_back"
WAY_BACK_SECONDS = 600
PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


@dataclass
class SignOutRequest:
    """A request whose hint, client and redirect URI fit together. `subject` is whom the hint names, "" without one."""

    application: Application | None
    redirect_uri: str
    state: str
    subject: str

    @property
    def answer_url(self) -> str:
        """Where the application wants the person, "" for nowhere."""
        uri = self.redirect_uri
        if not uri or not self.state:
            return uri
        return uri + ("&" if "?" in uri else "?") + urlencode({"state": self.state})


class Defective(Exception):
    def __init__(self, defect: errors.RequestDefect, application: Application | None = None, uri: str = "") -> None:
        super().__init__(defect.code)
        self.defect, self.application, self.uri = defect, application, uri


@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def end_session(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        # The browser sends its SameSite cookies only when it follows with GET.
        given = {name: request.POST[name] for name in PARAMETERS if name in request.POST}
        response = HttpResponse(status=303)
        response["Location"] = f"{request.path}?{urlencode(given)}"
        return response
    try:
        sign_out_request = _understood({name: request.GET.get(name, "") for name in PARAMETERS})
    except Defective as error:
        return errors.error_page(request, error.defect, application=error.application, sent_uri=error.uri)
    if not request.user.is_authenticated or sign_out_request.subject == str(request.user.pk):
        return _sign_out(request, sign_out_request)
    # Without a hint, or with somebody else's, the person is asked: a link on any page could lead here.
    return _confirmation(request, sign_out_request)


@never_cache
@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """The person said yes on our own page (CSRF-checked)."""
    try:
        sign_out_request = _understood({name: request.POST.get(name, "") for name in PARAMETERS})
    except Defective as error:
        return errors.error_page(request, error.defect, application=error.application, sent_uri=error.uri)
    return _sign_out(request, sign_out_request)


@never_cache
def signed_out(request: HttpRequest) -> HttpResponse:
    """The end, or the way back from a provider: to the application that had asked."""
    way_back = _kept_way_back(request)
    if way_back:
        response = HttpResponse(status=302)
        response["Location"] = way_back
        response.delete_cookie(WAY_BACK, path=_done_path(), samesite="Lax")
        return response
    return render(request, "oidc/signed_out.html", {"sign_in_url": ""})


def _understood(given: dict[str, str]) -> SignOutRequest:
    tenant = current_authority().tenant
    if any("\x00" in value for value in given.values()):
        raise Defective(errors.MALFORMED)
    claims: dict[str, Any] = {}
    client_id = given["client_id"]
    if given["id_token_hint"]:
        claims = verified_claims(given["id_token_hint"], tenant=tenant) or {}
        if not claims or (client_id and claims.get("aud") != client_id):
            raise Defective(errors.INVALID_HINT)
        client_id = str(claims.get("aud", ""))
    application = Application.objects.filter(tenant=tenant, client_id=client_id).first() if client_id else None
    if given["client_id"] and application is None:
        raise Defective(errors.UNKNOWN_CLIENT)
    redirect_uri = given["post_logout_redirect_uri"]
    if redirect_uri and (application is None or not application.post_logout_redirect_uri_allowed(redirect_uri)):
        raise Defective(errors.UNREGISTERED_SIGN_OUT_URI, application, redirect_uri)
    return SignOutRequest(application, redirect_uri, given["state"], str(claims.get("sub", "")))


def _confirmation(request: HttpRequest, sign_out_request: SignOutRequest) -> HttpResponse:
    fields = {name: request.GET[name] for name in PARAMETERS if name in request.GET}
    application = sign_out_request.application
    response = render(
        request,
        "oidc/sign_out.html",
        {"hidden_fields": fields, "application_name": application.name if application else ""},
    )
    if sign_out_request.redirect_uri:
        response.form_action = form_action_source(sign_out_request.redirect_uri)  # type: ignore[attr-defined]
    return response


def _sign_out(request: HttpRequest, sign_out_request: SignOutRequest) -> HttpResponse:
    if request.user.is_authenticated:
        audit.record(
            "user.signed_out",
            tenant=current_authority().tenant,
            actor=request.user,
            target=sign_out_request.application,
        )
    there = sign_out_there(request, current_authority().tenant)
    logout(request)
    response = _offer(request, sign_out_request, there) if there else _way_back(sign_out_request)
    forget_browser(response, path=f"/{current_authority().tenant.slug}/")
    return response


def _offer(request: HttpRequest, sign_out_request: SignOutRequest, there: SignOutThere) -> HttpResponse:
    application, way_back_uri = sign_out_request.application, sign_out_request.redirect_uri
    page = {
        "there": there,
        "way_back": sign_out_request.answer_url,
        "application_name": application.name if application else "",
    }
    response = render(request, "oidc/sign_out_there.html", page)
    if application and way_back_uri:
        # Providers keep no more than 80 bytes for us (SAML Bindings 3.4.3), and some forget what they should return.
        kept = {"application": str(application.pk), "uri": way_back_uri, "state": sign_out_request.state}
        response.set_cookie(
            WAY_BACK,
            signing.dumps(kept, salt=WAY_BACK),
            max_age=WAY_BACK_SECONDS,
            path=_done_path(),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def _kept_way_back(request: HttpRequest) -> str:
    """Return where the application wants who comes back from the provider, if that is still its address."""
    try:
        kept = signing.loads(request.COOKIES.get(WAY_BACK, ""), salt=WAY_BACK, max_age=WAY_BACK_SECONDS)
    except signing.BadSignature:
        return ""
    application = Application.objects.filter(tenant=current_authority().tenant, pk=kept["application"]).first()
    if application is None or not application.post_logout_redirect_uri_allowed(kept["uri"]):
        return ""
    return SignOutRequest(application, kept["uri"], kept["state"], "").answer_url


def _done_path() -> str:
    """Without a flow: it is what is registered at providers."""
    return tenant_path(current_authority().tenant, "signed-out")


def _way_back(sign_out_request: SignOutRequest) -> HttpResponse:
    if not sign_out_request.answer_url:
        return redirect("signed-out")
    response = HttpResponse(status=302)
    response["Location"] = sign_out_request.answer_url
    return response
