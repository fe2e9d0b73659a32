"""The flow's questions, on one page or several. Asked once in a person's life."""

from django.http import HttpResponse

from userflows import sign_in_log
from userflows.forms import AttributesForm
from userflows.journey import check_sign_up_allowed, person_known_by_mail
from userflows.models import Journey, Reached
from userflows.requests import TenantRequest
from userflows.steps.page import step_page

NAME = "attributes"


def is_done(journey: Journey) -> bool:
    if _page_index(journey) >= len(journey.definition["pages"]):
        return True
    return person_known_by_mail(journey) is not None


def show(request: TenantRequest, journey: Journey) -> HttpResponse:
    check_sign_up_allowed(journey)
    questions = journey.definition["pages"][_page_index(journey)]["questions"]
    return page_with(request, journey, AttributesForm(questions=questions, answers=journey.facts.get("answers", {})))


def submit(request: TenantRequest, journey: Journey) -> HttpResponse | None:
    check_sign_up_allowed(journey)
    index = _page_index(journey)
    form = AttributesForm(request.POST, questions=journey.definition["pages"][index]["questions"])
    is_valid = form.is_valid()
    names = {question["name"] for question in journey.definition["pages"][index]["questions"]}
    earlier = {name: answer for name, answer in journey.facts.get("answers", {}).items() if name not in names}
    if request.POST.get("action") == "back" and index:
        # What was typed well stays, the rest is asked again.
        journey.learn(answers=earlier | form.answers(), pages_done=index - 1)
        return None
    if not is_valid:
        sign_in_log.note(journey, NAME, reason="answers_refused", fields=sorted(form.errors))
        return page_with(request, journey, form)
    journey.learn(answers=earlier | form.answers(), pages_done=index + 1)
    is_last = index + 1 == len(journey.definition["pages"])
    sign_in_log.note(journey, NAME, reached=Reached.ANSWERED if is_last else None, page=index + 1)
    return None


def _page_index(journey: Journey) -> int:
    return int(journey.facts.get("pages_done", 0))


def page_with(request: TenantRequest, journey: Journey, form: AttributesForm) -> HttpResponse:
    index, pages = _page_index(journey), journey.definition["pages"]
    return step_page(
        request,
        "userflows/attributes.html",
        journey,
        step_number=3 + index,
        form=form,
        page_heading=pages[index]["heading"],
        is_first_page=index == 0,
        is_last_page=index + 1 == len(pages),
        email=journey.facts["mail_proven"],
    )
