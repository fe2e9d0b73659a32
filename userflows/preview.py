"""The hosted pages as pictures: rendered by the steps themselves for a person who isn't there. Nothing is written."""

from copy import copy
from dataclasses import dataclass

from django.http import HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from directory.models import Application
from userflows.definition import Definition
from userflows.forms import AttributesForm, CodeForm, EmailForm
from userflows.models import Admission, Journey, UserFlow, UserFlowVersion
from userflows.requests import TenantRequest
from userflows.steps import attributes, choose, email_code

FIRST, CODE, QUESTIONS = "first", "code", "questions"
SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class Preview:
    """What to show: a page's id (see `pages_of`), with or without a person's mistakes. The templates know it too."""

    page: str = FIRST
    has_errors: bool = False
    scheme: str = "light"
    language: str = ""
    note: str = ""


def pages_of(definition: Definition) -> list[tuple[str, str]]:
    """Return id and title of each page that a stranger meets."""
    pages = [(FIRST, _("First page")), (CODE, _("Email code"))]
    for number, page in enumerate(definition["pages"]):
        pages.append((f"{QUESTIONS}-{number}", page["heading"] or _("Your details")))
    return pages


def render_preview(
    request: TenantRequest, user_flow: UserFlow, definition: Definition, preview: Preview
) -> HttpResponse:
    """Render one page of `definition`. One that isn't there (any more) is the last of questions, or the first."""
    language = preview.language or translation.get_language() or request.tenant.default_language
    with translation.override(language):
        response = _page(_as_seen(request), _stranger(request, user_flow, definition), preview)
    response.is_preview = True  # type: ignore[attr-defined]
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _as_seen(request: TenantRequest) -> TenantRequest:
    """The page as a person opens it, however the administrator asked for it."""
    seen = copy(request)
    seen.method = "GET"
    return seen


def _stranger(request: TenantRequest, user_flow: UserFlow, definition: Definition) -> Journey:
    """Return the journey of somebody whom the flow lets in, with its switches on: it is shown as it will be."""
    tenant, flow = copy(request.tenant), copy(user_flow)
    tenant.sign_up_enabled = flow.sign_up_enabled = True
    link = user_flow.application_assignments.select_related("application").order_by("application__name").first()
    application = link.application if link else Application(tenant=tenant, name=_("your application"))
    listed = definition["domains"] if definition["admission"] == Admission.ALLOWED_DOMAINS else []
    mail = f"amina@{listed[0] if listed else 'fabrikam.example'}"
    journey = Journey(
        tenant=tenant,
        user_flow=flow,
        flow_version=UserFlowVersion(user_flow=flow),
        application=application,
        definition=definition,
        redirect_uri="https://app.example/",
    )
    journey.learn(mail=mail, mail_proven=mail)
    return journey


def _page(request: TenantRequest, journey: Journey, preview: Preview) -> HttpResponse:
    pages = journey.definition["pages"]
    request.preview = preview  # type: ignore[attr-defined]
    # Sent off empty: the mistake that everybody makes once.
    sent: dict[str, str] | None = {} if preview.has_errors else None
    if preview.page == CODE:
        return email_code.page_with(request, journey, CodeForm(sent))
    if not preview.page.startswith(QUESTIONS) or not pages:
        return choose.page_with(request, journey, EmailForm(sent))
    number = preview.page.rpartition("-")[2]
    place = min(int(number), len(pages) - 1) if number.isascii() and number.isdecimal() and len(number) < 4 else 0
    journey.learn(pages_done=place)
    questions = pages[place]["questions"]
    form = AttributesForm(sent, questions=questions)
    return attributes.page_with(request, journey, form)
