"""`settle`: draw up the month between CPOs and eMSPs, or close it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from ocpi.accounts.months import Month
from ocpi.cli import BAD_INPUT, FAILED, PARTLY, NodeCommand, progress
from ocpi.ids import PartyId
from ocpi.types import codec
from roaming.disputing import desk as disputes
from roaming.settlement_models import Settlement
from roaming.settling import building, choosing, closing, files
from roaming.settling.choosing import NotOpen


class Command(NodeCommand):
    help = "Settle a month. Exit 0: done, 1: nothing could be closed, 2: bad input, 3: some could not be closed."

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", metavar="YYYY-MM")
        parser.add_argument("--party", metavar="CC*PID", help="only what this CPO or eMSP is part of")
        parser.add_argument("--close", action="store_true", help="close it for good; else it is a draft")
        parser.add_argument("--out", type=Path, metavar="DIR", help="write CSV, XLSX and JSON lines of each there")
        parser.add_argument("--by", default="", metavar="NAME", help="who closes it")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        try:
            month = Month.parse(options["month"])
            party = PartyId.parse(options["party"]) if options["party"] else None
            if options["out"] is not None:
                options["out"].mkdir(parents=True, exist_ok=True)
        except (ValueError, OSError) as error:
            self.stderr.write(str(error))
            return {"error": {"message": str(error)}}, BAD_INPUT
        disputes.resolve_credited()
        settled, refused = self._settled(month, party, options)
        result = {
            "month": str(month),
            "settlements": [_entry(row, options["out"]) for row in settled],
            "refused": refused,
        }
        return result, (PARTLY if settled else FAILED) if refused else 0

    def _settled(
        self, month: Month, party: PartyId | None, options: Mapping[str, Any]
    ) -> tuple[list[Settlement], list[dict[str, str]]]:
        settled: list[Settlement] = []
        refused: list[dict[str, str]] = []
        pairs = [pair for pair in choosing.pairs(month) if party is None or party in pair]
        with progress("settling") as advance:
            for done, (cpo, emsp) in enumerate(pairs, 1):
                try:
                    row = _settle(cpo, emsp, month, options)
                except NotOpen as error:
                    refused.append({"cpo": cpo, "emsp": emsp, "why": str(error)})
                else:
                    settled += [row] if row else []
                advance(done, len(pairs))
        return settled, refused

    def show(self, result: Mapping[str, Any]) -> None:
        if "error" in result:
            return
        table = Table("CPO", "eMSP", "state", "CDRs", "late", "held back", "total without VAT")
        for row in result["settlements"]:
            totals = ", ".join(f"{total['excl_vat']} {total['currency']}" for total in row["totals"])
            counts = (str(row[name]) for name in ("cdrs", "late", "held_back"))
            table.add_row(row["cpo"], row["emsp"], row["state"], *counts, totals)
        Console(file=self.stdout).print(table)  # type: ignore[arg-type]  # what a command writes to will do
        for refusal in result["refused"]:
            self.stderr.write(refusal["why"])


def _settle(cpo: str, emsp: str, month: Month, options: Mapping[str, Any]) -> Settlement | None:
    now = timezone.now()
    if options["close"]:
        return closing.close(cpo, emsp, month, now, options["by"])
    return building.draft(cpo, emsp, month, now)


def _entry(row: Settlement, directory: Path | None) -> dict[str, Any]:
    """The statement, with what became of it and where its files are."""
    written = {}
    for ending, made in files.FORMATS.items() if directory else ():
        path = Path(directory or "") / files.name(row, ending)
        with path.open("wb") as file:
            made.write(row, file)
        written[ending] = str(path)
    statement: dict[str, Any] = codec.decode(row.statement.encode())
    return {**statement, "state": row.state.lower(), "closed_at": row.closed_at, "files": written}
