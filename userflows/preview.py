"""The hosted pages as pictures: rendered by the steps themselves for a person who isn't there. Nothing is written."""

from copy import copy
from dataclasses import dataclass

from django.http import HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from directory.models import EMAIL_PASSWORD, Application, IdentityProvider, User
from userflows.definition import Definition
from userflows.forms import AttributesForm, CodeForm, EmailForm, NewPasswordForm, PasswordForm
from userflows.mail_code import code_settings
from userflows.models import Admission, Journey, UserFlow, UserFlowVersion
from userflows.requests import TenantRequest
from userflows.steps import attributes, choose, email_code, link, new_password, password
from userflows.ways import federated

FIRST, CODE, JOIN, QUESTIONS = "first", "code", "join", "questions"
PASSWORD, NEW_PASSWORD = "password", "new_password"
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
    has_passwords = any(way["kind"] == EMAIL_PASSWORD for way in definition["ways"])
    pages = [(FIRST, _("First page"))]
    pages += [(PASSWORD, _("Password"))] if has_passwords else []
    pages += [(CODE, _("Email code"))]
    pages += [(NEW_PASSWORD, _("New password"))] if has_passwords else []
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
    """The page as a person opens it for the first time, however the administrator asked for it."""
    seen = copy(request)
    seen.method = "GET"
    seen.COOKIES = {}
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


def _ways(journey: Journey) -> list[IdentityProvider]:
    """The ways of the definition, though one may be switched off at the moment."""
    ids = [way["id"] for way in journey.definition["ways"]]
    found = {str(way.pk): way for way in IdentityProvider.objects.filter(tenant=journey.tenant, pk__in=ids)}
    return [found[id_] for id_ in ids if id_ in found and found[id_].is_known_kind]


def _join_page(request: TenantRequest, journey: Journey) -> HttpResponse:
    """Somebody with an account comes in by the first provider, and has used every other way before."""
    ways = _ways(journey)
    came_by = federated(ways)[:1]
    journey.learn(told_name=came_by[0].shown_name if came_by else "")
    return link.page_with(request, journey, ways=[way for way in ways if way not in came_by], is_proven=False)


def _page(request: TenantRequest, journey: Journey, preview: Preview) -> HttpResponse:
    pages = journey.definition["pages"]
    request.preview = preview  # type: ignore[attr-defined]
    # Sent off empty: the mistake that everybody makes once.
    sent: dict[str, str] | None = {} if preview.has_errors else None
    if preview.page == CODE:
        return email_code.page_with(request, journey, CodeForm(sent, length=code_settings(journey).length))
    if preview.page == PASSWORD:
        return password.page_with(request, journey, PasswordForm(sent), ways=_ways(journey))
    if preview.page == NEW_PASSWORD:
        journey.learn(wants_password=True)
        return new_password.page_with(request, journey, NewPasswordForm(sent, user=User(mail=journey.facts["mail"])))
    if preview.page == JOIN:
        return _join_page(request, journey)
    if not preview.page.startswith(QUESTIONS) or not pages:
        return choose.page_with(request, journey, EmailForm(sent), ways=_ways(journey))
    number = preview.page.rpartition("-")[2]
    place = min(int(number), len(pages) - 1) if number.isascii() and number.isdecimal() and len(number) < 4 else 0
    journey.learn(pages_done=place)
    questions = pages[place]["questions"]
    form = AttributesForm(sent, questions=questions)
    return attributes.page_with(request, journey, form)
