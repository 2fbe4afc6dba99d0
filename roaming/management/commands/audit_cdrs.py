"""`audit_cdrs`: judge the CDRs that others have sent, and report those that something is wrong with."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Q
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ocpi.cli import FAILED, NodeCommand
from ocpi.types import codec
from roaming.audit_models import CdrAudit
from roaming.auditing import gates, running
from roaming.disputing import desk as disputes

_SHOWN = 50


class Command(NodeCommand):
    help = "Audit the CDRs that came in. Exit 0: all are fine, 1: some are disputed or on hold."

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--again", action="store_true", help="judge every CDR once more, not only new ones")
        parser.add_argument("--owner", metavar="CC*PID", help="report on the CDRs of this CPO only")
        parser.add_argument("--orphans", action="store_true", help="report on CDRs that refer to what we do not know")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        if options["again"]:
            running.start_over()
        started = time.monotonic()
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("auditing", total=None)
            audited = running.run(lambda done: progress.update(task, completed=done))
        seconds = time.monotonic() - started
        disputes.resolve_credited()
        rows = CdrAudit.objects.all()
        if options["owner"]:
            rows = rows.filter(owner=options["owner"].upper())
        verdicts = Counter(dict.fromkeys(CdrAudit.Verdict.values, 0)) | Counter(rows.values_list("verdict", flat=True))
        wrong = rows.filter(verdict__in=(CdrAudit.Verdict.DISPUTE, CdrAudit.Verdict.HOLD), released_at=None)
        reported = rows.filter(_names(gates.ORPHANS)) if options["orphans"] else wrong
        result = {
            "audited": audited,
            "seconds": round(seconds, 3),
            "verdicts": {verdict.lower(): verdicts[verdict] for verdict in CdrAudit.Verdict.values},
            "cdrs": [_entry(row) for row in reported.select_related("cdr").order_by("pk").iterator()],
        }
        return result, FAILED if wrong.exists() else 0

    def show(self, result: Mapping[str, Any]) -> None:
        counts = ", ".join(f"{count} {verdict}" for verdict, count in result["verdicts"].items())
        self.stdout.write(f"{result['audited']} audited now; in all {counts}")
        table = Table("CDR", "of", "verdict", "claims", "should be", "because")
        for row in result["cdrs"][:_SHOWN]:
            because = "; ".join(finding["message"] for finding in row["findings"])
            table.add_row(row["id"], row["owner"], row["verdict"], str(row["claimed"]), str(row["computed"]), because)
        if result["cdrs"]:
            Console(file=self.stdout).print(table)  # type: ignore[arg-type]  # what a command writes to will do
        if len(result["cdrs"]) > _SHOWN:
            self.stdout.write(f"and {len(result['cdrs']) - _SHOWN} more: --json has all")


def _names(codes: tuple[str, ...]) -> Q:
    found = Q()
    for code in codes:
        found |= Q(codes__contains=code)
    return found


def _entry(row: CdrAudit) -> dict[str, Any]:
    return {
        "owner": row.owner,
        "id": codec.decode(row.cdr.document.encode())["id"],
        "verdict": row.verdict.lower(),
        "currency": row.currency,
        "claimed": row.claimed,
        "computed": row.computed,
        "findings": codec.decode(row.findings.encode()),
    }
