"""`import_objects`: own OCPI objects of a module from a JSON list or JSON lines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from cpo_backend.management.commands import import_locations
from cpo_backend.register import ocpi_json
from ocpi.store.catalogue import STORES
from ocpi.v221.versions import ModuleID

_MODULES = [module.value for module in STORES if module != ModuleID.HUB_CLIENT_INFO]


class Command(import_locations.Command):
    help = (
        "Import own OCPI objects from a JSON list or JSON lines; importing the same file again changes nothing, and a "
        "CDR never changes. Exit code 3 when some objects were rejected: each is reported with its reason."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("module", choices=_MODULES)
        parser.add_argument("file", type=Path, help="JSON list, JSON lines or an OCPI answer; may be gzipped")
        parser.add_argument("--party", required=True, help="the own party that owns the objects, CC*PID")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        owner = import_locations.own_party(options["party"])
        store = STORES[ModuleID(options["module"])]
        return import_locations.import_file(
            options["file"], ocpi_json.read_sites, store, owner, shown=not options["json"]
        )
