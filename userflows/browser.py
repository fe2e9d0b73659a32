"""The browser in which a journey was begun: a random cookie, of which the journey keeps the hash.

Apart from the session, so that it outlives sign-in (when the session's key changes) and ends with sign-out.
"""

import hashlib
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse

COOKIE_NAME = "portal_browser"
MAX_AGE = 24 * 3600


def browser_of(request: HttpRequest) -> str:
    """Return the cookie's value, "" for a browser without one."""
    return request.COOKIES.get(COOKIE_NAME, "")


def browser_hash(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()


def new_browser() -> str:
    return secrets.token_urlsafe(32)


def remember_browser(response: HttpResponse, browser: str, *, path: str) -> None:
    response.set_cookie(
        COOKIE_NAME,
        browser,
        max_age=MAX_AGE,
        path=path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def forget_browser(response: HttpResponse, *, path: str) -> None:
    """After signing out, the journeys of this browser open nothing any more."""
    response.delete_cookie(COOKIE_NAME, path=path, samesite="Lax")
