from typing import Any

from django.core.management.base import CommandParser

from directory.management.verb_command import VerbCommand, link_unless, password_from_environment
from directory.members import create_operator
from directory.models import User


class Command(VerbCommand):
    help = (
        "Create a platform operator: who makes tenants. Answers with a one-time link by which they set their password. "
        "Programs may give the password instead, in MEMBER_PASSWORD."
    )

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--mail", required=True)
        parser.add_argument("--display-name", default="")

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        password = password_from_environment()
        operator = create_operator(User(mail=options["mail"], display_name=options["display_name"]), password=password)
        return {"id": str(operator.pk), "mail": operator.mail, **link_unless(password, operator)}
