"""Proof of the mailbox: the code that was sent there."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from directory import audit
from userflows import sign_in_log
from userflows.forms import CodeForm
from userflows.mail_code import MAX_TRIES, VALIDITY, CodeCheck, check_code, seconds_until_resend, send_code
from userflows.models import Journey, Reached
from userflows.requests import TenantRequest
from userflows.steps.page import step_page

NAME = "email_code"


def is_done(journey: Journey) -> bool:
    return bool(journey.facts.get("mail_proven"))


def show(request: TenantRequest, journey: Journey) -> HttpResponse:
    return page_with(request, journey, CodeForm())


def submit(request: TenantRequest, journey: Journey) -> HttpResponse | None:
    if request.POST.get("action") == "resend":
        return _resend(request, journey)
    form = CodeForm(request.POST)
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
    return step_page(
        request,
        "userflows/email_code.html",
        journey,
        step_number=2,
        form=form,
        email=journey.facts["mail"],
        is_new_code=journey.facts.get("codes_sent", 0) > 1,
        minutes_valid=int(VALIDITY.total_seconds() // 60),
        resend_wait=seconds_until_resend(journey),
    )
