"""What the pages of all steps have in common."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from directory.redirect_uris import form_action_source
from userflows.models import Journey
from userflows.requests import TenantRequest


def step_page(
    request: TenantRequest, template: str, journey: Journey, *, step_number: int, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a step's page, from which a form may lead as far as the application."""
    response = render(
        request,
        template,
        {
            "journey": journey,
            "step_number": step_number,
            # Who chooses a password has one page more.
            "step_count": 2 + len(journey.definition["pages"]) + bool(journey.facts.get("wants_password")),
            **context,
        },
        status=status,
    )
    # Chromium checks form-action along the whole chain of redirects after a POST, up to the application.
    response.form_action = form_action_source(journey.redirect_uri)  # type: ignore[attr-defined]
    return response
