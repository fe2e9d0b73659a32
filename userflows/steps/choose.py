"""The first page: who are you? One e-mail box."""

from django.http import HttpResponse

from directory.models import EMAIL_CODE, IdentityProvider
from userflows import sign_in_log
from userflows.errors import NoWayToSignIn
from userflows.forms import EmailForm
from userflows.journey import sign_up_refusal
from userflows.mail_code import send_code
from userflows.models import Journey, Reached
from userflows.requests import TenantRequest
from userflows.steps.page import step_page

NAME = "choose"


def is_done(journey: Journey) -> bool:
    return bool(journey.facts.get("mail"))


def show(request: TenantRequest, journey: Journey) -> HttpResponse:
    _check_way(journey)
    facts = journey.facts
    return page_with(request, journey, EmailForm(initial={"email": facts.get("mail") or facts.get("login_hint", "")}))


def submit(request: TenantRequest, journey: Journey) -> HttpResponse | None:
    _check_way(journey)
    form = EmailForm(request.POST)
    if not form.is_valid():
        return page_with(request, journey, form)
    journey.learn(mail=form.cleaned_data["email"], codes_sent=0)
    send_code(journey)
    sign_in_log.note(journey, NAME, reached=Reached.ADDRESS_GIVEN)
    return None


def _check_way(journey: Journey) -> None:
    """Raise NoWayToSignIn where the flow has no e-mail code, or the tenant has switched it off meanwhile."""
    ids = [way["id"] for way in journey.definition["ways"] if way["kind"] == EMAIL_CODE]
    if not IdentityProvider.objects.filter(tenant=journey.tenant_id, pk__in=ids, is_enabled=True).exists():
        raise NoWayToSignIn(tenant_name=journey.tenant.name)


def page_with(request: TenantRequest, journey: Journey, form: EmailForm) -> HttpResponse:
    return step_page(
        request,
        "userflows/choose.html",
        journey,
        step_number=1,
        form=form,
        heading=journey.definition["heading"],
        introduction=journey.definition["introduction"],
        sign_up_allowed=not sign_up_refusal(journey),
    )
