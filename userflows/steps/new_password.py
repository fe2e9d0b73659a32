"""A new password, for who has just proven the mailbox by a code. It is kept, hashed, until the journey completes."""

from django.http import HttpResponse

from directory.models import User
from userflows import sign_in_log
from userflows.forms import NewPasswordForm
from userflows.journey import check_sign_up_allowed
from userflows.models import Journey
from userflows.password import MIN_LENGTH, hashed, may_choose_password
from userflows.proofs import known_person
from userflows.requests import TenantRequest
from userflows.steps.page import step_page

NAME = "new_password"


def is_done(journey: Journey) -> bool:
    facts = journey.facts
    wants = bool(facts.get("wants_password")) and may_choose_password(journey)
    return not wants or bool(facts.get("password_hash"))


def show(request: TenantRequest, journey: Journey) -> HttpResponse:
    return page_with(request, journey, NewPasswordForm(user=_owner(journey)))


def prepare(request: TenantRequest, journey: Journey) -> None:
    """Hash before the journey is locked: others need not wait for it."""
    request.prepared = ""
    if is_done(journey):
        return
    form = NewPasswordForm(request.POST, user=_owner(journey))
    if form.is_valid():
        request.prepared = hashed(form.cleaned_data["password"])


def submit(request: TenantRequest, journey: Journey) -> HttpResponse | None:
    if not request.prepared:
        sign_in_log.note(journey, NAME, reason="password_weak")
        return page_with(request, journey, NewPasswordForm(request.POST, user=_owner(journey)))
    journey.learn(password_hash=request.prepared)
    sign_in_log.note(journey, NAME)
    return None


def _owner(journey: Journey) -> User:
    """Return whose password it is to be; for a stranger, what is known of them: it must not be like that."""
    known = known_person(journey)
    if known is not None:
        return known
    check_sign_up_allowed(journey)
    facts = journey.facts
    told = facts.get("prefill", {})
    names = {"given_name": told.get("GivenName", ""), "surname": told.get("Surname", "")}
    return User(mail=facts["mail_proven"], display_name=told.get("DisplayName", ""), **names)


def page_with(request: TenantRequest, journey: Journey, form: NewPasswordForm) -> HttpResponse:
    return step_page(
        request,
        "userflows/new_password.html",
        journey,
        step_number=3,
        form=form,
        email=journey.facts["mail_proven"],
        min_length=MIN_LENGTH,
    )
