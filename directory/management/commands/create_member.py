from typing import Any

from django.core.management.base import CommandParser

from directory.management.verb_command import VerbCommand, find_tenant, link_unless, password_from_environment
from directory.members import create_member
from directory.models import User
from directory.roles import Role


class Command(VerbCommand):
    help = (
        "Create a member of a tenant. With a role, answers with a one-time link by which they set their password. "
        "Programs may give the password instead, in MEMBER_PASSWORD."
    )

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="The tenant's name in URLs.")
        parser.add_argument("--mail", required=True)
        parser.add_argument("--display-name", default="")
        parser.add_argument("--role", action="append", default=[], choices=Role.values)

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        password = password_from_environment()
        member = create_member(
            User(tenant=find_tenant(options["tenant"]), mail=options["mail"], display_name=options["display_name"]),
            password=password,
            roles=[Role(role) for role in options["role"]],
        )
        # Without a role there are no pages to sign in to with a password.
        link = link_unless(password, member) if options["role"] else {}
        return {"id": str(member.pk), "mail": member.mail, "roles": options["role"], **link}
