"""`price_cdr`: what a CDR or Session costs by its tariff, why, and whether it says so. Needs no database."""

from argparse import ArgumentTypeError
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from ocpi.cli import BAD_INPUT, FAILED, NodeCommand
from ocpi.management.documents import Unusable, console, load
from ocpi.pricing.audit import audit
from ocpi.pricing.breakdown import document
from ocpi.pricing.case import Case, open_case, tariffs_of
from ocpi.pricing.faults import BadInput
from ocpi.pricing.readings import RECOMMENDED, Readings, Reservation
from ocpi.pricing.scalars import instant
from ocpi.pricing.table import render


class Command(NodeCommand):
    help = (
        "Price a CDR or Session by its tariff, and compare. Exit 0: it agrees, 1: it differs, 2: it cannot be priced."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("document", help="a CDR or Session as JSON, also in an OCPI envelope; - is stdin")
        parser.add_argument(
            "--tariff", metavar="FILE", help="a Tariff, a list or an envelope; instead of the CDR's own"
        )
        parser.add_argument("--timezone", metavar="ZONE", help="the Location's time zone, such as Europe/Amsterdam")
        parser.add_argument("--end", type=_instant, metavar="TIME", help="when a running Session is taken to end")
        parser.add_argument(
            "--reservation", choices=[str(fate) for fate in Reservation], help="what became of the reservation"
        )
        parser.add_argument("--explain", action="store_true", help="print why each price applied")
        parser.add_argument("--strict", action="store_true", help="notes count as differences: exit 1")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        self._explain = options["explain"]
        try:
            case = _case(options)
            verdict = audit(case)
            result = document(case, verdict)
        except Unusable as fault:
            self.stderr.write(str(fault))
            return {"error": fault.details}, BAD_INPUT
        except BadInput as fault:
            unusable = Unusable(options["document"], fault)
            self.stderr.write(str(unusable))
            return {"error": unusable.details}, BAD_INPUT
        differs = not verdict.agrees or (options["strict"] and bool(result["notes"]))
        return result, FAILED if differs else 0

    def show(self, result: Mapping[str, Any]) -> None:
        if "error" not in result:
            console(self.stdout).print(render(result, explain=self._explain))


def _case(options: Mapping[str, Any]) -> Case:
    tariffs = None
    if (source := options["tariff"]) is not None:
        tariffs = load(source)
    fate = options["reservation"]
    readings = Readings(reservation=Reservation(fate)) if fate else RECOMMENDED
    zone = options["timezone"]
    found = load(options["document"])
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if tariffs is not None:
        try:
            tariffs_of(tariffs)
        except BadInput as fault:
            raise Unusable(str(source), fault) from None
    return open_case(found, tariffs, zone=zone, end=options["end"], readings=readings)


def _instant(text: str) -> int:
    try:
        return instant(text)
    except BadInput as fault:
        raise ArgumentTypeError(fault.message) from None
