"""The security headers of every answer. No page needs inline style or script, so none is allowed."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
# A picture of a page, for a frame on a page of ours: it runs no script, and its forms and links lead nowhere.
PREVIEW_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; "
    "frame-ancestors 'self'; form-action 'none'; sandbox allow-same-origin"
)


class SecurityHeadersMiddleware:
    """Content-Security-Policy and its company.

    A view whose form's redirects leave the portal sets `response.form_action` to the CSP source of where they lead.
    One whose page holds a preview sets `response.shows_preview`, the preview itself `response.is_preview`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", _policy(response))
        # Django's middleware sets these two as well, but not when it answers by itself.
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", settings.SECURE_REFERRER_POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        response.headers.setdefault("X-Robots-Tag", "noindex")
        if request.path_info.startswith("/admin/"):
            # Applications open the hosted pages in pop-up windows and wait for them: those must keep their opener.
            response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        return response


def _policy(response: HttpResponseBase) -> str:
    if getattr(response, "is_preview", False):
        return PREVIEW_POLICY
    form_action = getattr(response, "form_action", "")
    policy = f"{POLICY} {form_action}".rstrip()
    return f"{policy}; frame-src 'self'" if getattr(response, "shows_preview", False) else policy
