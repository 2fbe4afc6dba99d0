"""`import_objects`: own OCPI objects of a module from a JSON list or JSON lines."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from cpo_backend.management.commands import import_locations
from ocpi.v221.versions import ModuleID


class Command(import_locations.Command):
    help = "Import own OCPI objects from a JSON list or JSON lines; importing the same file again changes nothing."

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("module", choices=[ModuleID.LOCATIONS.value])
        parser.add_argument("file", type=Path, help="JSON list, JSON lines or an OCPI answer; may be gzipped")
        parser.add_argument("--party", required=True, help="the own party that owns the objects, CC*PID")

    def run(self, **options: Any) -> Any:
        return super().run(**options, format="ocpi")
