"""“Run user flow”: an administrator goes through a flow as a stranger would, with an application of the portal's own.

The run stands in the administrator's session: what was asked for, and with which secrets (state, nonce, PKCE). The
authorization request names it (`portal_run`). So nobody else, no other browser and no other tenant can use it, and a
name that somebody made up is found nowhere. The session stays the administrator's: the test user is never signed in.
"""

import base64
import hashlib
import re
import secrets
import time
import uuid
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from directory import audit
from directory.admin.scoping import roles_in
from directory.models import Application, ApplicationKind, Tenant, User
from directory.roles import may
from identity_portal.admin_sign_in import has_admin_session
from identity_portal.authority import Authority, current_authority, tenant_path
from userflows.definition import definition_of
from userflows.errors import UserFlowError
from userflows.journey import FlowRun
from userflows.models import Journey, UserFlow
from userflows.rate_limit import Limit, count_attempt, network_of
from userflows.requests import client_address

SESSION_KEY = "user_flow_runs"
PARAMETER = "portal_run"
KEPT = 5
# As long as a journey lives.
LIFETIME_SECONDS = 1800
# From the end of a journey to its answer it is one redirect.
ANSWERED_WITHIN_SECONDS = 60
SCOPE = "openid profile email"
# Each refusal is an audit event: nobody may fill the log.
REFUSAL_LIMIT = Limit("user_flow_run.refused", count=30, seconds=3600)
JOURNEY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class RunRefused(UserFlowError):
    """Someone asks for the built-in test client without a run of their own that is going on."""

    code = "run_refused"
    activity = "user_flow_run.refused"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            title=_("This test run can't go on"),
            explanation=_("A test run belongs to the administrator and the browser that began it, and ends by itself."),
            advice=(_("Sign in to the admin site, open the user flow and choose “Run user flow” again."),),
        )


@dataclass
class Run:
    """One run, as the session keeps it: plain values only. `result` is what came of it (identity_portal.run_page)."""

    user_flow: str
    is_draft: bool
    application: str
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    started_at: int = field(default_factory=lambda: int(time.time()))
    user: str = ""
    path: str = ""
    query: str = ""
    journey: str = ""
    is_answered: bool = False
    result: dict[str, Any] | None = None

    @property
    def is_over(self) -> bool:
        return self.is_answered or not 0 <= time.time() - self.started_at < LIFETIME_SECONDS


@dataclass(frozen=True)
class OpenRun:
    """A run that was found and may go on: the flow, and the application as which people's pages speak."""

    run: Run
    user_flow: UserFlow
    application: Application


def built_in_client_id(tenant_id: uuid.UUID) -> str:
    return str(uuid.uuid5(tenant_id, "identity-portal:run-user-flow"))


def is_built_in_client(application: Application | None) -> bool:
    return application is not None and application.client_id == built_in_client_id(application.tenant_id)


def built_in_client(tenant: Tenant) -> Application:
    """Return the tenant's test client, made at its first use. First-party, so no flow can be assigned to it."""
    redirect_uri = settings.BASE_URL + tenant_path(tenant, "tenant_admin:userflows_userflow_run_callback")
    application: Application
    application, is_new = Application.objects.get_or_create(
        client_id=built_in_client_id(tenant.pk),
        defaults={
            "tenant": tenant,
            "name": _("Test client"),
            "kind": ApplicationKind.SPA,
            "is_first_party": True,
            "redirect_uris": redirect_uri,
        },
    )
    if is_new:
        audit.record("application.created", tenant=tenant, target=application, details={"kind": application.kind})
    if application.redirect_uris != redirect_uri or not application.is_enabled:
        # The portal moved to another address, or somebody switched its own application off.
        application.redirect_uris, application.is_enabled = redirect_uri, True
        application.save(update_fields=["redirect_uris", "is_enabled"])
    return application


def begin(
    request: HttpRequest, user_flow: UserFlow, *, is_draft: bool, application: Application | None, language: str = ""
) -> str:
    """Keep a new run in the administrator's session, and return the authorization request that starts it."""
    client = built_in_client(user_flow.tenant)
    run = Run(str(user_flow.pk), is_draft, str((application or client).pk), user=str(request.user.pk))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(run.verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "client_id": client.client_id,
        "response_type": "code",
        "redirect_uri": client.redirect_uris,
        "scope": SCOPE,
        "state": run.state,
        "nonce": run.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **({"ui_locales": language} if language else {}),
        PARAMETER: run.id,
    }
    run.query = urlencode(query)
    run.path = f"{Authority(tenant=user_flow.tenant, user_flow=user_flow).path}/oauth2/v2.0/authorize"
    save(request, run)
    audit.record(
        "user_flow.run",
        tenant=user_flow.tenant,
        actor=request.user,  # type: ignore[arg-type]
        target=user_flow,
        details={"definition": "draft" if is_draft else "live", "application": (application or client).name},
    )
    return f"{run.path}?{run.query}"


