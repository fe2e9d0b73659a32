"""The authorization endpoint (RFC 6749 3.1, OpenID Connect Core 3.1.2).

First client and redirect URI, then everything else; then the person: known here, or sent on a journey.
"""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.exceptions import FatalClientError, OAuthToolkitError
from oauth2_provider.settings import oauth2_settings
from oauth2_provider.views.mixins import OAuthLibMixin

from directory.admin.auditing import actor_of
from directory.models import Application
from identity_portal.authority import current_authority, tenant_path
from identity_portal.oidc import errors
from identity_portal.oidc.run import flow_run_of, is_built_in_client, open_run, take_answer
from userflows import journey as journeys
from userflows.browser import browser_of, new_browser, remember_browser
from userflows.models import ApplicationAssignment, Journey, UserFlow
from userflows.rate_limit import Limit, count_attempt, network_of
from userflows.requests import client_address

# RFC 7636 4.2: base64url of a SHA-256.
CODE_CHALLENGE = re.compile(r"\A[A-Za-z0-9_-]{43}\Z")
JOURNEY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MALFORMED_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# The journey ends with a redirect to the same request, and Django redirects to no URL above 16,384 characters.
MAX_QUERY_LENGTH = 12_000
MAX_LENGTHS = {"state": 4096, "nonce": 255, "scope": 2048, "login_hint": 254, "domain_hint": 254}
RESPONSE_MODES = ("query", "fragment")
# Each journey is a row: nobody may fill the table. An office behind one address stays far below.
JOURNEY_LIMIT = Limit("journey.start", count=1000, seconds=3600)
PROMPTS_TO_SIGN_IN = {"login", "create", "select_account"}
# From the end of a journey to here it is one redirect.
JUST_NOW = timedelta(seconds=60)


