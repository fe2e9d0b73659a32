"""Before something dangerous: is it still the person who signed in? The second factor again, good for ten minutes."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

STEP_UP_SECONDS = 600
FACT = "step_up_at"


def mark_proven(request: HttpRequest) -> None:
    """Keep in the session that the person has just proven themselves by a second factor."""
    request.session[FACT] = int(time.time())


def recently_proven(request: HttpRequest) -> bool:
    proven_at: int = request.session.get(FACT, 0)
    return 0 <= time.time() - proven_at < STEP_UP_SECONDS


def to_step_up(request: HttpRequest, *, back: str = "") -> HttpResponse:
    """Send the person to the page that asks for the second factor, and then `back`: here, where nothing else is said.

    A form that was sent is not done: the page says so, and the form is to be sent again.
    """
    is_form = request.method == "POST"
    here = request.path if is_form else request.get_full_path()
    query = {"next": back or here, **({"again": "1"} if is_form else {})}
    return redirect(f"{reverse('admin:step_up')}?{urlencode(query)}")


def require_step_up(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a view run only for a person who was proven recently. For methods: `@method_decorator(require_step_up)`."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not recently_proven(request):
            return to_step_up(request)
        return view(request, *args, **kwargs)

    return checked
