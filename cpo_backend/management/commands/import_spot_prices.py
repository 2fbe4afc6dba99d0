"""`import_spot_prices`: the Tariffs of a day-ahead market from its price curve."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from cpo_backend.management.commands.import_locations import own_party
from cpo_backend.register.sites import UnreadableRegister, read_bytes
from ocpi.cli import BAD_INPUT, FAILED, NodeCommand, fail
from ocpi.pricing.faults import BadInput
from ocpi.pricing.lint.checking import lint, passes
from ocpi.pricing.spot import curves
from ocpi.pricing.spot.curves import Curve, Unit
from ocpi.pricing.spot.making import Document, Terms, build, rolled
from ocpi.store.objects import Arrival
from ocpi.store.tariffs import tariffs
from ocpi.store.writing import Outcome
from ocpi.types import times, validation
from ocpi.v221.tariffs import Tariff


class Command(NodeCommand):
    help = (
        "Import a day-ahead price curve of whole local days into own Tariffs, one for each offset from UTC that the "
        "zone has in them: a Connector names all of them. Importing the same curve again changes nothing, a corrected "
        "one replaces its days."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV or JSON with start (with offset), price and perhaps end")
        parser.add_argument("--party", required=True, help="the own CPO party that owns the Tariffs, CC*PID")
        parser.add_argument("--tariff-id", required=True, metavar="ID", help="-E0200 for the offset is added to it")
        parser.add_argument("--timezone", required=True, metavar="ZONE", help="of the charge points")
        parser.add_argument("--currency", default="EUR")
        parser.add_argument("--unit", choices=[unit.name.lower() for unit in Unit], default="mwh")
        parser.add_argument("--markup", type=_price, default=Decimal(0), help="per kWh, added to every price")
        parser.add_argument("--ceiling", type=_price, help="per kWh, where no curve says; default: the highest price")
        parser.add_argument("--vat", type=_price, help="percent")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        owner = own_party(options["party"])
        terms = Terms(
            country_code=owner.country_code,
            party_id=owner.party_id,
            id=options["tariff_id"],
            **{name: options[name] for name in ("currency", "vat", "markup", "ceiling")},
        )
        try:
            curve = _read(options["file"], Unit[options["unit"].upper()], options["timezone"])
            documents = build(curve, terms, times.now())
            found = {document["id"]: lint(document) for document in documents}
        except (BadInput, UnreadableRegister) as fault:
            fail(f"{options['file']}: {fault}", BAD_INPUT)
        for document in documents:
            if faults := validation.check(document, Tariff):
                fail(f"{document['id']}{faults[0].pointer}: {faults[0].message}", BAD_INPUT)
        result = {
            "tariffs": [document["id"] for document in documents],
            "slots": len(curve.slots),
            "findings": {id: [one.document() for one in findings] for id, findings in found.items()},
        }
        if not all(map(passes, found.values())):
            return {**Outcome()._asdict(), **result}, FAILED
        outcome = sum((_store(document, terms) for document in documents), Outcome())
        return {**outcome._asdict(), **result}, 0

    def show(self, result: Mapping[str, Any]) -> None:
        super().show({name: value for name, value in result.items() if name != "findings"})
        for id, findings in result["findings"].items():
            for found in findings:
                self.stdout.write(f"  {id}{found['pointer']}: {found['code']}: {found['message']}")


def _read(file: Path, unit: Unit, zone: str) -> Curve:
    content = read_bytes(file)
    if content.lstrip()[:1] in (b"[", b"{"):
        return curves.from_json(content, unit, zone)
    try:
        return curves.from_csv(content.decode("utf-8-sig"), unit, zone)
    except UnicodeDecodeError:
        raise BadInput("is neither JSON nor CSV in UTF-8") from None


def _store(fresh: Document, terms: Terms) -> Outcome:
    """Write the Tariff over what is stored, days that the curve says nothing of included."""
    return tariffs.put_many([Arrival(fresh)], None, lambda stored, new: rolled(stored, new, terms))


def _price(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise ValueError from None
    if not found.is_finite():
        raise ValueError
    return found
