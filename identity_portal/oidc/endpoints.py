"""Token, revocation and userinfo: the endpoints that applications call without a browser."""

import json
import logging
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.views.mixins import OAuthLibMixin

from directory.correlation import current_correlation_id

logger = logging.getLogger(__name__)

GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")


def oauth_error(error: str, description: str, *, status: int = 400) -> JsonResponse:
    """Return an error of RFC 6749 5.2, with the id that finds the request in the log."""
    body = {"error": error, "error_description": description, "correlation_id": str(current_correlation_id())}
    return _not_stored(JsonResponse(body, status=status))  # type: ignore[return-value]


def _not_stored(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    return response


def _answer(request: HttpRequest, headers: dict[str, Any], body: Any, status: int) -> HttpResponse:
    """Turn oauthlib's answer into a response; errors get the correlation id."""
    error: dict[str, Any] = json.loads(body) if status >= 400 and body else {}
    if error:
        body = json.dumps({**error, "correlation_id": str(current_correlation_id())})
        logger.info("Refused: %s", error.get("error"))
    response = HttpResponse(body or "", status=status, content_type="application/json")
    for name, value in headers.items():
        response[name] = value
    used_basic = request.headers.get("Authorization", "").lower().startswith("basic")
    if used_basic and error.get("error") == "invalid_client":
        # RFC 6749 5.2: in the scheme that the client used.
        response["WWW-Authenticate"] = 'Basic realm="token endpoint"'
    return _not_stored(response)


def _is_malformed(request: HttpRequest) -> bool:
    """A parameter twice, or a NUL in one: refused before any of it is used (RFC 6749 3.2)."""
    return any(
        len(values) > 1 or any("\x00" in value for value in values)
        for name, values in request.POST.lists()
        if name != "resource"
    )


@method_decorator(csrf_exempt, name="dispatch")
class TokenView(OAuthLibMixin, View):
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if _is_malformed(request):
            return oauth_error("invalid_request", "The request is malformed or has a parameter twice.")
        if request.POST.get("grant_type") not in GRANT_TYPES:
            # The library would take the device and password grants; the portal has neither.
            return oauth_error("unsupported_grant_type", f"grant_type is one of {', '.join(GRANT_TYPES)}.")
        _url, headers, body, status = self.create_token_response(request)
        return _answer(request, headers, body, status)


@method_decorator(csrf_exempt, name="dispatch")
class RevokeView(OAuthLibMixin, View):
    """RFC 7009. An unknown token is no error: the answer tells nothing of what there is."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if _is_malformed(request):
            return oauth_error("invalid_request", "The request is malformed or has a parameter twice.")
        _url, headers, body, status = self.create_revocation_response(request)
        return _answer(request, headers, body, status)


@method_decorator(csrf_exempt, name="dispatch")
class UserInfoView(OAuthLibMixin, View):
    """OpenID Connect Core 5.3."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        _url, headers, body, status = self.create_userinfo_response(request)
        return _answer(request, headers, body, status)

    post = get
