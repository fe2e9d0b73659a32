"""The browsers in which somebody has signed in before: who guesses a password elsewhere doesn't take theirs away.

A signed cookie for each tenant. It names people by a hash, proves nothing but that somebody signed in here once, and
counts for nothing once all sign-ins of the person were ended.
"""

import time

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from directory.models import User

COOKIE_NAME = "portal_known"
SALT = "userflows.known_browser"
MAX_AGE = 90 * 24 * 3600
MAX_PEOPLE = 5


def knows_browser(request: HttpRequest, user: User) -> bool:
    """Answer whether this person has signed in here in the last 90 days, and not been signed out everywhere since."""
    people = _people_in(request)
    # In most browsers nobody has: then no hash is made of anybody, and an unknown address takes as long.
    at = people.get(_name_of(user)) if people else None
    if at is None or time.time() - at > MAX_AGE:
        return False
    valid_from = user.sign_in_sessions_valid_from
    return valid_from is None or at >= int(valid_from.timestamp())


def remember_person(request: HttpRequest, response: HttpResponse, user: User, *, path: str) -> None:
    """Keep in the browser that this person has just signed in. The last five people of a shared one are kept."""
    valid_from = user.sign_in_sessions_valid_from
    # Sign-ins are ended up to a second ahead (directory.people): the one that came after counts.
    now = max(int(time.time()), int(valid_from.timestamp()) if valid_from else 0)
    others = [(name, at) for name, at in _people_in(request).items() if name != _name_of(user)]
    latest = sorted(others, key=lambda person: -person[1])[: MAX_PEOPLE - 1]
    response.set_cookie(
        COOKIE_NAME,
        signing.dumps({_name_of(user): now, **dict(latest)}, salt=SALT),
        max_age=MAX_AGE,
        path=path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _people_in(request: HttpRequest) -> dict[str, int]:
    try:
        return dict(signing.loads(request.COOKIES.get(COOKIE_NAME, ""), salt=SALT, max_age=MAX_AGE))
    except signing.BadSignature:
        return {}


def _name_of(user: User) -> str:
    return salted_hmac(SALT, str(user.pk), algorithm="sha256").hexdigest()[:32]
