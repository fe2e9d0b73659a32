"""Which address? Asked where the provider told none, or one that it doesn't vouch for: a code proves it."""

from django.http import HttpResponse

from userflows import sign_in_log
from userflows.forms import EmailForm
from userflows.mail_code import attempts_to_send, send_code
from userflows.models import Journey
from userflows.proofs import known_person, proofs_of
from userflows.rate_limit import Attempts
from userflows.requests import TenantRequest
from userflows.steps.page import step_page

NAME = "email"


def is_done(journey: Journey) -> bool:
    return not proofs_of(journey) or bool(journey.facts.get("mail")) or known_person(journey) is not None


def show(request: TenantRequest, journey: Journey) -> HttpResponse:
    facts = journey.facts
    initial = facts.get("mail") or facts.get("told_mail") or facts.get("login_hint", "")
    return page_with(request, journey, EmailForm(initial={"email": initial}))


def attempts(request: TenantRequest, journey: Journey) -> Attempts:
    form = EmailForm(request.POST)
    return attempts_to_send(request, form.cleaned_data["email"]) if form.is_valid() else ()


def submit(request: TenantRequest, journey: Journey) -> HttpResponse | None:
    form = EmailForm(request.POST)
    if not form.is_valid():
        return page_with(request, journey, form)
    journey.learn(mail=form.cleaned_data["email"], codes_sent=0)
    send_code(journey)
    sign_in_log.note(journey, NAME)
    return None


def page_with(request: TenantRequest, journey: Journey, form: EmailForm) -> HttpResponse:
    facts = journey.facts
    return step_page(
        request,
        "userflows/email.html",
        journey,
        step_number=2,
        form=form,
        provider_name=facts.get("told_name", ""),
        told_mail=facts.get("told_mail", ""),
    )
