"""A priced document for a person at a terminal: what was used, what it costs, and whether that is what was claimed."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

Json = Mapping[str, Any]

_COSTS = {
    "total_energy_cost": "Energy",
    "total_time_cost": "Charging time",
    "total_parking_cost": "Parking",
    "total_fixed_cost": "Fees",
    "total_reservation_cost": "Reservation",
}
_PARTS = ("excl_vat", "incl_vat")


def render(result: Json, *, explain: bool = False) -> RenderableType:
    """The result of `breakdown.document`; with `explain`, also why each price applied."""
    parts: list[RenderableType] = [_segments(result), Text(), _totals(result), Text(), _used(result)]
    if explain:
        parts += [Text(), *_reasons(result)]
    for title, lines in (("Notes", _notes(result)), ("Other readings", _alternatives(result))):
        if found := list(lines):
            parts += [Text(), Text(title, "bold"), *found]
    return Group(*parts, Text(), *_verdict(result))


def _segments(result: Json) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("Local time", "", "Used", "Billed", "Price", "VAT", "Net"):
        table.add_column(name, justify="left" if name in ("Local time", "") else "right", no_wrap=True)
    for period in result["periods"]:
        clock = f"{_clock(period['local_start'])} - {_clock(period['local_end'])[11:]}"
        for segment in period["segments"]:
            unit = segment["unit"]
            table.add_row(
                clock,
                _dimension(segment),
                _quantity(segment["quantity"], unit),
                _quantity(segment["billed"], unit),
                f"{segment['price']}{_per(unit)}",
                "" if segment["vat"] is None else f"{segment['vat']}%",
                f"{round(segment['excl_vat'], 4)}",
            )
            clock = ""
        for free in period["unpriced"]:
            used = _quantity(free["quantity"], free["unit"])
            table.add_row(clock, free["dimension"].lower().replace("_", " "), used, "free", "", "", "")
            clock = ""
    return table


def _totals(result: Json) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in (result["currency"] or "", "without VAT", "with VAT"):
        table.add_column(name, justify="right" if "VAT" in name else "left")
    for field, name in _COSTS.items():
        if any(result[field].values()):
            table.add_row(name, *_both(result[field]))
    for limit in result["limits"]:
        table.add_row(limit["limit"].replace("_", " "), *_both(limit["bound"]), style="dim")
    table.add_row("Total", *_both(result["total_cost"]), style="bold")
    return table


def _used(result: Json) -> Text:
    energy, time, parking = (result[name] for name in ("total_energy", "total_time", "total_parking_time"))
    return Text(f"{energy} kWh in {time} h, of which {parking} h parking; clock of {result['time_zone']}")


def _reasons(result: Json) -> Iterator[Text]:
    for period in result["periods"]:
        yield Text(f"{period['start']}  ({period['local_start']} local)", "bold")
        yield Text(
            f"  {period['kwh_before']} kWh and {period['elapsed_before']} s before, tariff {period['tariff_id']}"
        )
        for segment in period["segments"]:
            yield Text(f"  {_dimension(segment)}: {segment['at']} applies{_because(segment['because'])}")
            if segment["surplus"]:
                surplus = _quantity(segment["surplus"], segment["unit"])
                yield Text(f"    step_size {segment['step_size']} adds {surplus}")
            yield from _passed_over(segment)
        for free in period["unpriced"]:
            yield Text(f"  {free['dimension'].lower()}: nothing applies")
            yield from _passed_over(free)


def _passed_over(line: Json) -> Iterator[Text]:
    for other in line["passed_over"]:
        failed = [outcome for outcome in other["because"] if not outcome["holds"]]
        yield Text(f"    not {other['at']}{_because(failed)}", "dim")


def _because(outcomes: list[Json]) -> str:
    seen = [f"{outcome['restriction']} {outcome['bound']}: {outcome['seen']}" for outcome in outcomes]
    return f" ({'; '.join(seen)})" if seen else ""


def _notes(result: Json) -> Iterator[Text]:
    for note in result["notes"]:
        about = note.get("dimension") or note["at"]
        yield Text(f"  {note['message']} {f'({about})' if about else ''}".rstrip())


def _alternatives(result: Json) -> Iterator[Text]:
    for other in result["alternatives"]:
        yield Text(f"  {' / '.join(_both(other['total']))}  {other['explanation']}")


def _verdict(result: Json) -> Iterator[Text]:
    if result["agrees"]:
        yield Text("The document agrees.", "bold green")
        return
    yield Text("The document differs.", "bold red")
    for difference in result["differences"]:
        claim = f"  {difference['field']}: claims {difference['claimed']}, should be {difference['computed']}"
        yield Text(f"{claim}. {difference['explanation'] or ''}".rstrip())


def _both(price: Json) -> list[str]:
    return ["" if (amount := price.get(part)) is None else str(amount) for part in _PARTS]


def _dimension(segment: Json) -> str:
    name = segment["dimension"].lower().replace("_", " ")
    return f"reservation {name}" if segment["context"] == "reservation" else str(name)


def _quantity(amount: Decimal, unit: str) -> str:
    if unit != "s":
        return f"{amount} {unit}".rstrip() if unit else "1"
    minutes, seconds = divmod(amount, 60)
    return f"{minutes}:{int(seconds):02} min" if seconds == int(seconds) else f"{amount} s"


def _per(unit: str) -> str:
    return {"kWh": "/kWh", "s": "/h"}.get(unit, "")


def _clock(text: str) -> str:
    return text[:19].replace("T", " ")
