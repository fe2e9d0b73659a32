"""The Health page of a tenant's admin: what is wrong, how bad it is, and where to mend it."""

from functools import partial
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from directory.admin.scoping import roles_in, tenant_of
from directory.health import Finding, Severity
from directory.roles import may
from identity_portal.health_checks import tenant_health


def health_urls(site: AdminSite) -> list[URLPattern]:
    return [path("health/", site.admin_view(partial(health, site=site)), name="health")]


def shown_to(request: HttpRequest, findings: list[Finding]) -> list[Finding]:
    """Return those on what the person's roles let them view."""
    roles = roles_in(request)
    return [
        finding for finding in findings if not finding.subject or may(roles, action="view", subject=finding.subject)
    ]


def with_health(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the page into the menu: into “Watch”, or a group of its own for who may see no log."""
    entry = {
        "name": _("Health"),
        "summary": _("What keeps people from signing up, and where to mend it."),
        "admin_url": reverse("admin:health"),
        "add_url": None,
        "icon": "health",
    }
    name = _("Watch")
    group = next((group for group in groups if str(group["name"]) == name), None)
    if group is None:
        return [*groups, {"name": name, "app_label": "", "app_url": "", "models": [entry]}]
    group["models"].append(entry)
    return groups


@require_safe
def health(request: HttpRequest, *, site: AdminSite) -> HttpResponse:
    found = tenant_health(tenant_of(request))
    findings = shown_to(request, found.findings)
    context: dict[str, Any] = {
        "title": _("Health"),
        "rows": [{"finding": finding, "url": _url(finding)} for finding in findings],
        "error_count": sum(finding.severity is Severity.ERROR for finding in findings),
        "warning_count": sum(finding.severity is Severity.WARNING for finding in findings),
        "notes": found.notes,
    }
    request.current_app = site.name
    return TemplateResponse(request, "admin/health.html", {**site.each_context(request), **context})


def _url(finding: Finding) -> str:
    if not finding.page:
        return ""
    name, *args = finding.page
    return reverse(name, args=args)
