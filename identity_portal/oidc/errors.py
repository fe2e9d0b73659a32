"""Requests that cannot be answered with a redirect: a page with our own code, for the developer of the application."""

from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from directory.models import Application
from directory.redirect_uris import split_uris

# A nearer look would let a stranger fish for registered URIs.
MAX_DIFFERENCE = 2
SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class RequestDefect:
    """What is wrong with an authorization or sign-out request, and the OAuth error it amounts to."""

    code: str
    oauth_error: str
    explanation: object


MALFORMED = RequestDefect("OIDC-1101", "invalid_request", _("The request is malformed or has a parameter twice."))
UNKNOWN_CLIENT = RequestDefect(
    "OIDC-1102", "invalid_client", _("There is no enabled application with this client_id in this tenant.")
)
MISSING_REDIRECT_URI = RequestDefect(
    "OIDC-1103", "invalid_request", _("The request has no redirect_uri, and the application has not just one.")
)
UNREGISTERED_REDIRECT_URI = RequestDefect(
    "OIDC-1104", "invalid_request", _("The redirect_uri in the request is not registered for this application.")
)
NOT_ASSIGNED = RequestDefect(
    "OIDC-1105", "unauthorized_client", _("The application is not assigned to the user flow that the request names.")
)
UNREGISTERED_SIGN_OUT_URI = RequestDefect(
    "OIDC-1201",
    "invalid_request",
    _("The post_logout_redirect_uri is not registered for this application, or the request names no application."),
)
INVALID_HINT = RequestDefect(
    "OIDC-1202", "invalid_request", _("The id_token_hint was not issued here, or for another client_id.")
)


@dataclass
class ErrorPage:
    """The context of templates/oidc/error.html; `rows` are pairs of label and value."""

    code: str
    oauth_error: str
    explanation: object
    rows: list[tuple[object, str]] = field(default_factory=list)


def error_page(
    request: HttpRequest, defect: RequestDefect, *, application: Application | None = None, sent_uri: str = ""
) -> HttpResponse:
    """Show a defect. Never redirects: the client or its redirect URI is not to be trusted."""
    page = ErrorPage(defect.code, defect.oauth_error, defect.explanation)
    if sent_uri:
        page.rows.append((_("Sent"), sent_uri[:SHOWN_CHARACTERS]))
    if application and sent_uri:
        page.rows += _nearest_rows(application, sent_uri, sign_out=defect is UNREGISTERED_SIGN_OUT_URI)
    if application:
        page.rows.append((_("Client ID"), application.client_id))
    context = {
        "error": page,
        "application_name": application.name if application else "",
        "now": timezone.now(),
    }
    response = render(request, "oidc/error.html", context, status=400)
    response["Cache-Control"] = "no-store"
    return response


def _nearest_rows(application: Application, sent: str, *, sign_out: bool) -> list[tuple[object, str]]:
    registered = split_uris(application.post_logout_redirect_uris if sign_out else application.redirect_uris)
    near = [(difference(sent, uri), uri) for uri in registered if abs(len(uri) - len(sent)) <= MAX_DIFFERENCE]
    if not near or min(near)[0] > MAX_DIFFERENCE:
        return []
    count, nearest = min(near)
    return [(_("Nearest registered"), nearest), (_("Difference"), _in_words(sent, nearest, count))]


def _in_words(sent: str, registered: str, count: int) -> str:
    if sent == registered + "/":
        return str(_("one “/” too many at the end"))
    if sent + "/" == registered:
        return str(_("the “/” at the end is missing"))
    if sent.lower() == registered.lower():
        return str(_("upper and lower case"))
    return str(_("%(count)d characters") % {"count": count}) if count > 1 else str(_("one character"))


def difference(a: str, b: str) -> int:
    """Return how many characters must be added, dropped or replaced to make `b` of `a` (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, character in enumerate(a, start=1):
        above, row[0] = row[0], i
        for j, other in enumerate(b, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (character != other))
    return row[-1]
