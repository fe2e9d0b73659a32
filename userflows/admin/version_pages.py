"""Publish, look at versions, roll back, discard, pause: pages that say what they will do before they do it."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _now

from directory.admin.auditing import actor_of
from directory.health import is_healthy
from userflows.admin.flow_pages import FlowPages, linked, links_sentence, preview_of
from userflows.changes import changes
from userflows.definition import definition_of
from userflows.flows import set_sign_up_enabled
from userflows.health import examine_flow
from userflows.models import UserFlow, UserFlowVersion
from userflows.preview import pages_of, render_preview
from userflows.publishing import DraftChanged, PublishRefused, discard_draft, publish, roll_back

VERSIONS_SHOWN = 50


class VersionPages(FlowPages):
    """The pages of a flow's life beside its builder."""

    def get_urls(self) -> list[URLPattern]:
        pages: tuple[tuple[str, Callable[..., HttpResponse], str], ...] = (
            ("<uuid:pk>/publish/", self.publish_view, "publish"),
            ("<uuid:pk>/discard/", self.discard_view, "discard"),
            ("<uuid:pk>/pause/", self.pause_view, "pause"),
            ("<uuid:pk>/versions/", self.versions_view, "versions"),
            ("<uuid:pk>/versions/<int:number>/", self.version_view, "version"),
            ("<uuid:pk>/versions/<int:number>/preview/", self.version_preview_view, "version_preview"),
            ("<uuid:pk>/versions/<int:number>/roll-back/", self.roll_back_view, "roll_back"),
        )
        urls = [
            path(route, self.admin_site.admin_view(view), name=f"userflows_userflow_{name}")
            for route, view, name in pages
        ]
        return [*urls, *super().get_urls()]

    def _version_or_404(
        self, request: HttpRequest, pk: uuid.UUID, number: int, action: str = "view"
    ) -> tuple[UserFlow, UserFlowVersion]:
        user_flow = self.flow_or_404(request, pk, action)
        # SQLite knows no integers beyond 64 bits.
        version = user_flow.versions.filter(number=number).first() if number < 2**31 else None
        if version is None:
            raise Http404("No such version.")
        return user_flow, version

    def publish_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        user_flow = self.flow_or_404(request, pk, "change")
        if request.method != "POST":
            return self._publish_page(request, user_flow)
        try:
            version = publish(user_flow, revision=_sent_revision(request), actor=actor_of(request))
        except DraftChanged:
            problem = _now("Somebody changed the draft after you opened this page. Look again at what you publish.")
            return self._publish_page(request, user_flow, problem)
        except PublishRefused:
            return self._publish_page(request, user_flow, _now("It was not published. Mend what is wrong first."))
        words = _now("Version %(number)d is live. Whoever is signing up at this moment finishes as they began.")
        messages.success(request, words % {"number": version.number})
        return redirect("tenant_admin:userflows_userflow_change", user_flow.pk)

    def _publish_page(self, request: HttpRequest, user_flow: UserFlow, problem: str = "") -> HttpResponse:
        user_flow.refresh_from_db()
        live, draft = user_flow.live_version, definition_of(user_flow)
        findings = examine_flow(user_flow, draft)
        return self.render(
            request,
            "publish",
            user_flow,
            _now("Publish %(name)s") % {"name": user_flow.name},
            changes=changes(live.definition if live else None, draft),
            findings=[linked(request, finding) for finding in findings],
            is_healthy=is_healthy(findings),
            problem=problem,
            next_number=(user_flow.versions.values_list("number", flat=True).first() or 0) + 1,
            link_count=user_flow.application_assignments.count(),
        )

    def versions_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        user_flow = self.flow_or_404(request, pk)
        found = list(user_flow.versions.all()[: VERSIONS_SHOWN + 1])
        earlier: list[UserFlowVersion | None] = [*found[1:], None]
        rows = [
            {"version": version, "changes": changes(before.definition if before else None, version.definition)}
            for version, before in zip(found, earlier, strict=True)
        ]
        title = _now("Versions of %(name)s") % {"name": user_flow.name}
        return self.render(request, "versions", user_flow, title, rows=rows[:VERSIONS_SHOWN])

    def version_view(self, request: HttpRequest, pk: uuid.UUID, number: int) -> HttpResponse:
        user_flow, version = self._version_or_404(request, pk, number)
        response = self.render(
            request,
            "version",
            user_flow,
            f"{user_flow.name} · {version}",
            version=version,
            contents=changes(None, version.definition),
            pages=pages_of(version.definition),
        )
        response.shows_preview = True  # type: ignore[attr-defined]
        return response

    def version_preview_view(self, request: HttpRequest, pk: uuid.UUID, number: int) -> HttpResponse:
        user_flow, version = self._version_or_404(request, pk, number)
        return render_preview(request, user_flow, version.definition, preview_of(request))  # type: ignore[arg-type]

    def roll_back_view(self, request: HttpRequest, pk: uuid.UUID, number: int) -> HttpResponse:
        user_flow, version = self._version_or_404(request, pk, number, "change")
        live = user_flow.live_version
        problems = []
        if request.method == "POST":
            try:
                roll_back(version, actor=actor_of(request))
            except PublishRefused as error:
                problems = [linked(request, finding) for finding in error.findings]
            else:
                messages.success(request, _now("%(version)s is live again.") % {"version": version})
                return redirect("tenant_admin:userflows_userflow_versions", user_flow.pk)
        return self._confirm(
            request,
            user_flow,
            title=_now("Roll back to %(version)s?") % {"version": version},
            sentences=changes(live.definition if live else None, version.definition),
            hits=[
                _now("From now on people meet %(version)s. Whoever is signing up finishes as they began.")
                % {"version": version},
                _now("Your draft stays as it is."),
            ],
            button=_now("Roll back"),
            problems=problems,
            back="versions",
        )

    def discard_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        user_flow = self.flow_or_404(request, pk, "change")
        live = user_flow.live_version
        if live is None:
            raise Http404("Nothing is live.")
        problem = ""
        if request.method == "POST":
            try:
                discard_draft(user_flow, revision=_sent_revision(request), actor=actor_of(request))
            except DraftChanged:
                problem = _now("Somebody changed the draft after you opened this page. Look again.")
            except ValidationError as error:
                problem = " ".join(error.messages)
            else:
                messages.success(request, _now("The draft is what people meet now."))
                return redirect("tenant_admin:userflows_userflow_change", user_flow.pk)
        user_flow.refresh_from_db()
        return self._confirm(
            request,
            user_flow,
            title=_now("Discard the draft?"),
            sentences=changes(live.definition, definition_of(user_flow)),
            hits=[_now("These changes are lost. Version %(number)d stays live.") % {"number": live.number}],
            button=_now("Discard the draft"),
            problem=problem,
        )

    def pause_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Stop new people from signing up, or let them again. What is asked for is what the page said."""
        user_flow = self.flow_or_404(request, pk, "change")
        if request.method == "POST":
            enabled = request.POST.get("sign_up") == "on"
            set_sign_up_enabled(user_flow, enabled=enabled, actor=actor_of(request))
            messages.success(request, _now("New people can sign up.") if enabled else _now("Sign-up is paused."))
            return redirect("tenant_admin:userflows_userflow_change", user_flow.pk)
        if user_flow.sign_up_enabled:
            title, button = _now("Pause sign-up?"), _now("Pause sign-up")
            words = _now("New people can't sign up until you resume it. People who have an account still sign in.")
        else:
            title, button = _now("Resume sign-up?"), _now("Resume sign-up")
            words = _now("New people can sign up again.")
        return self._confirm(
            request, user_flow, title=title, button=button, hits=[words, links_sentence(user_flow)], sign_up=True
        )

    def _confirm(self, request: HttpRequest, user_flow: UserFlow, *, title: str, **context: Any) -> HttpResponse:
        back = reverse(f"tenant_admin:userflows_userflow_{context.pop('back', 'change')}", args=[user_flow.pk])
        return self.render(request, "confirm", user_flow, title, back=back, **context)


def _sent_revision(request: HttpRequest) -> int:
    """Return the revision that the page showed; without one it is none that there ever was."""
    sent = request.POST.get("revision", "")
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 10 else -1