def runs_of(request: HttpRequest) -> list[Run]:
    """Return the runs of the person at work in this browser, the latest last."""
    kept = [Run(**values) for values in request.session.get(SESSION_KEY, [])]
    return [run for run in kept if run.user == str(request.user.pk)]


def save(request: HttpRequest, run: Run) -> None:
    others = [kept for kept in runs_of(request) if kept.id != run.id]
    request.session[SESSION_KEY] = [asdict(kept) for kept in [*others, run][-KEPT:]]


def find_by_state(request: HttpRequest, state: str) -> Run | None:
    """Return the run that an answer belongs to (RFC 6749 10.12)."""
    return next((run for run in runs_of(request) if constant_time_compare(run.state, state)), None)


def open_run(request: HttpRequest) -> OpenRun:
    """Return the run that this authorization request goes on with. Raises RunRefused and TooManyRequests."""
    try:
        return _open_run(request)
    except RunRefused:
        tenant = current_authority().tenant
        count_attempt((REFUSAL_LIMIT, f"{tenant.pk}|{network_of(client_address(request))}"))
        raise


def _open_run(request: HttpRequest) -> OpenRun:
    if not isinstance(request.user, User) or not has_admin_session(request):
        raise RunRefused("nobody_signed_in")
    if not may(roles_in(request), action="change", subject="userflow"):
        raise RunRefused("role_missing")
    sent = request.GET.copy()
    sent.pop("portal_journey", None)
    wanted = sent.get(PARAMETER, "")
    run = next((run for run in runs_of(request) if constant_time_compare(run.id, wanted)), None)
    if run is None:
        raise RunRefused("run_unknown")
    if run.is_over:
        raise RunRefused("run_over")
    if run.path != request.path or QueryDict(run.query) != sent:
        raise RunRefused("request_changed")
    tenant = current_authority().tenant
    user_flow = UserFlow.objects.filter(tenant=tenant, pk=run.user_flow).select_related("live_version").first()
    application = Application.objects.filter(tenant=tenant, pk=run.application, is_enabled=True).first()
    if user_flow is None or application is None or not (run.is_draft or user_flow.live_version):
        raise RunRefused("flow_changed")
    return OpenRun(run, user_flow, application)


def flow_run_of(opened: OpenRun, run_by: User) -> FlowRun:
    """Return what the journey carries: the draft as it is at this moment, or the live version."""
    version = None if opened.run.is_draft else opened.user_flow.live_version
    definition = version.definition if version else definition_of(opened.user_flow)
    return FlowRun(definition=definition, version=version, run_by=run_by)


def take_answer(request: HttpRequest, opened: OpenRun, *, run_by: User) -> Journey | None:
    """Return the journey that has just ended this run, once. None: the run is to be begun. Raises RunRefused."""
    journey_id = request.GET.get("portal_journey", "")
    if not journey_id:
        return None
    if not JOURNEY_ID.fullmatch(journey_id):
        raise RunRefused("journey_unknown")
    now = timezone.now()
    ended = Journey.objects.filter(
        pk=journey_id,
        tenant=current_authority().tenant,
        is_test=True,
        run_by=run_by,
        completed_at__gt=now - timedelta(seconds=ANSWERED_WITHIN_SECONDS),
        signed_in_at=None,
    )
    journey = ended.select_related("user").first()
    if journey is None or journey.user is None or not journey.user.is_test or not _is_for(journey, request):
        raise RunRefused("journey_unknown")
    # One UPDATE that only one of many simultaneous requests can make.
    if not ended.update(signed_in_at=now):
        raise RunRefused("run_over")
    opened.run.is_answered, opened.run.journey = True, journey_id
    save(request, opened.run)
    return journey


def _is_for(journey: Journey, request: HttpRequest) -> bool:
    """Answer whether the journey was begun by this very request."""
    began_with = urlsplit(journey.return_path)
    return began_with.path == request.path and QueryDict(began_with.query) == request.GET
