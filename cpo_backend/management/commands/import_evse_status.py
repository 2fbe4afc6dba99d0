"""`import_evse_status`: the status of EVSEs from a file of another system."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from cpo_backend.ingest import items, taking
from cpo_backend.ingest.items import Unreadable
from cpo_backend.ingest.taking import Result
from cpo_backend.models import StatusSource
from ocpi.cli import BAD_INPUT, PARTLY, NodeCommand, fail


class Command(NodeCommand):
    help = "Take the status of EVSEs from a JSON or CSV file. Exit 2: no such file or source, 3: some were rejected."

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="JSON list, or CSV with the columns evse_uid and status")
        parser.add_argument("--source", required=True, metavar="NAME", help="the status source that it is from")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        source = StatusSource.objects.filter(name=options["source"], is_enabled=True).first()
        if source is None:
            fail(f"there is no status source {options['source']}", BAD_INPUT)
        receipt = taking.take(source, _read(options["file"]))
        return receipt.document(), PARTLY if receipt.count(Result.REJECTED) else 0

    def show(self, result: Mapping[str, Any]) -> None:
        super().show({str(kind): result[str(kind)] for kind in Result})
        for one in result["results"]:
            if one["result"] == Result.REJECTED:
                self.stderr.write(f"{one['pointer']}: {one['message']}")


def _read(path: Path) -> list[Any]:
    try:
        raw = path.read_bytes()
        return items.of_csv(raw.decode("utf-8-sig")) if path.suffix.lower() == ".csv" else items.of_json(raw)
    except (OSError, UnicodeDecodeError, Unreadable) as error:
        fail(f"{path}: {error}", BAD_INPUT)
