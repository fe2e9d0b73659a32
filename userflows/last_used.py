"""The way by which somebody signed in last in this browser, for a mark on its button. Nothing tells who it was."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

COOKIE_NAME = "portal_last_way"
MAX_AGE = 30 * 24 * 3600


def last_way(request: HttpRequest) -> str:
    """Return the id of an identity provider, or whatever the browser says: it is only compared."""
    return request.COOKIES.get(COOKIE_NAME, "")


def remember_way(response: HttpResponse, way: str, *, path: str) -> None:
    response.set_cookie(
        COOKIE_NAME,
        way,
        max_age=MAX_AGE,
        path=path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
