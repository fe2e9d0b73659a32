from typing import Any

from django.core.management.base import CommandError, CommandParser

from directory.management.verb_command import VerbCommand, find_tenant
from directory.models import Application
from userflows.flows import assign_application
from userflows.models import UserFlow


class Command(VerbCommand):
    help = "Let an application use a user flow."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="The tenant's name in URLs.")
        parser.add_argument("--user-flow", required=True, help="The flow's name, such as B2X_1_Suppliers.")
        parser.add_argument("--client-id", required=True)

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        tenant = find_tenant(options["tenant"])
        user_flow = UserFlow.objects.filter(tenant=tenant, name__iexact=options["user_flow"]).first()
        application = Application.objects.filter(tenant=tenant, client_id=options["client_id"]).first()
        if user_flow is None or application is None:
            raise CommandError(f"There is no such user flow or application in {tenant.slug}.")
        assign_application(user_flow, application)
        return {"user_flow": user_flow.name, "client_id": application.client_id}
