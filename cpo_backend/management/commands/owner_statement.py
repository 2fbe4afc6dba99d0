"""`owner_statement`: draw up the month of an owner of charge points, or close it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from cpo_backend.models import ChargePointOwner, OwnerStatement
from cpo_backend.owning import building, closing, files
from cpo_backend.owning.choosing import NotOpen
from ocpi.accounts.months import Month
from ocpi.cli import BAD_INPUT, FAILED, PARTLY, NodeCommand


class Command(NodeCommand):
    help = "State a month of an owner. Exit 0: done, 1: not open, 2: bad input, 3: some CDRs cannot be read."

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("owner", metavar="OWNER", help="name, in any case")
        parser.add_argument("month", metavar="YYYY-MM")
        parser.add_argument("--close", action="store_true", help="close it for good; else it is a draft")
        parser.add_argument("--out", type=Path, metavar="DIR", help="write CSV, XLSX, JSON lines and HTML there")
        parser.add_argument("--by", default="", metavar="NAME", help="who closes it")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        try:
            month = Month.parse(options["month"])
            owner = _owner(options["owner"])
            if options["out"] is not None:
                options["out"].mkdir(parents=True, exist_ok=True)
        except (ValueError, OSError) as error:
            return self._refused(error, BAD_INPUT)
        try:
            found = _stated(owner, month, options)
        except NotOpen as refusal:
            return self._refused(refusal, FAILED)
        if found is None:
            return {"owner": {"name": owner.name}, "month": str(month), "state": "nothing"}, 0
        written = _written(found, options["out"])
        return {**files.statement(found), "files": written}, PARTLY if found.fault_count else 0

    def show(self, result: Mapping[str, Any]) -> None:
        for name in ("month", "state", "cdrs", "late", "not_counted", "sessions", "kwh"):
            if name in result:
                self.stdout.write(f"{name.replace('_', ' ')}: {result[name]}")
        for line in result.get("shares", ()):
            share = line["share"].replace("_", " ")
            self.stdout.write(f"{share}: {line['rate']} x {line['quantity']} {line['unit']} = {_amount(line)}")
        for total in result.get("share_totals", ()):
            self.stdout.write(f"share: {_amount(total)}, VAT {total['vat']}, {total['incl_vat']} with it")
        for path in result.get("files", {}).values():
            self.stdout.write(path)

    def _refused(self, error: Exception, code: int) -> tuple[Mapping[str, Any], int]:
        self.stderr.write(str(error))
        return {"error": {"message": str(error)}}, code


def _owner(name: str) -> ChargePointOwner:
    """Raises ValueError when there is none of that name, or several that differ by case alone."""
    found = ChargePointOwner.objects.filter(name=name).first()
    others = [found] if found else list(ChargePointOwner.objects.filter(name__iexact=name))
    if len(others) != 1:
        raise ValueError(f"{'several owners are' if others else 'no owner is'} called {name!r}")
    return others[0]


def _stated(owner: ChargePointOwner, month: Month, options: Mapping[str, Any]) -> OwnerStatement | None:
    now = timezone.now()
    if options["close"]:
        return closing.close(owner, month, now, options["by"])
    return building.draft(owner, month, now)


def _written(found: OwnerStatement, directory: Path | None) -> dict[str, str]:
    written = {}
    for ending, write in files.FORMATS.items() if directory else ():
        path = Path(directory or "") / files.name(found, ending)
        with path.open("wb") as file:
            write(found, file)
        written[ending] = str(path)
    return written


def _amount(line: Mapping[str, Any]) -> str:
    return f"{line['excl_vat']} {line['currency']}"
