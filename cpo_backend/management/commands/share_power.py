"""`share_power`: how a site shares its power, set or shown."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandParser
from rich.console import Console
from rich.table import Table

from cpo_backend.models import PowerSite
from cpo_backend.power import sites
from ocpi.cli import BAD_INPUT, NodeCommand, fail

_KILO = Decimal(1000)
_AMPERES = ("minimum", "reserve")


class Command(NodeCommand):
    help = (
        "Share the power of a site among the Sessions that go on there, or show how it is shared. "
        "Exit 0: done, 2: bad input, such as reserves above the limit."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("party", metavar="CC*PID")
        parser.add_argument("location", metavar="LOCATION")
        parser.add_argument("--limit-kw", metavar="N", help="that all its EVSEs may draw together")
        parser.add_argument("--way", choices=PowerSite.Way.values, help="fair (default) or by priority")
        parser.add_argument("--minimum", metavar="A", help="per phase, below which no car charges (default 6)")
        parser.add_argument("--reserve", metavar="A", help="per phase kept for each EVSE (default: the minimum)")
        parser.add_argument("--off", action="store_true", help="share no more")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        site = sites.find(options["party"], options["location"])
        if options["off"]:
            if site is None:
                fail("this site does not share its power", BAD_INPUT)
            sites.release(site)
            return {"shares": False}, 0
        if changes := _changes(options):
            site = _changed(site or PowerSite(party=options["party"].upper(), location_id=options["location"]), changes)
        if site is None:
            fail("this site does not share its power: begin with --limit-kw", BAD_INPUT)
        return sites.told(site), 0

    def show(self, result: Mapping[str, Any]) -> None:
        evses = result.get("evses", ())
        super().show({name: value for name, value in result.items() if name != "evses"})
        if evses:
            table = Table(*evses[0])
            for row in evses:
                table.add_row(*("-" if value is None else str(value) for value in row.values()))
            Console(file=self.stdout).print(table)  # type: ignore[arg-type]  # what a command writes to will do


def _changes(options: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: _number(f"--{name}", options[name]) for name in _AMPERES if options[name] is not None}
    if options["limit_kw"] is not None:
        found["limit"] = _number("--limit-kw", options["limit_kw"]) * _KILO
    return found | ({"way": options["way"]} if options["way"] else {})


def _number(name: str, text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or not 0 <= found <= 1_000_000:
        fail(f"{name}: {text} is no number that could be meant", BAD_INPUT)
    return found


def _changed(site: PowerSite, changes: Mapping[str, Any]) -> PowerSite:
    for name, value in changes.items():
        setattr(site, name, value)
    if site.limit is None:
        fail("this site does not share its power: begin with --limit-kw", BAD_INPUT)
    try:
        sites.save(site)
    except (sites.Unshareable, ValueError) as error:
        fail(str(error), BAD_INPUT)
    return site
