"""`tariff_lab`: what a draft of a Tariff would change, by a month of CDRs. The draft goes nowhere."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser
from rich.table import Table

from ocpi.cli import BAD_INPUT, NodeCommand, fail, progress
from ocpi.ids import PartyId
from ocpi.management.documents import Unusable, console, load
from ocpi.pricing.faults import BadInput
from roaming.lab import drafts
from roaming.lab.replaying import replay

_TALLY = ("cdrs", "before", "after", "change", "more", "less", "same")
_SHOWN = 20


class Command(NodeCommand):
    help = (
        "Replay a month of CDRs against a draft of a Tariff. Exit 0: here is the report, 2: the draft cannot be used."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("draft", help="the Tariff as JSON; - is stdin")
        parser.add_argument("--party", required=True, metavar="CC*PID", help="the CPO whose CDRs are replayed")
        parser.add_argument("--month", required=True, metavar="YYYY-MM", help="sessions that began in it, UTC")
        parser.add_argument("--replacing", default="", metavar="ID", help="only CDRs that were priced by this Tariff")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        source = options["draft"]
        try:
            owner = PartyId.parse(options["party"])
            drafts.month_of(options["month"])
        except ValueError as error:
            fail(str(error), BAD_INPUT)
        try:
            draft = drafts.read(load(source))
        except (Unusable, BadInput) as fault:
            fail(str(fault if isinstance(fault, Unusable) else Unusable(source, fault)), BAD_INPUT)
        with progress("Replaying CDRs", shown=not options["json"]) as advance:
            report = replay(owner, options["month"], draft, options["replacing"], advance)
        return report.document() | {"findings": [found.document() for found in draft.findings]}, 0

    def show(self, result: Mapping[str, Any]) -> None:
        out = console(self.stdout)
        for name in ("partner", "hour"):
            table = Table(f"by {name}, {result['currency']} without VAT", *_TALLY)
            rows = [row for row in result[f"{name}s"] if row["cdrs"]]
            for row in rows[:_SHOWN] if name == "partner" else rows:
                table.add_row(str(row[name]), *(str(row[column]) for column in _TALLY))
            table.add_section()
            table.add_row("all", *(str(result["total"][column]) for column in _TALLY))
            out.print(table)
        self.stdout.write(f"estimates, for periods were cut where prices used to change: {result['estimates']}")
        for row in result["distribution"]:
            if row["cdrs"]:
                self.stdout.write(f"  {_change(row)}: {row['cdrs']}")
        for reason, count in result["unpriceable"]["reasons"].items():
            self.stdout.write(f"not priced, {reason}: {count}")
        for found in result["findings"]:
            self.stdout.write(f"draft{found['pointer']}: {found['code']}: {found['message']}")


def _change(row: Mapping[str, Any]) -> str:
    if row["change"] == "same":
        return "the same"
    bound = f"up to {row['up_to']}" if row["up_to"] is not None else f"above {row['above']}"
    return f"{row['change']}, {bound}"
