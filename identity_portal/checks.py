"""The health rules as Django's checks: `manage.py check --tag portal`, with `--database default` the data's too.

Warnings all of them: every command runs the checks first and stops at an error, also the one that would mend it.
"""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Warning, register

from directory.health import Finding
from directory.models import Tenant
from identity_portal.doctor import examine_database, examine_settings
from identity_portal.health_checks import tenant_findings


@register("portal")
def check_portal(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    messages = [_message(finding) for finding in examine_settings()]
    if "default" in (databases or ()):
        messages += _check_data()
    return messages


def _check_data() -> list[CheckMessage]:
    problems = list(examine_database())
    if problems:
        return [_message(finding) for finding in problems]
    return [
        _message(finding, tenant=tenant)
        for tenant in Tenant.objects.filter(is_active=True).order_by("slug").iterator()
        for finding in tenant_findings(tenant)
    ]


def _message(finding: Finding, *, tenant: Tenant | None = None) -> CheckMessage:
    text = f"{tenant.slug}: {finding.text}" if tenant else finding.text
    return Warning(text, hint=finding.fix, id=finding.id)
