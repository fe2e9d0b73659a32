from typing import Any

from django.core.management.base import CommandParser

from directory.applications import create_application
from directory.management.verb_command import VerbCommand, find_tenant
from directory.models import Application, ApplicationKind


class Command(VerbCommand):
    help = "Create an application. Its client secret is shown now and never again."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="The tenant's name in URLs.")
        parser.add_argument("--name", required=True)
        parser.add_argument("--kind", required=True, choices=ApplicationKind.values)
        parser.add_argument("--redirect-uri", action="append", default=[], help="May be given several times.")
        parser.add_argument("--post-logout-redirect-uri", action="append", default=[])
        parser.add_argument("--algorithm", choices=Application.Algorithm.values, default=Application.Algorithm.RS256)

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        application = Application(
            tenant=find_tenant(options["tenant"]),
            name=options["name"],
            kind=options["kind"],
            redirect_uris="\n".join(options["redirect_uri"]),
            post_logout_redirect_uris="\n".join(options["post_logout_redirect_uri"]),
            algorithm=options["algorithm"],
        )
        secret = create_application(application)
        return {
            "client_id": application.client_id,
            "client_secret": secret,
            "kind": application.kind,
            "redirect_uris": options["redirect_uri"],
            "post_logout_redirect_uris": options["post_logout_redirect_uri"],
        }
