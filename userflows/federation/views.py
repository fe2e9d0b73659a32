"""Coming back from a provider, over HTTP. Whose trip it was comes first, then whether its answer still counts."""

import uuid
from collections.abc import Mapping

from django.db import transaction
from django.http import HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from directory.models import IdentityProvider
from userflows import journey as journeys
from userflows import sign_in_log
from userflows.browser import browser_of
from userflows.errors import UserFlowError
from userflows.federation import connection_test, handshake
from userflows.federation.errors import AnswerOutdated, AnswerUsed, FederationError
from userflows.federation.oauth import raise_authorization_error
from userflows.federation.openid_connect import APPLE
from userflows.federation.told import Told
from userflows.language import activate_language
from userflows.models import Handshake, Journey, Reached
from userflows.proofs import take_told
from userflows.requests import TenantRequest

# Of what comes by POST, nothing else is kept (OAuth 2.0 Form Post Response Mode; `user` is Apple's).
ANSWER_NAMES = ("code", "iss", "error", "error_description", "user")
ANSWER_MAX_LENGTH = 4096


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def callback(request: TenantRequest, provider_id: uuid.UUID) -> HttpResponse:
    if request.method == "POST":
        return _callback_by_post(request, provider_id)
    return come_back(request, provider_id, state=request.GET.get("state", ""), parameters=request.GET.dict())


def _callback_by_post(request: TenantRequest, provider_id: uuid.UUID) -> HttpResponse:
    provider = get_object_or_404(IdentityProvider, tenant=request.tenant, pk=provider_id)
    if provider.kind != APPLE:
        return HttpResponseNotAllowed(["GET"])
    answer = {name: request.POST[name][:ANSWER_MAX_LENGTH] for name in ANSWER_NAMES if name in request.POST}
    return answer_by_post(request, provider_id, state=request.POST.get("state", ""), answer=answer)


def answer_by_post(
    request: TenantRequest, provider_id: uuid.UUID, *, state: str, answer: Mapping[str, str]
) -> HttpResponse:
    """Keep an answer that another site's form has sent, and have the browser come again, with its cookies."""
    handshake.keep_answer(request.tenant, provider_id, state, answer)
    here = reverse("federation-callback", args=[provider_id])
    # 303: the browser asks with GET, and the answer doesn't stand in any address.
    return HttpResponseRedirect(f"{here}?{urlencode({'state': state})}", status=303)


def come_back(
    request: TenantRequest, provider_id: uuid.UUID, *, state: str, parameters: Mapping[str, str]
) -> HttpResponse:
    """End a trip: take in what the provider told, and go on with the journey or with the administrator's test."""
    if request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", ""):
        # Nobody has come back yet, and the answer counts once.
        return HttpResponse(status=503)
    if not state and parameters.get("error"):
        _show_error(request, provider_id, parameters)
    trip = handshake.find(request, request.tenant, provider_id, state)
    answer = trip.secrets.get("answer") or parameters
    if trip.journey is None:
        return _end_test(request, trip, answer)
    try:
        return _go_on(request, trip, trip.journey, answer)
    except UserFlowError as error:
        if not isinstance(error, FederationError):
            error.journey_id = trip.journey.pk
        raise


def _go_on(request: TenantRequest, trip: Handshake, journey: Journey, answer: Mapping[str, str]) -> HttpResponse:
    journey = journeys.find(journey.pk, tenant=request.tenant, browser=browser_of(request))
    activate_language(request, journey.ui_locales)
    request.is_test_run = journey.is_test
    if journey.is_completed:
        return redirect("journey-resume", journey.pk)
    provider = trip.identity_provider
    try:
        handshake.take(trip)
        _check_awaited(journey, provider)
        told = handshake.finish(request, provider, trip, answer)
        _take_in(request, journey.pk, provider, told)
    except FederationError as error:
        raise handshake.refuse(error, provider, journey) from error
    return redirect("journey-resume", journey.pk)


@transaction.atomic
def _take_in(request: TenantRequest, journey_id: uuid.UUID, provider: IdentityProvider, told: Told) -> None:
    journey = journeys.find(journey_id, tenant=request.tenant, browser=browser_of(request), lock=True)
    if journey.is_completed:
        # In a second tab, while the provider was asked.
        return
    take_told(journey, provider, told)
    journey.version += 1
    journey.save(update_fields=["collected", "version", "code_hash"])
    sign_in_log.note(journey, "federation", reached=Reached.PROVEN, provider=provider.name)


def _check_awaited(journey: Journey, provider: IdentityProvider) -> None:
    """Before anything is asked there: is it still this provider that the journey waits for? In a tab it may have gone
    on."""
    facts = journey.facts
    if facts.get("way", {}).get("id") == str(provider.pk):
        return
    # Who has proven something is where the answer of this very provider, or of another one, has led.
    raise AnswerUsed if facts.get("proofs") else AnswerOutdated


def _show_error(request: TenantRequest, provider_id: uuid.UUID, parameters: Mapping[str, str]) -> None:
    """Some providers leave out `state` when somebody cancels, against RFC 6749 4.1.2.1.

    Without it anybody can send the browser here, so nothing is changed: the page says what the provider said.
    """
    journey = handshake.last_journey(request, request.tenant, provider_id)
    if journey is None:
        return
    try:
        raise_authorization_error(parameters)
    except FederationError as error:
        error.name_provider(get_object_or_404(IdentityProvider, tenant=request.tenant, pk=provider_id).shown_name)
        error.action_label = _("Choose another way to sign in")
        error.action_url = reverse("journey-step", args=[journey.pk, "choose"])
        raise


def _end_test(request: TenantRequest, trip: Handshake, answer: Mapping[str, str]) -> HttpResponse:
    provider = trip.identity_provider
    outcome: Told | UserFlowError
    try:
        handshake.take(trip)
        outcome = handshake.finish(request, provider, trip, answer)
    except AnswerUsed:
        return redirect(connection_test.result_url(trip))
    except FederationError as error:
        outcome = handshake.refuse(error, provider, None)
    connection_test.keep_result(trip, outcome)
    return redirect(connection_test.result_url(trip))
