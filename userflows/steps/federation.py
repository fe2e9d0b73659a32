"""The way to the provider that was chosen: a page that leads there by itself."""

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect

from directory.identity_provider_kinds import kinds
from userflows import sign_in_log
from userflows.federation.handshake import begin
from userflows.home_realm import direct_way
from userflows.models import Journey, Reached
from userflows.requests import TenantRequest
from userflows.steps.page import step_page
from userflows.ways import decline_way, open_ways, take_way

NAME = "federation"


def is_done(journey: Journey) -> bool:
    way = journey.facts.get("way")
    if way is None:
        return direct_way(journey) is None
    return not kinds()[way["kind"]].is_federated


def show(request: TenantRequest, journey: Journey) -> HttpResponse:
    if "way" not in journey.facts:
        journey = _take_direct_way(journey)
    facts = journey.facts
    chosen = facts.get("way", {}).get("id")
    provider = next((way for way in open_ways(journey) if str(way.pk) == chosen), None)
    if provider is None:
        return _give_up(journey)
    hint = facts.get("mail_proven" if facts.get("joining") else "login_hint", "")
    url = begin(request, provider, journey=journey, login_hint=hint)
    # A redirect here would be one of a form's, which the policy (form-action) lets go to the application only.
    return step_page(request, "userflows/federation.html", journey, step_number=1, provider=provider, url=url)


def submit(request: TenantRequest, journey: Journey) -> HttpResponse | None:
    """Nothing is typed here: whoever sends this wants back to the choice."""
    if journey.facts.get("way"):
        decline_way(journey)
    return None


@transaction.atomic
def _take_direct_way(journey: Journey) -> Journey:
    """Keep where the person is led without having chosen: the answer of that provider is what the journey awaits.

    It is safe to repeat, and in two tabs: nobody's choice is overwritten, and no open page becomes an old one.
    """
    locked = Journey.objects.select_for_update(of=("self",)).select_related("tenant", "application").get(pk=journey.pk)
    provider = direct_way(locked)
    if provider is not None and "way" not in locked.facts:
        take_way(locked, provider)
        locked.save(update_fields=["collected"])
        sign_in_log.note(locked, "led", reached=Reached.ADDRESS_GIVEN, provider=provider.name)
    return locked


@transaction.atomic
def _give_up(journey: Journey) -> HttpResponse:
    """The provider was switched off after it was chosen: back to what is left."""
    locked = Journey.objects.select_for_update().get(pk=journey.pk)
    if locked.facts.get("way") == journey.facts.get("way") and not locked.is_completed:
        decline_way(locked)
        locked.version += 1
        locked.save(update_fields=["collected", "version"])
    return redirect("journey-resume", journey.pk)
