"""Commands that do what the admin does: one verb, said in a shell, answered for people or (--json) for programs."""

import getpass
import json
import os
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
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
            if value not in (None, "", []):
                spoken = ", ".join(value) if isinstance(value, list) else value
                self.stdout.write(f"{name.replace('_', ' ')}: {spoken}")


def find_tenant(slug: str) -> Tenant:
    """Return the tenant that a command's option names. Raises CommandError."""
    tenant = Tenant.objects.filter(slug=slug.lower()).first()
    if tenant is None:
        raise CommandError(f"There is no tenant {slug}.")
    return tenant


def read_password() -> str:
    """Return MEMBER_PASSWORD, or what is typed. Not an option: a command line is readable for every process here."""
    try:
        return os.environ.get("MEMBER_PASSWORD") or getpass.getpass()
    except EOFError as error:
        raise CommandError("Set MEMBER_PASSWORD, or run this in a terminal and type the password.") from error


def _lines(error: ValidationError) -> list[str]:
    if not hasattr(error, "error_dict"):
        return list(error.messages)
    return [
        message if name == NON_FIELD_ERRORS else f"{name.replace('_', ' ')}: {message}"
        for name, messages in error.message_dict.items()
        for message in messages
    ]
