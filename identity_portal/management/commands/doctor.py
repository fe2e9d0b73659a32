import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from directory.health import Severity
from directory.management.verb_command import find_tenant
from directory.models import Tenant
from identity_portal.doctor import examine_platform
from identity_portal.health_checks import tenant_health

# Without these nothing can be said of tenants.
DATABASE_IS_AWAY = {"portal.E001", "portal.E002"}
OF_THE_PLATFORM = "portal.E006", "portal.W002"


@dataclass(frozen=True)
class Line:
    """One thing to tell. No `tenant`: the platform's."""

    id: str
    severity: str
    message: str
    fix: str
    tenant: str = ""

    def __str__(self) -> str:
        whose = f"{self.tenant}: " if self.tenant else ""
        return f"{self.severity.upper()} {self.id} {whose}{self.message} {self.fix}".rstrip()


class Command(BaseCommand):
    help = "Look for what keeps people from signing up. Exits with 1 when something is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Answer with one JSON object.")
        parser.add_argument("--tenant", help="Look at the platform and this tenant only.")

    def handle(self, *args: Any, **options: Any) -> None:
        lines = list(_examined(options["tenant"]))
        healthy = all(line.severity != Severity.ERROR for line in lines)
        if options["json"]:
            self.stdout.write(json.dumps({"healthy": healthy, "findings": [asdict(line) for line in lines]}))
        else:
            for line in lines:
                self.stdout.write(str(line))
            self.stdout.write("Healthy." if healthy else "Something is broken.")
        if not healthy:
            sys.exit(1)


def _examined(slug: str | None) -> Iterator[Line]:
    platform = examine_platform()
    for finding in platform:
        yield Line(finding.id, str(finding.severity), finding.text, finding.fix)
    if DATABASE_IS_AWAY & {finding.id for finding in platform}:
        return
    for tenant in [find_tenant(slug)] if slug else Tenant.objects.filter(is_active=True).order_by("slug").iterator():
        health = tenant_health(tenant)
        for finding in health.findings:
            # A tenant's page shows these too; here they have been told already.
            if finding.id not in OF_THE_PLATFORM:
                yield Line(finding.id, str(finding.severity), finding.text, finding.fix, tenant.slug)
        for note in health.notes:
            yield Line("portal.W004", str(Severity.WARNING), note, "", tenant.slug)
