"""`demo`: three nodes on loopback do the main job end to end (`make demo`)."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from config.demo import story
from config.demo.node import DemoFailed
from ocpi.cli import NodeCommand, fail


class Command(NodeCommand):
    help = (
        "Start a hub, a CPO and an eMSP, register both with the hub, share charging sites by Broadcast Push and GET "
        "All, then Tariffs and Tokens; authorize a card in real time, push a Session and its CDR. Exit code 0 only if "
        "every step held."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--locations",
            type=Path,
            default=Path(os.environ.get("LOCATIONS") or story.SAMPLE),
            help="sites to import (default: $LOCATIONS, else the bundled sample)",
        )

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        try:
            steps = story.run(options["locations"].resolve(), self._tell)
        except DemoFailed as error:
            fail(str(error))
        return {"steps": [asdict(step) for step in steps]}, 0

    def _tell(self, step: story.Step) -> None:
        self.stderr.write(f"ok  {step.seconds:7.2f} s  {step.name}: {step.saw}", style_func=str)

    def show(self, result: Mapping[str, Any]) -> None:
        self.stdout.write(f"all {len(result['steps'])} steps held")
