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
from userflows.forms import EmailForm
from userflows.language import activate_language
from userflows.mail_code import ADDRESS_LIMIT, MAILBOX_LIMIT, TENANT_LIMIT, seconds_until_resend
from userflows.models import Journey, Outcome
from userflows.rate_limit import Limit, count_attempt, network_of
from userflows.requests import TenantRequest, client_address
from userflows.sign_in import sign_in
from userflows.steps import STEPS, choose, email_code, may_open, next_step

# A reload or a double click right after completing may sign in again; a later visit may not.
SIGN_IN_AGAIN_SECONDS = 60
TRY_LIMIT = Limit("email_code.try", count=100, seconds=3600)


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
    journey = _find(request, journey_id)
    if journey.is_completed or not may_open(module, journey):
        return redirect("journey-resume", journey_id)
    response: HttpResponse = module.show(request, journey)
    return response


def _submit(request: TenantRequest, journey_id: uuid.UUID, module: ModuleType) -> HttpResponse:
    _count(request, journey_id, module)
    with transaction.atomic():
        journey = _find(request, journey_id, lock=True)
        stale = request.POST.get("version") != str(journey.version)
        if stale or journey.is_completed or not may_open(module, journey):
            # An old tab, the back button, a double click: show how things really stand.
            return redirect("journey-resume", journey_id)
        page: HttpResponse | None = module.submit(request, journey)
        if page is None:
            journey.version += 1
        journey.save(update_fields=["collected", "version", "code_hash", "code_sent_at", "code_tries"])
        if page is not None:
            return page
    if next_step(journey) is None:
        journeys.complete(journey)
    return redirect("journey-resume", journey_id)


def _count(request: TenantRequest, journey_id: uuid.UUID, module: ModuleType) -> None:
    """Rate limits stand before the transaction: an attempt counts whatever becomes of it."""
    network = f"{request.tenant.pk}|{network_of(client_address(request))}"
    sends_again = module is email_code and request.POST.get("action") == "resend"
    if module is email_code and not sends_again:
        count_attempt((TRY_LIMIT, network))
    if module is not choose and not sends_again:
        return
    if sends_again:
        journey = _find(request, journey_id)
        mailbox = "" if seconds_until_resend(journey) else journey.facts.get("mail", "")
    else:
        form = EmailForm(request.POST)
        mailbox = form.cleaned_data["email"] if form.is_valid() else ""
    if not mailbox:
        return
    count_attempt(
        (ADDRESS_LIMIT, network),
        (MAILBOX_LIMIT, f"{request.tenant.pk}|{mailbox.lower()}"),
        (TENANT_LIMIT, str(request.tenant.pk)),
    )


@never_cache
@require_safe
@noted
def resume(request: TenantRequest, journey_id: uuid.UUID) -> HttpResponse:
    """Where a journey stands: its next step, or back to the application."""
    journey = _find(request, journey_id)
    current = None if journey.is_completed else next_step(journey)
    if current is not None:
        return redirect("journey-step", journey_id, current.NAME)
    return _finish(request, journeys.complete(journey))


def _finish(request: TenantRequest, journey: Journey) -> HttpResponse:
    """Sign the person in and go back to the application's request, which is now answered."""
    with transaction.atomic():
        journey = _find(request, journey.pk, lock=True)
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
        sign_in(request, user, methods=["otp"], identity_provider="mail", target=journey.application)
    return redirect(journey.return_path)


@never_cache
@require_POST
def cancel(request: TenantRequest, journey_id: uuid.UUID) -> HttpResponse:
    """Back to the application with nothing done (RFC 6749 4.1.2.1 access_denied). The journey ends."""
    with transaction.atomic():
        journey = _find(request, journey_id, lock=True)
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


def _find(request: TenantRequest, journey_id: uuid.UUID, *, lock: bool = False) -> Journey:
    journey = journeys.find(journey_id, tenant=request.tenant, browser=browser_of(request), lock=lock)
    activate_language(request, journey.ui_locales)
    request.is_test_run = journey.is_test
    return journey
