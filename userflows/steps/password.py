"""The password of a typed address: one page for everybody, whether there is an account, a password or neither."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.utils.translation import gettext as _

from directory import audit
from directory.models import EMAIL_CODE, EMAIL_PASSWORD, IdentityProvider
from userflows import sign_in_log
from userflows.errors import TooManyRequests
from userflows.forms import PasswordForm
from userflows.journey import sign_up_refusal
from userflows.mail_code import attempts_to_send, send_code
from userflows.models import Journey, Reached
from userflows.password import person_with_password
from userflows.proofs import add_proof, proof_of_mail
from userflows.rate_limit import Attempts
from userflows.requests import TenantRequest
from userflows.steps.page import step_page
from userflows.ways import open_ways


@dataclass(frozen=True)
class Judged:
    """What became of a typed password. With `retry_after` (seconds) it was not even looked at."""

    is_right: bool = False
    retry_after: int | None = None


NAME = "password"
# What the page's other buttons send as `action`.
BY_CODE, NEW_PASSWORD = "code", "new_password"


def is_done(journey: Journey) -> bool:
    return bool(journey.facts.get("way", {}).get("kind") != EMAIL_PASSWORD)


def show(request: TenantRequest, journey: Journey) -> HttpResponse:
    return page_with(request, journey, PasswordForm(), ways=open_ways(journey))


def attempts(request: TenantRequest, journey: Journey) -> Attempts:
    return attempts_to_send(request, journey.facts.get("mail", "")) if _wants_code(request) else ()


def prepare(request: TenantRequest, journey: Journey) -> None:
    """Count and judge the password: neither may keep others waiting for the journey's lock."""
    request.prepared = Judged()
    form = PasswordForm(request.POST)
    if is_done(journey) or _wants_code(request) or not form.is_valid():
        return
    try:
        person = person_with_password(request, journey.facts["mail"], form.cleaned_data["password"])
        request.prepared = Judged(is_right=person is not None)
    except TooManyRequests as refusal:
        request.prepared = Judged(retry_after=refusal.retry_after)


def submit(request: TenantRequest, journey: Journey) -> HttpResponse | None:
    if _wants_code(request):
        return _by_code(request, journey)
    form = PasswordForm(request.POST)
    if not form.is_valid():
        return page_with(request, journey, form, ways=open_ways(journey))
    if not request.prepared.is_right:
        return _refuse(request, journey, form)
    way, mail = journey.facts["way"]["id"], journey.facts["mail"]
    journey.forget("wants_password")
    journey.learn(mail_proven=mail)
    add_proof(journey, proof_of_mail(mail, way=way, kind=EMAIL_PASSWORD, methods=("pwd",)))
    sign_in_log.note(journey, NAME, reached=Reached.PROVEN)
    return None


def _wants_code(request: TenantRequest) -> bool:
    return request.POST.get("action") in (BY_CODE, NEW_PASSWORD)


def _by_code(request: TenantRequest, journey: Journey) -> HttpResponse | None:
    """Mail a code: to sign in by it, or to choose a password. The same for every address."""
    wants_password = request.POST.get("action") == NEW_PASSWORD
    kind = EMAIL_PASSWORD if wants_password else EMAIL_CODE
    way = next((way for way in open_ways(journey) if way.kind == kind), None)
    if way is None:
        return page_with(request, journey, PasswordForm(), ways=open_ways(journey))
    # What is typed next is a code, whichever way it belongs to.
    journey.learn(way={"id": str(way.pk), "kind": EMAIL_CODE}, wants_password=wants_password, codes_sent=0)
    send_code(journey)
    sign_in_log.note(journey, "password_new" if wants_password else "password_code")
    return None


def _refuse(request: TenantRequest, journey: Journey, form: PasswordForm) -> HttpResponse:
    retry_after = request.prepared.retry_after
    reason = "password_tries" if retry_after else "password_wrong"
    mail = journey.facts["mail"]
    audit.record(
        "password.verified", tenant=journey.tenant, target=journey.application, reason=reason, details={"mail": mail}
    )
    sign_in_log.note(journey, NAME, reason=reason)
    if not retry_after:
        form.add_error(
            "password", _("This password doesn't go with this email address. Try again, or choose a new one.")
        )
        return page_with(request, journey, form, ways=open_ways(journey))
    form.add_error("password", _("There were too many wrong passwords. You can still get in with a code by email."))
    response = page_with(request, journey, form, ways=open_ways(journey), status=429)
    response["Retry-After"] = str(retry_after)
    return response


def page_with(
    request: TenantRequest,
    journey: Journey,
    form: PasswordForm,
    *,
    ways: list[IdentityProvider],
    status: int = 200,
) -> HttpResponse:
    return step_page(
        request,
        "userflows/password.html",
        journey,
        step_number=1,
        status=status,
        form=form,
        email=journey.facts["mail"],
        sign_up_allowed=not sign_up_refusal(journey),
        offers_code=any(way.kind == EMAIL_CODE for way in ways),
    )
