from typing import Any

from django.core.management.base import CommandParser

from directory.management.verb_command import VerbCommand, find_administrator
from directory.one_time_link import make_link


class Command(VerbCommand):
    help = "Make a new one-time link by which an administrator, or a platform operator, sets their password."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("mail")
        parser.add_argument("--tenant", help="The tenant's name in URLs. None: a platform operator.")

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        person = find_administrator(options["tenant"], options["mail"])
        return {"mail": person.mail, "one_time_link": make_link(person)}
