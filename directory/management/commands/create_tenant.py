from typing import Any

from django.core.management.base import CommandParser

from directory.management.verb_command import VerbCommand
from directory.models import Tenant, User
from directory.one_time_link import make_link
from directory.tenants import create_tenant


class Command(VerbCommand):
    help = (
        "Create a tenant with the built-in attributes. With --admin, answers with a one-time link by which its first "
        "administrator sets their password."
    )

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="Its name in URLs; it can never be changed.")
        parser.add_argument("--name", required=True)
        parser.add_argument("--admin", metavar="MAIL", help="The first Global Administrator's address.")
        parser.add_argument("--admin-name", default="")
        parser.add_argument("--support-contact", default="", help="An email address or a page.")
        parser.add_argument("--privacy-url", default="")
        parser.add_argument("--terms-url", default="")
        parser.add_argument("--enable-sign-up", action="store_true", help="Let guests sign up by themselves.")

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        admin = User(mail=options["admin"], display_name=options["admin_name"]) if options["admin"] else None
        tenant = create_tenant(
            Tenant(
                slug=options["slug"],
                name=options["name"],
                support_contact=options["support_contact"],
                privacy_url=options["privacy_url"],
                terms_url=options["terms_url"],
                sign_up_enabled=options["enable_sign_up"],
            ),
            admin=admin,
        )
        link = {"admin": admin.mail, "one_time_link": make_link(admin)} if admin else {}
        return {"id": str(tenant.pk), "slug": tenant.slug, "name": tenant.name, **link}
