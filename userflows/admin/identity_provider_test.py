"""The pages of “Test connection”."""

import uuid
from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _now
from django.views.decorators.http import require_POST, require_safe

from directory.admin.auditing import actor_of
from directory.admin.identity_provider import IdentityProviderAdmin
from directory.models import IdentityProvider
from userflows.federation import connection_test
from userflows.federation.connection_test import Step
from userflows.federation.errors import FederationError
from userflows.federation.handshake import begin
from userflows.rate_limit import Limit, count_attempt

# Each test and each reading of metadata is a request of ours to a server that an administrator names.
FETCH_LIMIT = Limit("identity_provider.fetch", count=60, seconds=3600)


def _session_key(provider: IdentityProvider) -> str:
    return f"connection_test.{provider.pk}"


class ConnectionTestPages(IdentityProviderAdmin):
    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path(
                "<uuid:provider_id>/test/",
                site.admin_view(self.test_view),
                name="directory_identityprovider_test",
            ),
            path(
                "<uuid:provider_id>/test/result/",
                site.admin_view(self.test_result_view),
                name="directory_identityprovider_test_result",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With “Save and test”: what was saved is committed, and no row is locked while the provider is asked."""
        response = super().change_view(request, object_id, form_url, extra_context)
        is_saved = request.method == "POST" and response.status_code == 302
        if "_test" not in request.POST or not is_saved or self.is_guarded_change(request, object_id):
            return response
        return self._test(request, self.find(request, uuid.UUID(object_id), action="change"))

    @method_decorator(require_POST)
    def test_view(self, request: HttpRequest, provider_id: uuid.UUID) -> HttpResponse:
        return self._test(request, self.find(request, provider_id, action="change"))

    def _test(self, request: HttpRequest, provider: IdentityProvider) -> HttpResponse:
        if not provider.is_known_kind or not provider.about.is_federated:
            raise Http404
        count_attempt((FETCH_LIMIT, str(actor_of(request).pk)))
        steps, url = connection_test.prepare(provider), ""
        if connection_test.is_ready(steps):
            try:
                url = begin(request, provider, journey=None, tested_by=actor_of(request))
            except FederationError as error:
                steps = connection_test.failed(provider, steps, error)
        request.session[_session_key(provider)] = [asdict(step) for step in steps]
        title = _now("Test the connection to %(name)s") % {"name": provider}
        return self.page(request, "test", provider, title=title, steps=steps, url=url)

    @method_decorator(require_safe)
    def test_result_view(self, request: HttpRequest, provider_id: uuid.UUID) -> HttpResponse:
        """Of the administrator's own last test; somebody else's is none."""
        provider = self.find(request, provider_id, action="change")
        result = connection_test.last_result(provider, actor_of(request))
        if result is None or not provider.is_known_kind:
            words = _now("There is no test of yours, or it was more than a quarter of an hour ago. Test again.")
            self.message_user(request, words, messages.INFO)
            return self.to_page("change", provider)
        is_told = "error" not in result
        return self.page(
            request,
            "test_result",
            provider,
            title=_now("The connection works") if is_told else _now("The connection doesn't work yet"),
            steps=self._with_words(request, provider, connection_test.steps_of(provider, result)),
            result=result,
            is_told=is_told,
            rows=connection_test.claim_rows(provider, result) if is_told else [],
        )

    def _with_words(self, request: HttpRequest, provider: IdentityProvider, steps: list[Step]) -> list[Step]:
        """Give the steps that were taken before leaving the words that they had then."""
        before = {step["stage"]: step for step in request.session.get(_session_key(provider), [])}
        return [
            Step(**before[step.stage]) if step.state == "done" and before.get(step.stage, {}).get("words") else step
            for step in steps
        ]
