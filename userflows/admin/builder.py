"""The flow builder: one page for a flow's draft, with a preview, what is wrong with it, and the way to publish."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _now
from django.utils.translation import ngettext

from directory.admin.auditing import actor_of
from directory.admin.scoping import roles_in
from directory.custom_attributes import create_attribute
from directory.models import AuditEvent
from directory.roles import may
from userflows.admin.builder_forms import BuilderForms, with_one_more_question
from userflows.admin.flow_pages import FlowPages, linked, preview_of
from userflows.changes import changes
from userflows.definition import Definition, definition_of
from userflows.flows import assign_application, unassign_application
from userflows.health import examine_flow
from userflows.models import UserFlow
from userflows.preview import pages_of, render_preview
from userflows.publishing import DraftChanged, save_draft
from userflows.statistics import numbers_of

# How far back the page looks for what others have saved meanwhile.
EVENTS_LOOKED_AT = 50


class FlowBuilder(FlowPages):
    """The change page of a user flow."""

    def get_urls(self) -> list[URLPattern]:
        preview = path(
            "<uuid:pk>/preview/", self.admin_site.admin_view(self.preview_view), name="userflows_userflow_preview"
        )
        return [preview, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        user_flow: UserFlow | None = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, user_flow):
            raise PermissionDenied
        if user_flow is None:
            raise Http404("No such user flow.")
        if request.method != "POST":
            return self._page(request, user_flow, self._forms(request, user_flow))
        if not self.has_change_permission(request, user_flow):
            raise PermissionDenied
        return self._submit(request, user_flow)

    def _forms(self, request: HttpRequest, user_flow: UserFlow, data: Any = None) -> BuilderForms:
        may_add = may(roles_in(request), action="add", subject="userattribute")
        return BuilderForms(user_flow, may_add_attributes=may_add, data=data)

    def _submit(self, request: HttpRequest, user_flow: UserFlow) -> HttpResponse:
        if "_add_question" in request.POST:
            forms = self._forms(request, user_flow, with_one_more_question(request))
            return self._page(request, user_flow, forms, is_sent=False)
        forms = self._forms(request, user_flow, request.POST)
        if not forms.is_valid():
            return self._page(request, user_flow, forms)
        try:
            revision = _revision(request, forms)
            sentences = self._save(request, user_flow, forms, revision)
        except DraftChanged:
            return self._page(request, user_flow, forms, is_stale=True)
        self._tell(request, user_flow, sentences)
        return redirect(self._next(request, user_flow))

    @transaction.atomic
    def _save(self, request: HttpRequest, user_flow: UserFlow, forms: BuilderForms, revision: int) -> list[str]:
        actor = actor_of(request)
        for attribute in forms.new_attributes():
            create_attribute(attribute, actor=actor)
        sentences = save_draft(
            user_flow,
            providers=forms.providers(),
            questions=forms.assignments(),
            revision=revision,
            actor=actor,
        )
        for assignment in forms.links.cleaned_data["remove"]:
            unassign_application(assignment, actor=actor)
            sentences.append(_now("%(name)s doesn't use this flow any more.") % {"name": assignment.application})
        application = forms.links.cleaned_data["application"]
        if application:
            assign_application(user_flow, application, actor=actor)
            sentences.append(_now("%(name)s uses this flow from now on.") % {"name": application})
        return sentences

    def _tell(self, request: HttpRequest, user_flow: UserFlow, sentences: list[str]) -> None:
        if not sentences:
            if not {"_review", "_run"} & request.POST.keys():
                messages.info(request, _now("Nothing was changed."))
        elif user_flow.live_version is None:
            messages.success(request, _now("The draft is saved. Nobody meets it until you publish it."))
        else:
            words = _now("The draft is saved. People still meet version %(number)d until you publish.")
            messages.success(request, words % {"number": user_flow.live_version.number})

    def _next(self, request: HttpRequest, user_flow: UserFlow) -> str:
        """Return where the pressed button leads once the draft is saved."""
        names = {"_review": "publish", "_run": "run"}
        page = next((names[name] for name in names if name in request.POST), "change")
        return reverse(f"tenant_admin:userflows_userflow_{page}", args=[user_flow.pk])

    def _page(
        self,
        request: HttpRequest,
        user_flow: UserFlow,
        forms: BuilderForms,
        *,
        is_sent: bool = True,
        is_stale: bool = False,
    ) -> HttpResponse:
        # The forms write what was typed into `user_flow`: beside them stands what is saved.
        saved = UserFlow.objects.select_related("live_version", "tenant").get(pk=user_flow.pk)
        draft = definition_of(saved)
        has_errors = is_sent and forms.basics.is_bound and not forms.is_valid()
        response = self.render(
            request,
            "builder",
            saved,
            _now("Edit %(name)s") % {"name": saved.name},
            forms=forms,
            errors=_problems(forms) if has_errors else [],
            conflict=_conflict(saved, forms) if is_stale else None,
            pages=pages_of(draft),
            languages=settings.LANGUAGES,
            may_view_applications=may(roles_in(request), action="view", subject="application"),
            **_state(request, saved, draft),
        )
        response.shows_preview = True  # type: ignore[attr-defined]
        return response

    def preview_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """One hosted page as the form says it would be: POST with the form's fields, GET for the saved draft."""
        user_flow = self.flow_or_404(request, pk)
        data = request.POST if request.method == "POST" else None
        definition, is_whole = self._forms(request, user_flow, data).definition()
        note = "" if is_whole else _now("Something on the form can't be saved yet. It is left out of this preview.")
        return render_preview(request, user_flow, definition, preview_of(request, note))  # type: ignore[arg-type]


