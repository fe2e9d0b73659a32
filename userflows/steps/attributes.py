"""The flow's questions, on one page or several. Asked once in a person's life."""

from django.http import HttpResponse

from userflows import sign_in_log
from userflows.forms import AttributesForm
from userflows.journey import check_sign_up_allowed
from userflows.models import Journey, Reached
from userflows.proofs import known_person
from userflows.requests import TenantRequest
from userflows.steps.page import step_page

NAME = "attributes"


def is_done(journey: Journey) -> bool:
    if _page_index(journey) >= len(journey.definition["pages"]):
        return True
    return known_person(journey) is not None


def show(request: TenantRequest, journey: Journey) -> HttpResponse:
    check_sign_up_allowed(journey)
    questions = journey.definition["pages"][_page_index(journey)]["questions"]
    return page_with(request, journey, AttributesForm(questions=questions, answers=_known_answers(journey)))


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


def _known_answers(journey: Journey) -> dict[str, str | int | bool]:
    """What was typed here already, and what the provider told: the person sees it, and what they send is kept."""
    facts = journey.facts
    return {**facts.get("prefill", {}), **facts.get("answers", {})}


def _page_index(journey: Journey) -> int:
    return int(journey.facts.get("pages_done", 0))


def page_with(request: TenantRequest, journey: Journey, form: AttributesForm) -> HttpResponse:
    index, pages, facts = _page_index(journey), journey.definition["pages"], journey.facts
    return step_page(
        request,
        "userflows/attributes.html",
        journey,
        step_number=3 + index + bool(journey.facts.get("wants_password")),
        form=form,
        page_heading=pages[index]["heading"],
        is_first_page=index == 0,
        is_last_page=index + 1 == len(pages),
        email=facts["mail_proven"],
        provider_name=facts.get("told_name", ""),
        # Otherwise it was typed here, and proven by a code.
        is_told="told_mail" not in facts,
    )
