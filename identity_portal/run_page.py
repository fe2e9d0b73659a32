"""“Run user flow” in the admin: what to run, the built-in test client's redirect URI, and what came of the run."""

from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from directory.admin.pages import PlainLabels
from directory.admin.scoping import roles_in, tenant_of
from directory.models import Application, User
from directory.roles import may
from identity_portal.authority import Authority
from identity_portal.oidc import run as runs
from identity_portal.oidc.claim_guide import explain, why_missing
from identity_portal.oidc.exchange import exchange
from identity_portal.oidc.run import Run, RunRefused
from userflows.definition import Definition, questions_in
from userflows.models import Journey, SignIn, UserFlow
from userflows.publishing import has_unpublished_changes
from userflows.sign_in_words import step_in_words

DRAFT, LIVE = "draft", "live"
# A list that is longer is none that anybody reads.
MAX_APPLICATIONS = 100
CHECKS = {
    "signature": _("The signature is right: a key of your key set made it."),
    "issuer": _("The issuer is the user flow's."),
    "audience": _("The audience is the client that asked."),
    "nonce": _("The nonce is the one that was sent."),
    "time": _("The token counts now."),
}


class RunForm(PlainLabels, forms.Form):
    """What to run, as which application, in which language."""

    definition = forms.ChoiceField(label=_("What to run"), widget=forms.RadioSelect)
    application = forms.ChoiceField(
        label=_("As which application"), required=False, help_text=_("The pages and the mail speak of it by its name.")
    )
    language = forms.ChoiceField(label=_("Language"), required=False)

    def __init__(self, data: Any = None, *, user_flow: UserFlow, applications: list[Application]) -> None:
        super().__init__(data)
        definitions = _definitions(user_flow)
        self.fields["definition"].choices = definitions  # type: ignore[attr-defined]
        self.fields["definition"].initial = definitions[0][0]
        named = [(str(application.pk), application.name) for application in applications]
        self.fields["application"].choices = [("", _now("The built-in test client")), *named]  # type: ignore[attr-defined]
        if len(settings.LANGUAGES) > 1:
            self.fields["language"].choices = [("", _now("The browser's")), *settings.LANGUAGES]  # type: ignore[attr-defined]
        else:
            del self.fields["language"]


def run_urls(site: AdminSite) -> list[URLPattern]:
    """Return the pages of `site`. They come before Django's own for the user flow."""
    pages = (
        ("run/callback/", come_back, "userflows_userflow_run_callback"),
        ("<uuid:pk>/run/", choose, "userflows_userflow_run"),
        ("<uuid:pk>/run/<str:run_id>/", result, "userflows_userflow_run_result"),
    )
    return [
        path(f"userflows/userflow/{route}", site.admin_view(partial(view, site=site)), name=name)
        for route, view, name in pages
    ]


def choose(request: HttpRequest, *, site: AdminSite, pk: Any) -> HttpResponse:
    """What to run. The answer leads to the flow's own authorization endpoint."""
    user_flow = _flow(request, pk)
    applications = _applications(user_flow)
    form = RunForm(user_flow=user_flow, applications=applications)
    if request.method == "POST":
        form = RunForm(request.POST, user_flow=user_flow, applications=applications)
        if form.is_valid():
            chosen = form.cleaned_data
            as_application = next((app for app in applications if str(app.pk) == chosen["application"]), None)
            url = runs.begin(
                request,
                user_flow,
                is_draft=chosen["definition"] == DRAFT,
                application=as_application,
                language=chosen.get("language", ""),
            )
            return redirect(url)
    title = _now("Run user flow")
    return _page(request, site, "run.html", title=title, original=user_flow, form=form, mail=request.user)


@require_safe
def come_back(request: HttpRequest, *, site: AdminSite) -> HttpResponse:
    """The redirect URI of the built-in test client. Raises RunRefused."""
    run = runs.find_by_state(request, request.GET.get("state", ""))
    if run is None:
        raise RunRefused("state_unknown")
    user_flow = _flow(request, run.user_flow)
    if run.result is None:
        run.result = _result(request, run, user_flow)
        runs.save(request, run)
    return redirect(f"{site.name}:userflows_userflow_run_result", user_flow.pk, run.id)


