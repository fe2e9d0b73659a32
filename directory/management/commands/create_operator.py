import getpass
import os
from typing import Any

from django.core.management.base import CommandParser

from directory.management.verb_command import VerbCommand
from directory.members import create_operator
from directory.models import User


class Command(VerbCommand):
    help = "Create a platform operator: somebody who makes tenants. The password is read from MEMBER_PASSWORD, or asked for."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--mail", required=True)
        parser.add_argument("--display-name", default="")

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        password = os.environ.get("MEMBER_PASSWORD") or getpass.getpass()
        operator = create_operator(
            User(mail=options["mail"], display_name=options["display_name"]), password=password
        )
        return {"id": str(operator.pk), "mail": operator.mail}
