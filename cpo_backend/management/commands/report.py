"""`report`: energy, sessions, revenue, averages or utilisation of our own charge points."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from cpo_backend.reporting import following
from cpo_backend.reporting.adding import report
from cpo_backend.reporting.asking import By, Kind, Question
from ocpi.cli import BAD_INPUT, PARTLY, NodeCommand


class Command(NodeCommand):
    help = "Report on our own CDRs. Exit 0: done, 2: bad input, 3: some CDRs have no figures and are listed."

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=[kind.value for kind in Kind])
        parser.add_argument("--from", dest="first", required=True, metavar="DAY", help="first day, YYYY-MM-DD")
        parser.add_argument("--to", dest="last", required=True, metavar="DAY", help="last day, included")
        parser.add_argument("--by", choices=[by.value for by in By], default=By.MONTH.value)
        parser.add_argument("--site", default="", metavar="ID", help="only this Location: ID or CC*PID/ID")
        parser.add_argument("--partner", default="", metavar="CC*PID", help="only drivers of this eMSP")
        parser.add_argument("--recount", action="store_true", help="read every CDR anew: a site has got another clock")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        try:
            first, last = (date.fromisoformat(options[name]) for name in ("first", "last"))
            question = Question.asked(first, last, By(options["by"]), site=options["site"], partner=options["partner"])
        except ValueError as error:
            self.stderr.write(str(error))
            return {"error": {"message": str(error)}}, BAD_INPUT
        if options["recount"]:
            following.start_over()
        following.follow()
        found = report(Kind(options["kind"]), question, timezone.now())
        return found.document(), PARTLY if found.faults else 0

    def show(self, result: Mapping[str, Any]) -> None:
        if "error" in result:
            return
        lines = [*result["rows"], *result["sums"]]
        table = Table(*(name.replace("_", " ") for name in lines[0])) if lines else Table("nothing")
        for number, line in enumerate(lines, 1):
            cells = ("-" if value is None else str(value) for value in line.values())
            table.add_row(*cells, end_section=number == len(result["rows"]))
        Console(file=self.stdout).print(table)  # type: ignore[arg-type]  # what a command writes to will do
        if result["not_counted"]["cdrs"]:
            self.stderr.write(f"not counted: {result['not_counted']['cdrs']} CDRs")
            for fault in result["not_counted"]["listed"]:
                self.stderr.write(f"{fault['cdr']}: {fault['why']}")
