import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from directory.health import is_healthy
from identity_portal.doctor import examine


class Command(BaseCommand):
    help = "Look for what keeps people from signing up. Exits with 1 when something is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Answer with one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = examine()
        healthy = is_healthy(findings)
        if options["json"]:
            self.stdout.write(json.dumps({"healthy": healthy, "findings": [finding.as_dict() for finding in findings]}))
        else:
            for finding in findings:
                self.stdout.write(f"{finding.severity.upper()} {finding.id} {finding.message} {finding.fix}")
            self.stdout.write("Healthy." if healthy else "Something is broken.")
        if not healthy:
            sys.exit(1)
