from typing import Any

from django.core.management.base import CommandParser

from directory.management.verb_command import VerbCommand, read_password
from directory.members import create_operator
from directory.models import User


class Command(VerbCommand):
    help = "Create a platform operator: who makes tenants. The password is read from MEMBER_PASSWORD, or asked for."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--mail", required=True)
        parser.add_argument("--display-name", default="")

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        operator = create_operator(
            User(mail=options["mail"], display_name=options["display_name"]), password=read_password()
        )
        return {"id": str(operator.pk), "mail": operator.mail}
