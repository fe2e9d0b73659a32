"""Turning refusals and failures into pages, each with its correlation id."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from directory import audit
from userflows import sign_in_log
from userflows.errors import UserFlowError

logger = logging.getLogger(__name__)


class RefusalMiddleware:
    """Shows a UserFlowError as a page and writes the audited ones down, after the transaction was rolled back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, UserFlowError):
            return None
        if exception.activity:
            audit.record(
                exception.activity,
                tenant=getattr(request, "tenant", None),
                reason=exception.reason or exception.code,
                details={"mail": exception.mail},
            )
        # An unknown journey is none of this browser's: its log is not for it to write.
        if exception.journey_id and exception.status != 404:
            sign_in_log.refuse(exception.journey_id, reason=exception.reason or exception.code)
        if exception.journey_id and exception.go_on_to:
            exception.action_url = reverse("journey-step", args=[exception.journey_id, exception.go_on_to])
        return refusal_page(request, exception)


def refusal_page(request: HttpRequest, error: UserFlowError) -> HttpResponse:
    logger.info("Refused: %s", error.code)
    response = render(request, "userflows/refusal.html", {"error": error}, status=error.status)
    response["Cache-Control"] = "no-store"
    if error.retry_after:
        response["Retry-After"] = str(error.retry_after)
    return response


def _page(request: HttpRequest, *, code: str, status: int, title: str, explanation: str, advice: str) -> HttpResponse:
    error = UserFlowError(title=title, explanation=explanation, advice=(advice,))
    error.code, error.status = code, status
    return refusal_page(request, error)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(
        request,
        code="csrf_failed",
        status=403,
        title=_("This form could not be checked"),
        explanation=_("The form did not come with the mark that this site puts on its own pages."),
        advice=_("Allow cookies for this site, go back, reload the page and send the form again."),
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(
        request,
        code="bad_request",
        status=400,
        title=_("This request can't be understood"),
        explanation=_("The address or the form has characters that don't belong there."),
        advice=_("Go back to the application and start again from there."),
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(
        request,
        code="not_found",
        status=404,
        title=_("There is no such page"),
        explanation=_("The address may be mistyped, or the page was moved."),
        advice=_("Go back to the application and start again from there."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        code="server_error",
        status=500,
        title=_("Something went wrong on our side"),
        explanation=_("You did nothing wrong. What you had entered on earlier pages is kept."),
        advice=_("Reload the page in a minute. If it happens again, tell support the reference below."),
    )
