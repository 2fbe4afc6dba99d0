"""`defect_report`: what is wrong with a partner's objects, to be sent to the partner."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from ocpi.cli import BAD_INPUT, NodeCommand, fail
from roaming.models import Platform
from roaming.sync import defects


class Command(NodeCommand):
    help = "What is wrong with the objects that came from a partner, by defect: as Markdown, or with --json as JSON."

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the partner's platform")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        platform = Platform.objects.filter(name=options["name"]).first()
        if platform is None:
            fail(f"no platform {options['name']!r}", BAD_INPUT)
        self.report = defects.report(platform)
        return self.report.document(), 0

    def show(self, result: Mapping[str, Any]) -> None:
        self.stdout.write(self.report.markdown())
