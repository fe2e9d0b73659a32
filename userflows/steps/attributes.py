"""The flow's questions, on one page. Asked once in a person's life."""

from django.http import HttpResponse

from userflows.forms import AttributesForm
from userflows.journey import check_sign_up_allowed, person_known_by_mail
from userflows.models import Journey
from userflows.requests import TenantRequest
from userflows.steps.page import step_page

NAME = "attributes"


def is_done(journey: Journey) -> bool:
    if not journey.questions or "answers" in journey.facts:
        return True
    return person_known_by_mail(journey) is not None


def show(request: TenantRequest, journey: Journey) -> HttpResponse:
    check_sign_up_allowed(journey)
    return _page(request, journey, AttributesForm(questions=journey.questions))


def submit(request: TenantRequest, journey: Journey) -> HttpResponse | None:
    check_sign_up_allowed(journey)
    form = AttributesForm(request.POST, questions=journey.questions)
    if not form.is_valid():
        return _page(request, journey, form)
    journey.learn(answers=form.answers())
    return None


def _page(request: TenantRequest, journey: Journey, form: AttributesForm) -> HttpResponse:
    return step_page(
        request,
        "userflows/attributes.html",
        journey,
        step_number=3,
        form=form,
        email=journey.facts["mail_proven"],
    )
