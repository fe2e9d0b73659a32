"""SAML over HTTP: where answers and sign-outs come, and what a partner reads of us."""

import uuid
from typing import ClassVar

from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST, require_safe

from directory.models import IdentityProvider
from directory.session_store import hashed
from userflows.browser import forget_browser
from userflows.federation.errors import FederationError
from userflows.federation.saml_answer import MAX_LENGTH, AnswerRefused
from userflows.federation.saml_settings import toolkit_settings
from userflows.federation.saml_sign_out import answer_url, end_sessions, read_request
from userflows.federation.views import answer_by_post
from userflows.requests import TenantRequest


class SignOutInvalid(FederationError):
    """A request to sign somebody out that isn't the provider's own."""

    code = "sign_out_invalid"
    TITLE = gettext_lazy("The request of %(provider)s to sign you out could not be checked")
    EXPLANATION = gettext_lazy("It may not come from %(provider)s, so nothing has changed here.")
    ADVICE: ClassVar[tuple[str | Promise, ...]] = (gettext_lazy("Sign out in the application that you used."),)

    def __init__(self, reason: str, description: str, *, provider: IdentityProvider) -> None:
        super().__init__(reason, description)
        self.reason = f"sign_out_saml_{reason}"
        self.name_provider(provider.shown_name)


@csrf_exempt
@never_cache
@require_POST
def acs(request: TenantRequest, provider_id: uuid.UUID) -> HttpResponse:
    """The assertion consumer service. The answer waits, sealed, until this browser comes again with its cookies."""
    provider = _provider(request, provider_id)
    # One that is too long is kept only so far that it's still seen to be so.
    answer = {"SAMLResponse": request.POST.get("SAMLResponse", "")[: MAX_LENGTH + 1]}
    return answer_by_post(request, provider.pk, state=request.POST.get("RelayState", ""), answer=answer)


@require_safe
def metadata(request: TenantRequest, provider_id: uuid.UUID) -> HttpResponse:
    """Ours, for the partner's administrator. Nothing in it is secret; a provider that is switched off has it, too."""
    toolkit = toolkit_settings(_provider(request, provider_id), for_metadata=True)
    return HttpResponse(toolkit.get_sp_metadata(), content_type="application/samlmetadata+xml")


@never_cache
@require_GET
def sls(request: TenantRequest, provider_id: uuid.UUID) -> HttpResponse:
    """Single logout: the provider signs somebody out, or has done what we asked for."""
    provider = _provider(request, provider_id)
    if "SAMLRequest" not in request.GET:
        # Whatever an answer to our own request says, there is nothing left to end here.
        return redirect("signed-out")
    try:
        asked = read_request(provider, request.META.get("QUERY_STRING", ""))
    except AnswerRefused as error:
        raise SignOutInvalid(error.reason, error.detail, provider=provider) from error
    here = request.user if request.user.is_authenticated else None
    key = request.session.session_key
    ended = end_sessions(provider, asked, here=here)
    is_over_here = bool(key) and hashed(str(key)) in ended
    if is_over_here:
        logout(request)
    response = redirect(answer_url(provider, asked) or "signed-out")
    if is_over_here:
        forget_browser(response, path=f"/{request.tenant.slug}/")
    return response


def _provider(request: TenantRequest, provider_id: uuid.UUID) -> IdentityProvider:
    provider = get_object_or_404(IdentityProvider, tenant=request.tenant, pk=provider_id, kind="Saml")
    provider.tenant = request.tenant
    return provider
