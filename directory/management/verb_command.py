"""Commands that do what the admin does: one verb, said in a shell, answered for people or (--json) for programs."""

import json
import os
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from directory.members import may_administer
from directory.models import Tenant, User
from directory.one_time_link import make_link


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


def find_administrator(slug: str | None, mail: str) -> User:
    """Return whoever may enter the admin: a member with a role, or (no slug) an operator. Raises CommandError."""
    tenant = find_tenant(slug) if slug else None
    person: User | None = User.objects.with_mail(tenant, mail).first()
    if person is None or not may_administer(person):
        where = f"administrator of {slug}" if slug else "platform operator"
        raise CommandError(f"There is no {where} with the address {mail} who may sign in.")
    return person


def password_from_environment() -> str | None:
    """Return MEMBER_PASSWORD. Not an option: a command line is readable for every process here."""
    return os.environ.get("MEMBER_PASSWORD") or None


def link_unless(password: str | None, person: User) -> dict[str, str]:
    """Return a new one-time link for whoever was given no password."""
    return {} if password else {"one_time_link": make_link(person)}


def _lines(error: ValidationError) -> list[str]:
    if not hasattr(error, "error_dict"):
        return list(error.messages)
    return [
        message if name == NON_FIELD_ERRORS else f"{name.replace('_', ' ')}: {message}"
        for name, messages in error.message_dict.items()
        for message in messages
    ]
