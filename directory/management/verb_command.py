"""Commands that do what the admin does: one verb, said in a shell, answered for people or (--json) for programs."""

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from directory.models import Tenant


class VerbCommand(BaseCommand):
    """Subclasses write `add_options` and `run`; `run` returns what is to be told."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Answer with one JSON object.")
        self.add_options(parser)

    def add_options(self, parser: CommandParser) -> None:
        """Declare the command's own options."""

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            answer = self.run(options)
        except ValidationError as error:
            raise CommandError("\n".join(_lines(error))) from error
        if options["json"]:
            self.stdout.write(json.dumps(answer))
            return
        for name, value in answer.items():
            self.stdout.write(f"{name.replace('_', ' ')}: {value}")


def find_tenant(slug: str) -> Tenant:
    """Return the tenant that a command's option names. Raises CommandError."""
    tenant = Tenant.objects.filter(slug=slug.lower()).first()
    if tenant is None:
        raise CommandError(f"There is no tenant {slug}.")
    return tenant


def _lines(error: ValidationError) -> list[str]:
    if hasattr(error, "error_dict"):
        return [f"{name}: {message}" for name, messages in error.message_dict.items() for message in messages]
    return list(error.messages)
