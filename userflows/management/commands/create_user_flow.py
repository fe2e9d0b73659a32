from typing import Any

from django.core.management.base import CommandParser

from directory.management.verb_command import VerbCommand, find_tenant
from userflows.flows import NewQuestion, create_user_flow
from userflows.models import UserFlow
from userflows.publishing import publish


class Command(VerbCommand):
    help = "Create and publish a user flow. B2X_1_ is put in front of its name."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="The tenant's name in URLs.")
        parser.add_argument("name")
        parser.add_argument("--attribute", action="append", default=[], help="Asked in this order, such as GivenName.")

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        user_flow = create_user_flow(
            UserFlow(tenant=find_tenant(options["tenant"]), name=options["name"]),
            questions=[NewQuestion(name) for name in options["attribute"]],
        )
        publish(user_flow)
        return {"id": str(user_flow.pk), "name": user_flow.name, "attributes": options["attribute"]}
