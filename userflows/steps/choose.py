"""The first page: who are you? One e-mail box."""

from django.http import HttpResponse

from userflows.forms import EmailForm
from userflows.journey import sign_up_refusal
from userflows.mail_code import send_code
from userflows.models import Journey
from userflows.requests import TenantRequest
from userflows.steps.page import step_page

NAME = "choose"


def is_done(journey: Journey) -> bool:
    return bool(journey.facts.get("mail"))


def show(request: TenantRequest, journey: Journey) -> HttpResponse:
    facts = journey.facts
    return _page(request, journey, EmailForm(initial={"email": facts.get("mail") or facts.get("login_hint", "")}))


def submit(request: TenantRequest, journey: Journey) -> HttpResponse | None:
    form = EmailForm(request.POST)
    if not form.is_valid():
        return _page(request, journey, form)
    journey.learn(mail=form.cleaned_data["email"], codes_sent=0)
    send_code(journey)
    return None


def _page(request: TenantRequest, journey: Journey, form: EmailForm) -> HttpResponse:
    return step_page(
        request,
        "userflows/choose.html",
        journey,
        step_number=1,
        form=form,
        sign_up_allowed=not sign_up_refusal(journey),
    )
