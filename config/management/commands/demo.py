"""`demo`: three nodes on loopback do the main job end to end (`make demo`)."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from config import demo
from ocpi.cli import NodeCommand, fail


class Command(NodeCommand):
    help = (
        "Start a hub, a CPO and an eMSP, register both with the hub, share charging sites by Broadcast Push and GET "
        "All, change one and see it arrive. Exit code 0 only if every step held."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--locations",
            type=Path,
            default=Path(os.environ.get("LOCATIONS") or demo.SAMPLE),
            help="sites to import (default: $LOCATIONS, else the bundled sample)",
        )

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        try:
            steps = demo.run(options["locations"].resolve(), self._tell)
        except demo.DemoFailed as error:
            fail(str(error))
        return {"steps": [asdict(step) for step in steps]}, 0

    def _tell(self, step: demo.Step) -> None:
        self.stderr.write(f"ok  {step.seconds:7.2f} s  {step.name}: {step.saw}", style_func=str)

    def show(self, result: Mapping[str, Any]) -> None:
        self.stdout.write(f"all {len(result['steps'])} steps held")
