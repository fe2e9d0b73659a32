from typing import Any

from django.core.management.base import CommandError, CommandParser

from directory.management.verb_command import VerbCommand, find_tenant
from identity_portal.oidc.keys import KeyTooYoung, rotate_keys
from identity_portal.oidc.models import SigningKey


class Command(VerbCommand):
    help = "Let a tenant's next signing key sign; the one that signed stays published for a day."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="The tenant's name in URLs.")
        parser.add_argument("--algorithm", choices=SigningKey.Algorithm.values, default=SigningKey.Algorithm.RS256)
        parser.add_argument(
            "--force", action="store_true", help="After a theft: don't wait, and forget the stolen key."
        )

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        tenant = find_tenant(options["tenant"])
        try:
            key = rotate_keys(tenant, algorithm=options["algorithm"], force=options["force"])
        except KeyTooYoung as error:
            raise CommandError(f"{error} Or say --force.") from error
        return {"tenant": tenant.slug, "algorithm": key.algorithm, "kid": key.kid}