def _revision(request: HttpRequest, forms: BuilderForms) -> int:
    """Return the revision to save over: the one that the page began with, or, said explicitly, the one it was shown."""
    chosen = request.POST.get("_overwrite", "")
    if chosen.isascii() and chosen.isdecimal() and len(chosen) < 10:
        return int(chosen)
    return int(forms.basics.cleaned_data["revision"])


def _conflict(saved: UserFlow, forms: BuilderForms) -> dict[str, Any]:
    """Return who has saved since the page was opened, when, and what they changed."""
    began = forms.basics.cleaned_data["revision"]
    events = AuditEvent.objects.filter(
        tenant=saved.tenant_id, target_type=UserFlow._meta.model_name, target_id=str(saved.pk)
    ).order_by("-at")[:EVENTS_LOOKED_AT]
    since = [event for event in events if event.details.get("revision", -1) > began]
    return {
        "events": since,
        "changes": [sentence for event in reversed(since) for sentence in event.details.get("changes", [])],
        "revision": saved.revision,
    }


def _problems(forms: BuilderForms) -> list[tuple[str, str]]:
    """Return the mistakes with the id of the field where each is to be mended."""
    found = [
        (field.id_for_label, error) for form in (forms.basics, forms.links) for field in form for error in field.errors
    ]
    for form in forms.questions.forms:
        found += [(field.id_for_label, f"{form.title}: {error}") for field in form for error in field.errors]
    general = [*forms.basics.non_field_errors(), *forms.questions.non_form_errors()]
    return [*(("", error) for error in general), *found]


def _state(request: HttpRequest, saved: UserFlow, draft: Definition) -> dict[str, Any]:
    live = saved.live_version
    unpublished = changes(live.definition if live else None, draft)
    findings = examine_flow(saved, draft)
    # What the draft has mended is still wrong out there.
    known = {finding.message for finding in findings}
    live_findings = examine_flow(saved, live.definition) if live and unpublished else []
    return {
        "unpublished_count": len(unpublished),
        "unpublished": ngettext("%(count)d unpublished change", "%(count)d unpublished changes", len(unpublished))
        % {"count": len(unpublished)},
        "funnel": _funnel(saved),
        "findings": [linked(request, finding) for finding in findings],
        "live_findings": [linked(request, finding) for finding in live_findings if finding.message not in known],
    }


def _funnel(user_flow: UserFlow) -> list[dict[str, Any]]:
    """Return the steps of the last days with how many came so far, and of a hundred; [] where nobody came."""
    steps = numbers_of(user_flow).funnel() if user_flow.live_version else []
    started = steps[0][1] if steps else 0
    if not started:
        return []
    return [{"label": step.label, "count": count, "percent": round(100 * count / started)} for step, count in steps]
