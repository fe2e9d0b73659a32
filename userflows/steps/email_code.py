"""Proof of the mailbox: the code that was sent there."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from directory import audit
from directory.models import EMAIL_CODE
from userflows import sign_in_log
from userflows.forms import CodeForm
from userflows.mail_code import (
    MAX_TRIES,
    CodeCheck,
    attempts_to_send,
    check_code,
    code_settings,
    seconds_until_resend,
    send_code,
)
from userflows.models import Journey, Reached
from userflows.proofs import known_person, proofs_of
from userflows.rate_limit import Attempts, Limit, network_of
from userflows.requests import TenantRequest, client_address
from userflows.steps.page import step_page

NAME = "email_code"
TRY_LIMIT = Limit("email_code.try", count=100, seconds=3600)


def is_done(journey: Journey) -> bool:
    """Not while a code is what is tried, or the address of somebody unknown waits to be proven."""
    facts = journey.facts
    if facts.get("way", {}).get("kind") == EMAIL_CODE:
        return False
    waits = bool(facts.get("mail")) and not facts.get("mail_proven")
    return not waits or known_person(journey) is not None


def show(request: TenantRequest, journey: Journey) -> HttpResponse:
    return page_with(request, journey, CodeForm())


def attempts(request: TenantRequest, journey: Journey) -> Attempts:
    if request.POST.get("action") != "resend":
        return ((TRY_LIMIT, f"{request.tenant.pk}|{network_of(client_address(request))}"),)
    return attempts_to_send(request, "" if seconds_until_resend(journey) else journey.facts.get("mail", ""))


def submit(request: TenantRequest, journey: Journey) -> HttpResponse | None:
    if request.POST.get("action") == "resend":
        return _resend(request, journey)
    form = CodeForm(request.POST, length=code_settings(journey).length)
    if not form.is_valid():
        return page_with(request, journey, form)
    result = check_code(journey, form.cleaned_data["code"])
    if result is CodeCheck.RIGHT:
        audit.record("email_code.verified", tenant=journey.tenant, target=journey.application)
        sign_in_log.note(journey, NAME, reached=Reached.PROVEN)
        return None
    form.add_error("code", _problem(journey, result))
    audit.record(
        "email_code.verified", tenant=journey.tenant, target=journey.application, reason=f"code_{result.value}"
    )
    sign_in_log.note(journey, NAME, reason=f"code_{result.value}")
    return page_with(request, journey, form)


def _resend(request: TenantRequest, journey: Journey) -> HttpResponse | None:
    if seconds_until_resend(journey):
        # The page says how long to wait.
        return page_with(request, journey, CodeForm())
    send_code(journey)
    return None


def _problem(journey: Journey, result: CodeCheck) -> str:
    if result is CodeCheck.EXPIRED:
        return _("This code has expired. Ask for another one below.")
    left = MAX_TRIES - journey.code_tries
    if left <= 0:
        return _("That was not the code, and there are no tries left. Ask for another code below.")
    return ngettext(
        "That is not the code that we sent. Look again; you have %(left)d more try.",
        "That is not the code that we sent. Look again; you have %(left)d more tries.",
        left,
    ) % {"left": left}


def page_with(request: TenantRequest, journey: Journey, form: CodeForm) -> HttpResponse:
    settings, facts = code_settings(journey), journey.facts
    return step_page(
        request,
        "userflows/email_code.html",
        journey,
        step_number=2,
        form=form,
        email=facts["mail"],
        is_joining=bool(facts.get("joining")),
        # Where another address is given: who has proven something stays with that.
        change_at="email" if proofs_of(journey) else "choose",
        is_new_code=facts.get("codes_sent", 0) > 1,
        digits=settings.length,
        minutes_valid=settings.minutes,
        resend_wait=seconds_until_resend(journey),
    )
