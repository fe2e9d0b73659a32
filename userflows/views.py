"""The hosted pages of a journey, over HTTP. Guards first: whose journey, which step, which version."""

import uuid
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from urllib.parse import urlencode

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from directory import audit
from userflows import journey as journeys
from userflows import sign_in_log
from userflows.browser import browser_of
from userflows.errors import JourneyFinished, JourneyUnknown, UserFlowError
from userflows.known_browser import remember_person
from userflows.language import activate_language
from userflows.last_used import remember_way
from userflows.models import Journey, Outcome
from userflows.passkey_way import begin_offer, should_offer
from userflows.rate_limit import count_attempt
from userflows.requests import TenantRequest
from userflows.sign_in import sign_in
from userflows.steps import STEPS, choose, may_open, next_step

# A reload or a double click right after completing may sign in again; a later visit may not.
SIGN_IN_AGAIN_SECONDS = 60


def noted(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a refusal know whose journey it ended: the middleware that shows it writes it into the sign-in log."""

    @wraps(view)
    def wrapped(request: TenantRequest, journey_id: uuid.UUID, *args: str, **kwargs: str) -> HttpResponse:
        try:
            return view(request, journey_id, *args, **kwargs)
        except UserFlowError as error:
            error.journey_id = journey_id
            if error.status != 404:
                request.is_test_run = Journey.objects.filter(pk=journey_id, is_test=True).exists()
            raise

    return wrapped


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@noted
def step(request: TenantRequest, journey_id: uuid.UUID, step_name: str) -> HttpResponse:
    module = next((module for module in STEPS if step_name == module.NAME), None)
    if module is None:
        raise Http404("There is no such step.")
    if request.method == "POST":
        return _submit(request, journey_id, module)
    journey = find_journey(request, journey_id)
    if journey.is_completed or not may_open(module, journey):
        return redirect("journey-resume", journey_id)
    response: HttpResponse = module.show(request, journey)
    return response


def _submit(request: TenantRequest, journey_id: uuid.UUID, module: ModuleType) -> HttpResponse:
    seen = find_journey(request, journey_id) if {"attempts", "prepare"} & set(dir(module)) else None
    if seen and not _is_open(request, seen, module):
        # What leads nowhere takes nobody's tries away, and has nothing hashed.
        return redirect("journey-resume", journey_id)
    if seen and hasattr(module, "attempts"):
        # Before the transaction: an attempt counts whatever becomes of it.
        count_attempt(*module.attempts(request, seen))
    if seen and hasattr(module, "prepare"):
        module.prepare(request, seen)
    with transaction.atomic():
        journey = find_journey(request, journey_id, lock=True)
        # Looked up a moment ago: what is switched off in between is noticed when the journey completes.
        journey.ways = seen.ways if seen else None
        # What was judged before the lock, a password for one, was judged for the journey as it was then.
        has_moved = seen is not None and seen.version != journey.version
        if has_moved or not _is_open(request, journey, module):
            # An old tab, the back button, a double click: show how things really stand.
            return redirect("journey-resume", journey_id)
        page: HttpResponse | None = module.submit(request, journey)
        if page is None:
            journey.version += 1
        journey.save(update_fields=["collected", "version", "code_hash", "code_sent_at", "code_tries", "expires_at"])
        if page is not None:
            return page
    if next_step(journey) is None:
        journeys.complete(journey)
    return redirect("journey-resume", journey_id)


def _is_open(request: TenantRequest, journey: Journey, module: ModuleType) -> bool:
    """Answer whether the page that was sent is one that the journey shows now."""
    return not (_is_stale(request, journey, module) or journey.is_completed) and may_open(module, journey)


def _is_stale(request: TenantRequest, journey: Journey, module: ModuleType) -> bool:
    if module is choose and request.POST.get("way"):
        # Back from a provider without an answer, the browser may show the first page as it was. Whoever chooses anew
        # there isn't sent to the same provider once more; chosen twice is chosen once.
        return False
    return request.POST.get("version") != str(journey.version)


@never_cache
@require_safe
@noted
def resume(request: TenantRequest, journey_id: uuid.UUID) -> HttpResponse:
    """Where a journey stands: its next step, or back to the application."""
    journey = find_journey(request, journey_id)
    current = None if journey.is_completed else next_step(journey)
    if current is not None:
        return redirect("journey-step", journey_id, current.NAME)
    return _finish(request, journeys.complete(journey))


def _finish(request: TenantRequest, journey: Journey) -> HttpResponse:
    """Sign the person in and go back to the application's request, which is now answered."""
    with transaction.atomic():
        journey = find_journey(request, journey.pk, lock=True)
        user, now = journey.user, timezone.now()
        if user is None:
            raise JourneyUnknown
        if journey.is_test:
            # The administrator stays signed in, and the test user is signed in nowhere.
            return redirect(journey.return_path)
        if journey.signed_in_at and request.user == user:
            return redirect(journey.return_path)
        is_late = journey.signed_in_at and (now - journey.signed_in_at).total_seconds() > SIGN_IN_AGAIN_SECONDS
        if is_late or user.was_revoked_after(journey.completed_at):
            raise JourneyFinished(start_again_url=journeys.start_again_url(journey))
        journey.signed_in_at = journey.signed_in_at or now
        journey.save(update_fields=["signed_in_at"])
        session = journey.facts["session"]
        sign_in(
            request,
            user,
            methods=session["methods"],
            identity_provider=session["idp"],
            target=journey.application,
            facts=session,
        )
        response = redirect(journey.return_path)
        if should_offer(request, journey):
            begin_offer(journey)
            response = redirect("passkey-offer", journey.pk)
        remember_way(response, session["way"], path=f"/{request.tenant.slug}/")
        if user.has_usable_password():
            remember_person(request, response, user, path=f"/{request.tenant.slug}/")
    return response


@never_cache
@require_POST
def cancel(request: TenantRequest, journey_id: uuid.UUID) -> HttpResponse:
    """Back to the application with nothing done (RFC 6749 4.1.2.1 access_denied). The journey ends."""
    with transaction.atomic():
        journey = find_journey(request, journey_id, lock=True)
        if journey.is_completed:
            return redirect("journey-resume", journey_id)
        audit.record("journey.cancelled", tenant=journey.tenant, target=journey.application)
        sign_in_log.finish(journey, outcome=Outcome.CANCELLED)
        journey.delete()
    answer = {"error": "access_denied", "error_description": "The person cancelled.", "iss": journey.issuer}
    if journey.state:
        answer["state"] = journey.state
    separator = "&" if "?" in journey.redirect_uri else "?"
    response = HttpResponse(status=302)
    # The URI was checked against the application's before the journey began; its scheme may be the application's own.
    response["Location"] = journey.redirect_uri + separator + urlencode(answer)
    return response


def find_journey(request: TenantRequest, journey_id: uuid.UUID, *, lock: bool = False) -> Journey:
    """Return this browser's journey, and speak its language. Raises JourneyUnknown and JourneyExpired."""
    journey = journeys.find(journey_id, tenant=request.tenant, browser=browser_of(request), lock=lock)
    activate_language(request, journey.ui_locales)
    request.is_test_run = journey.is_test
    return journey
