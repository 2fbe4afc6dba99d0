"""`doctor`: what is wrong with this node, or with a partner."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from config import diagnosis, diagnosis_table
from ocpi.cli import BAD_INPUT, FAILED, NodeCommand, fail, progress
from ocpi.management.documents import console
from roaming.conformance import table
from roaming.conformance.examining import examine
from roaming.models import Platform


class Command(NodeCommand):
    help = (
        "How this node is configured, what is wrong with that, and how it goes with each platform. With PLATFORM: ask "
        "that one for versions, credentials and a page or two of each list, and judge what it answers by the rules of "
        "OCPI 2.2.1; nothing is changed there or here. Exit code 1 when something is wrong; warnings alone are 0."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("platform", nargs="?", metavar="PLATFORM", help="the partner to be examined")
        parser.add_argument(
            "--markdown", action="store_true", help="with PLATFORM: what is broken, as a ticket for the partner"
        )

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        self.ticket: str | None = None
        if options["platform"] is None:
            found = diagnosis.diagnosis()
            return found, 0 if found["ok"] else FAILED
        platform = Platform.objects.filter(name=options["platform"]).first()
        if platform is None or platform.state != Platform.State.CONNECTED:
            fail(f"no connected platform {options['platform']!r}", BAD_INPUT)
        with progress(f"Asking {platform}", shown=not options["json"]) as advance:
            report = examine(platform, advance=advance)
        if options["markdown"]:
            self.ticket = report.markdown()
        return report.document(), 0 if report.conforms else FAILED

    def show(self, result: Mapping[str, Any]) -> None:
        if self.ticket is not None:
            self.stdout.write(self.ticket)
        else:
            console(self.stdout).print((table if "rules" in result else diagnosis_table).render(result))
