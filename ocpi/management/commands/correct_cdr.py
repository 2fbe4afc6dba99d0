"""`correct_cdr`: take a CDR of our own back by a credit CDR, and replace it (§mod_cdrs_credit_cdrs)."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from ocpi.cli import BAD_INPUT, FAILED, NodeCommand
from ocpi.ids import PartyId
from ocpi.management.documents import Unusable, load
from ocpi.store import corrections
from ocpi.store.corrections import Uncorrectable


class Command(NodeCommand):
    help = "Credit a CDR of ours and replace it. Exit 0: both are stored, 1: it cannot be, 2: bad input."

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("cdr", metavar="CDR_ID")
        parser.add_argument("--party", required=True, metavar="CC*PID", help="our party that the CDR is of")
        way = parser.add_mutually_exclusive_group(required=True)
        way.add_argument("--with", dest="file", metavar="FILE", help="the corrected CDR as JSON; - is stdin")
        way.add_argument("--reprice", action="store_true", help="what our engine makes of its own periods and tariffs")
        parser.add_argument("--by", default="", metavar="NAME", help="who decided so, to be kept with it")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        try:
            owner = PartyId.parse(options["party"])
            replacement = load(options["file"]) if options["file"] else None
        except Unusable as fault:
            self.stderr.write(str(fault))
            return {"error": fault.details}, BAD_INPUT
        except ValueError as error:
            return self._refused(str(error), BAD_INPUT)
        try:
            row = corrections.original(owner, options["cdr"])
            new = corrections.repriced(row) if replacement is None else replacement
            made = corrections.correct(owner, options["cdr"], new, options["by"])
        except Uncorrectable as refusal:
            return self._refused(str(refusal), FAILED)
        return {
            "original": options["cdr"],
            "credit": made.credit["id"],
            "replacement": made.replacement["id"],
            "currency": made.replacement["currency"],
            "credited": made.credit["total_cost"],
            "total_cost": made.replacement["total_cost"],
        }, 0

    def _refused(self, message: str, code: int) -> tuple[Mapping[str, Any], int]:
        self.stderr.write(message)
        return {"error": {"message": message}}, code

    def show(self, result: Mapping[str, Any]) -> None:
        if "error" in result:
            return
        total = result["total_cost"]["excl_vat"]
        self.stdout.write(
            f"{result['original']} is credited by {result['credit']} and replaced by {result['replacement']}: "
            f"{total} {result['currency']} without VAT"
        )
