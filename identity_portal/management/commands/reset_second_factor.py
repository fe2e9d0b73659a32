from typing import Any

from django.core.management.base import CommandParser

from directory.management.verb_command import VerbCommand, find_administrator
from identity_portal.invitations import reset_second_factor


class Command(VerbCommand):
    help = (
        "Remove the second factors of an administrator, or of a platform operator, who has lost them all. "
        "They are signed out everywhere, and set up a new one after entering their password."
    )

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("mail")
        parser.add_argument("--tenant", help="The tenant's name in URLs. None: a platform operator.")

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        person = find_administrator(options["tenant"], options["mail"])
        reset_second_factor(person)
        return {"mail": person.mail, "second_factor": "none"}
