from typing import Any

from django.core.management.base import CommandParser

from directory.management.verb_command import VerbCommand, find_tenant, read_password
from directory.members import create_member
from directory.models import User
from directory.roles import Role


class Command(VerbCommand):
    help = "Create a member of a tenant. The password is read from MEMBER_PASSWORD, or asked for."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="The tenant's name in URLs.")
        parser.add_argument("--mail", required=True)
        parser.add_argument("--display-name", default="")
        parser.add_argument("--role", action="append", default=[], choices=Role.values)

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        member = create_member(
            User(tenant=find_tenant(options["tenant"]), mail=options["mail"], display_name=options["display_name"]),
            password=read_password(),
            roles=[Role(role) for role in options["role"]],
        )
        return {"id": str(member.pk), "mail": member.mail, "roles": options["role"]}
