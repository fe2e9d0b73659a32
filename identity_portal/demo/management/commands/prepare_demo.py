import json
import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from identity_portal.demo.seed import DemoApplication, read_told, seed


class Command(BaseCommand):
    help = "Make the demo's database and static files, fill it, and write var/demo.json."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--application", action="append", nargs=2, metavar=("NAME", "URL"), required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        # In one process: starting Django three times takes longer than the work.
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        path = settings.VAR_DIR / "demo.json"
        applications = [DemoApplication(name, url) for name, url in options["application"]]
        told = seed(applications, known=read_told(path))
        unfinished = path.with_suffix(".part")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(told, indent=2) + "\n")
        os.replace(unfinished, path)