@require_safe
def result(request: HttpRequest, *, site: AdminSite, pk: Any, run_id: str) -> HttpResponse:
    """What came of a run, for whoever ran it, as long as they are signed in."""
    user_flow = _flow(request, pk)
    run = next((run for run in runs.runs_of(request) if (run.id, run.user_flow) == (run_id, str(pk))), None)
    if run is None or run.result is None:
        raise Http404("There is no such run in this session.")
    context: dict[str, Any] = {"title": _now("What came of the run"), "original": user_flow, "run": run}
    if "id_token" in run.result:
        context |= _told(request, run, run.result)
    return _page(request, site, "run_result.html", **context)


def _definitions(user_flow: UserFlow) -> list[tuple[str, str]]:
    """The draft stands first where it is what one would want to try."""
    draft = (DRAFT, _now("The draft: what you would publish now"))
    if user_flow.live_version is None:
        return [draft]
    live = (LIVE, _now("Live: version %(number)d, what people meet") % {"number": user_flow.live_version.number})
    return [draft, live] if has_unpublished_changes(user_flow) else [live, draft]


def _flow(request: HttpRequest, pk: Any) -> UserFlow:
    """Whoever may change a flow may run it. Raises PermissionDenied and Http404."""
    if not may(roles_in(request), action="change", subject="userflow"):
        raise PermissionDenied
    flows = UserFlow.objects.select_related("tenant", "live_version")
    return get_object_or_404(flows, tenant=tenant_of(request), pk=pk)


def _applications(user_flow: UserFlow) -> list[Application]:
    assigned = Application.objects.filter(flow_assignment__user_flow=user_flow, is_enabled=True)
    return list(assigned.order_by("name")[:MAX_APPLICATIONS])


def _result(request: HttpRequest, run: Run, user_flow: UserFlow) -> dict[str, Any]:
    authority = Authority(tenant=user_flow.tenant, user_flow=user_flow)
    if request.GET.get("iss") != authority.issuer:
        # RFC 9207 2.4: an answer of somebody else's is none.
        raise RunRefused("issuer_unknown")
    if "code" not in request.GET:
        run.is_answered = True
        return {"error": request.GET.get("error", ""), "description": request.GET.get("error_description", "")}
    return exchange(run, authority, code=request.GET["code"])


def _told(request: HttpRequest, run: Run, tokens: dict[str, Any]) -> dict[str, Any]:
    """The tokens in words, the person, and the journey's log."""
    tenant = tenant_of(request)
    journey = Journey.objects.filter(tenant=tenant, pk=run.journey).first()
    definition: Definition | None = journey.definition if journey else None
    questions = questions_in(definition) if definition else []
    claims = tokens["id_token"]["claims"]
    entry = SignIn.objects.filter(tenant=tenant, pk=run.journey).select_related("application").first()
    return {
        "checks": [(words, tokens["checks"].get(name, False)) for name, words in CHECKS.items()],
        "id_token": explain(claims, questions),
        "access_token": explain(tokens["access_token"]["claims"], questions),
        "header": tokens["id_token"]["header"],
        "missing": why_missing(claims, questions),
        "person": User.objects.filter(tenant=tenant, pk=tokens["person"]).first(),
        "entry": entry,
        "timeline": [
            {"at": datetime.fromisoformat(step["at"]), "words": step_in_words(step)}
            for step in (entry.steps if entry else [])
        ],
    }


def _page(request: HttpRequest, site: AdminSite, template: str, **context: Any) -> HttpResponse:
    request.current_app = site.name
    shared = {**site.each_context(request), "opts": UserFlow._meta}
    return TemplateResponse(request, f"admin/userflows/userflow/{template}", {**shared, **context})