class RequestRefused(Exception):
    """An error that the application is told by redirect (RFC 6749 4.1.2.1)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


@method_decorator([csrf_exempt, never_cache], name="dispatch")
class AuthorizeView(OAuthLibMixin, View):
    """The person's browser comes here twice: with the application's request, and again when the journey is over."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """OpenID Connect Core 3.1.2.1 asks for POST too. As GET, the browser also sends its SameSite cookies."""
        sent = request.GET.copy()
        sent.update(request.POST)
        query = sent.urlencode()
        if len(query) > MAX_QUERY_LENGTH:
            return errors.error_page(request, errors.MALFORMED)
        response = HttpResponse(status=303)
        response["Location"] = f"{request.path}?{query}"
        return response

    def get(self, request: HttpRequest) -> HttpResponse:
        if self._is_malformed(request):
            return errors.error_page(request, errors.MALFORMED)
        try:
            scopes, credentials = self.validate_authorization_request(request)
        except FatalClientError as error:
            return self._fatal(request, error)
        except OAuthToolkitError as error:
            return self._answer_library_error(request, error)
        # Found once, by the validator, and handed on.
        application = credentials["client"] = credentials["request"].client
        if is_built_in_client(application):
            return self._run(request, scopes, credentials)
        user_flow, is_assigned = self._user_flow(application)
        if not is_assigned:
            return errors.error_page(request, errors.NOT_ASSIGNED, application=application)
        try:
            self._check(request)
            if self._must_sign_in(request):
                return self._start_journey(request, user_flow, credentials)
        except RequestRefused as refused:
            return self._answer_error(request, refused.error, refused.description)
        credentials["sign_in"] = self._session_facts(request, user_flow)
        return self._issue_code(request, scopes, credentials)

    def _run(self, request: HttpRequest, scopes: list[str], credentials: dict[str, Any]) -> HttpResponse:
        """Answer the built-in test client: only for the administrator who runs a flow. Raises RunRefused."""
        opened, run_by = open_run(request), actor_of(request)
        journey = take_answer(request, opened, run_by=run_by)
        if journey is None:
            credentials["client"] = opened.application
            flow_run = flow_run_of(opened, run_by)
            return self._start_journey(request, opened.user_flow, credentials, flow_run=flow_run)
        session = journey.facts["session"]
        credentials["sign_in"] = {
            "issuer": current_authority().issuer,
            "user_flow": opened.user_flow,
            "auth_time": journey.completed_at,
            "amr": session["methods"],
            "idp": session["idp"],
        }
        administrator, request.user = request.user, journey.user  # type: ignore[assignment]
        try:
            # The library takes the code's owner from the request. The session stays the administrator's.
            return self._issue_code(request, scopes, credentials)
        finally:
            request.user = administrator

    @staticmethod
    def _is_malformed(request: HttpRequest) -> bool:
        query = request.META.get("QUERY_STRING", "")
        used_in_lookups = request.GET.get("client_id", "") + request.GET.get("redirect_uri", "")
        return len(query) > MAX_QUERY_LENGTH or MALFORMED_PERCENT.search(query) is not None or "\x00" in used_in_lookups

    @staticmethod
    def _application(request: HttpRequest) -> Application | None:
        """Return the client of a request that went wrong."""
        tenant = current_authority().tenant
        client_id = request.GET.get("client_id", "")
        return Application.objects.filter(tenant=tenant, client_id=client_id, is_enabled=True).first()

    def _fatal(self, request: HttpRequest, error: FatalClientError) -> HttpResponse:
        description = error.oauthlib_error.description or ""
        if "Duplicate" in description or "parse" in description:
            return errors.error_page(request, errors.MALFORMED)
        application = self._application(request)
        if application is None:
            return errors.error_page(request, errors.UNKNOWN_CLIENT)
        sent_uri = request.GET.get("redirect_uri", "")
        if not sent_uri:
            return errors.error_page(request, errors.MISSING_REDIRECT_URI, application=application)
        defect = errors.UNREGISTERED_REDIRECT_URI
        return errors.error_page(request, defect, application=application, sent_uri=sent_uri)

    def _user_flow(self, application: Application) -> tuple[UserFlow | None, bool]:
        """The application's flow, and whether it goes with the flow that the authority names (if it names one)."""
        assignment = (
            ApplicationAssignment.objects.filter(application=application)
            .select_related("user_flow__live_version")
            .first()
        )
        user_flow = assignment.user_flow if assignment else None
        named = current_authority().user_flow
        return user_flow, named is None or named == user_flow

    def _check(self, request: HttpRequest) -> None:
        """What the library lets pass. Raises RequestRefused."""
        self._check_shape(request.GET)
        self._check_values(request.GET)

    @staticmethod
    def _check_shape(query: QueryDict) -> None:
        for name, values in query.lists():
            if len(values) > 1:
                raise RequestRefused("invalid_request", f"{name[:40]} is there twice.")
            if any("\x00" in value for value in values):
                raise RequestRefused("invalid_request", f"{name[:40]} has a NUL character.")
        for name, limit in MAX_LENGTHS.items():
            if len(query.get(name, "")) > limit:
                raise RequestRefused("invalid_request", f"{name} is longer than {limit} characters.")

    @staticmethod
    def _check_values(query: QueryDict) -> None:
        for name in ("request", "request_uri"):
            if name in query:
                raise RequestRefused(f"{name}_not_supported", f"The parameter {name} is not supported.")
        if query.get("response_mode", "query") not in RESPONSE_MODES:
            raise RequestRefused("invalid_request", "response_mode is query or fragment.")
        if query.get("code_challenge_method") != "S256" or not CODE_CHALLENGE.match(query.get("code_challenge", "")):
            raise RequestRefused("invalid_request", "PKCE with code_challenge_method S256 is required (RFC 7636).")
        if not re.fullmatch(r"[0-9]{1,9}", query.get("max_age", "0")):
            raise RequestRefused("invalid_request", "max_age is a number of seconds.")
        prompts = set(query.get("prompt", "").split())
        if "none" in prompts and len(prompts) > 1:
            raise RequestRefused("invalid_request", "prompt=none goes with no other prompt.")

    def _must_sign_in(self, request: HttpRequest) -> bool:
        """Answer whether the person has to prove who they are before this request is answered."""
        prompts = set(request.GET.get("prompt", "").split())
        if not request.user.is_authenticated:
            if "none" in prompts:
                raise RequestRefused("login_required", "Nobody is signed in.")
            return True
        auth_time = request.session.get("auth_time", 0)
        max_age = request.GET.get("max_age")
        # Who ends all other sign-ins has a later auth_time, and has proven nothing.
        proven_at = request.session.get("proven_at", auth_time)
        too_old = max_age is not None and time.time() - proven_at > int(max_age)
        if "none" in prompts:
            if too_old:
                raise RequestRefused("login_required", "The sign-in is older than max_age.")
            return False
        if too_old or prompts & PROMPTS_TO_SIGN_IN:
            return not self._has_just_signed_in(request, auth_time)
        return False

    def _has_just_signed_in(self, request: HttpRequest, auth_time: int) -> bool:
        """Answer whether the journey that this very request began has ended, just now, with this sign-in.

        Otherwise prompt=login would go round in circles, and an address from the browser's history, or a journey of
        another request, would be enough to skip it.
        """
        journey_id = request.GET.get("portal_journey", "")
        if not JOURNEY_ID.fullmatch(journey_id):
            return False
        journey = Journey.objects.filter(
            pk=journey_id,
            tenant=current_authority().tenant,
            user_id=str(request.user.pk),
            signed_in_at__gt=timezone.now() - JUST_NOW,
        ).first()
        if journey is None or auth_time < int(journey.created_at.timestamp()):
            return False
        began_with = urlsplit(journey.return_path)
        return began_with.path == request.path and QueryDict(began_with.query) == request.GET

    def _start_journey(
        self,
        request: HttpRequest,
        user_flow: UserFlow | None,
        credentials: dict[str, Any],
        *,
        flow_run: journeys.FlowRun | None = None,
    ) -> HttpResponse:
        query = request.GET.copy()
        query.pop("portal_journey", None)
        # The journey keeps the address encrypted; the path to come back to is kept as it is. Without the hints, whoever
        # begins anew from there isn't led to the same provider again.
        login_hint, domain_hint = query.pop("login_hint", [""])[-1], query.pop("domain_hint", [""])[-1]
        tenant, application = current_authority().tenant, credentials["client"]
        count_attempt((JOURNEY_LIMIT, f"{tenant.pk}|{network_of(client_address(request))}"))
        browser = browser_of(request) or new_browser()
        journey = journeys.start(
            tenant=tenant,
            user_flow=None if application.is_first_party and flow_run is None else user_flow,
            request=journeys.ApplicationRequest(
                application=application,
                return_path=f"{request.path}?{query.urlencode()}",
                redirect_uri=credentials["redirect_uri"],
                state=query.get("state", ""),
                issuer=current_authority().issuer,
                login_hint=login_hint,
                domain_hint=domain_hint,
                ui_locales=query.get("ui_locales", ""),
            ),
            browser=browser,
            flow_run=flow_run,
        )
        response = HttpResponse(status=302)
        response["Location"] = tenant_path(tenant, "journey-resume", journey.pk)
        remember_browser(response, browser, path=f"/{tenant.slug}/")
        return response

    @staticmethod
    def _session_facts(request: HttpRequest, user_flow: UserFlow | None) -> dict[str, Any]:
        session = request.session
        return {
            "issuer": current_authority().issuer,
            "user_flow": user_flow,
            "sid": session.get("sid", ""),
            "auth_time": datetime.fromtimestamp(session.get("auth_time", 0), tz=UTC),
            "amr": session.get("amr", []),
            "idp": session.get("idp", ""),
        }

    def _issue_code(self, request: HttpRequest, scopes: list[str], credentials: dict[str, Any]) -> HttpResponse:
        if isinstance(credentials.get("ui_locales"), list):
            credentials["ui_locales"] = " ".join(credentials["ui_locales"])
        try:
            uri, _headers, _body, _status = self.create_authorization_response(
                request, scopes=" ".join(scopes), credentials=credentials, allow=True
            )
        except OAuthToolkitError as error:
            return self._answer_library_error(request, error)
        return self._to_application(uri + ("&" if "#" in uri or "?" in uri else "?") + self._iss())

    def _answer_library_error(self, request: HttpRequest, error: OAuthToolkitError) -> HttpResponse:
        name, description = error.oauthlib_error.error, error.oauthlib_error.description or ""
        if request.GET.get("response_type", "code") != "code":
            # The library's word is unauthorized_client, but no application may use another one (RFC 6749 4.1.2.1).
            name, description = "unsupported_response_type", "response_type is code."
        elif name == "invalid_scope":
            description = f"scope is made of {', '.join(oauth2_settings.SCOPES)}, with spaces between them."
        return self._answer_error(request, name, description)

    def _answer_error(self, request: HttpRequest, error: str, description: str) -> HttpResponse:
        """RFC 6749 4.1.2.1: to the redirect URI, which is checked by now."""
        redirect_uri = request.GET.get("redirect_uri") or self._application(request).default_redirect_uri  # type: ignore[union-attr]
        answer = {"error": error, "error_description": description}
        if request.GET.get("state"):
            answer["state"] = request.GET["state"]
        separator = "&" if "?" in redirect_uri else "?"
        if request.GET.get("response_mode") == "fragment":
            separator = "#"
        return self._to_application(f"{redirect_uri}{separator}{urlencode(answer)}&{self._iss()}")

    @staticmethod
    def _iss() -> str:
        """RFC 9207: who answers, in every answer, so that a client can't be talked into mixing up two issuers."""
        return urlencode({"iss": current_authority().issuer})

    @staticmethod
    def _to_application(uri: str) -> HttpResponse:
        # Django's own redirect refuses private-use schemes; this URI is one that the application registered.
        response = HttpResponse(status=302)
        response["Location"] = uri
        return response
