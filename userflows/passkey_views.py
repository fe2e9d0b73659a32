"""Passkeys on a journey's pages, over HTTP: one is used on the first page, and one is offered at the end."""

import uuid
from types import ModuleType

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from userflows.account_notice import Change, tell
from userflows.errors import JourneyExpired
from userflows.last_used import remember_way
from userflows.models import Journey
from userflows.passkey import MAX_NAME_LENGTH, add_passkey, passkey_to_make
from userflows.passkey_challenge import keep_challenge, take_challenge
from userflows.passkey_way import TRY_LIMIT, end_offer, passkey_among, prove, remember_not_now, way_id
from userflows.proofs import owner_of_mail
from userflows.rate_limit import count_attempt, network_of
from userflows.requests import TenantRequest, client_address
from userflows.steps import choose, link, may_open
from userflows.steps.page import step_page
from userflows.user_agent import device_of
from userflows.views import find_journey, noted
from userflows.ways import open_ways

PURPOSE = "make for sign-in"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@noted
def use(request: TenantRequest, journey_id: uuid.UUID) -> HttpResponse:
    """Sign in by a passkey: whose it is, it says itself."""
    if request.method != "POST":
        return redirect("journey-resume", journey_id)
    count_attempt((TRY_LIMIT, f"{request.tenant.pk}|{network_of(client_address(request))}"))
    with transaction.atomic():
        journey = find_journey(request, journey_id, lock=True)
        page = _page_open(journey)
        if request.POST.get("version") != str(journey.version) or page is None:
            return redirect("journey-resume", journey_id)
        is_proven = _take(request, journey, is_old_way=page is link)
        journey.version += int(is_proven)
        journey.save(update_fields=["collected", "version"])
    if is_proven:
        return redirect("journey-resume", journey_id)
    request.is_passkey_refused = True
    response: HttpResponse = page.show(request, journey)
    return response


def _page_open(journey: Journey) -> ModuleType | None:
    """Return the page with the button: the first one, or the one that asks for an old way to sign in."""
    if journey.is_completed:
        return None
    return next((page for page in (link, choose) if may_open(page, journey)), None)


def _take(request: TenantRequest, journey: Journey, *, is_old_way: bool) -> bool:
    """Take the answer in, where the flow has passkeys. Raises AnotherPerson."""
    provider = passkey_among(open_ways(journey))
    if journey.tenant.keep_signed_in_days and not is_old_way:
        journey.learn(keep_signed_in="keep_signed_in" in request.POST)
    owner = owner_of_mail(journey) if is_old_way else None
    if owner is not None:
        # It must turn out to be theirs (userflows.proofs).
        journey.learn(joining=str(owner.pk))
    return provider is not None and prove(journey, provider, request.POST.get("answer", ""))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: TenantRequest, journey_id: uuid.UUID) -> HttpResponse:
    """“Sign in faster next time.” Whatever happens here, the person goes on to the application."""
    try:
        journey = find_journey(request, journey_id)
    except JourneyExpired as expired:
        return redirect(expired.action_url)
    if journey.user is None:
        return redirect("journey-resume", journey_id)
    if request.user != journey.user or not journey.facts.get("passkey_offered"):
        return redirect(journey.return_path)
    if request.method == "POST":
        return _answered(request, journey)
    options, state = passkey_to_make(journey.user, for_sign_in=True)
    keep_challenge(request, journey.user, purpose=PURPOSE, state=state)
    return step_page(
        request,
        "userflows/passkey_offer.html",
        journey,
        step_number=1,
        options=options,
        name=device_of(request.headers.get("User-Agent", "")),
    )


def _answered(request: TenantRequest, journey: Journey) -> HttpResponse:
    response, path = redirect(journey.return_path), f"/{request.tenant.slug}/"
    if not request.POST.get("answer"):
        remember_not_now(response, path=path)
    elif _make(request, journey):
        # It stands first from now on.
        remember_way(response, way_id(journey), path=path)
    with transaction.atomic():
        end_offer(find_journey(request, journey.pk, lock=True))
    return response


def _make(request: TenantRequest, journey: Journey) -> bool:
    """Keep the passkey that the browser made. If it can't be checked there is none, and another day to ask."""
    user = journey.user
    state = take_challenge(request, user, purpose=PURPOSE) if user else None
    if user is None or state is None:
        return False
    name = device_of(request.headers.get("User-Agent", ""))[:MAX_NAME_LENGTH]
    with transaction.atomic():
        is_made = add_passkey(user, name=name, state=state, answer=request.POST["answer"], for_sign_in=True)
        if is_made:
            tell(user, Change.PASSKEY_ADDED, way=name)
    return is_made
