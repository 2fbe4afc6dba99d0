"""A day-ahead price curve: prices of consecutive slots, read from CSV or JSON and checked to have no hole.

Every fault is a `BadInput` whose message names the row. Nothing is filled in or guessed: a time without an offset, a
gap, an overlap or half a day is refused.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from typing import Any, NamedTuple

from ocpi.pricing.faults import BadInput
from ocpi.pricing.scalars import DAY, SECOND, instant, number, written
from ocpi.pricing.zones import Clock, clock_of, place_named
from ocpi.types import codec

QUARTER = 15 * 60 * SECOND
_LENGTHS = (QUARTER, 2 * QUARTER, 4 * QUARTER)
_MOST_ROWS = 20_000
_NAMES = {
    "start": ("start", "start_date_time", "start_time", "timestamp", "time"),
    "end": ("end", "end_date_time", "end_time"),
    "price": ("price", "value"),
}


class Unit(Enum):
    """What a price is for; the value is the power of ten of a kWh."""

    MWH = 3
    KWH = 0


class Slot(NamedTuple):
    """A price per kWh from one instant to another, and the row that has it."""

    row: int
    start: int
    end: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Curve:
    """Consecutive slots that cover whole days of the zone."""

    zone: str
    slots: Sequence[Slot]

    def quarters(self) -> Iterator[tuple[int, Decimal]]:
        """The price of every quarter of an hour, by its start."""
        for slot in self.slots:
            for start in range(slot.start, slot.end, QUARTER):
                yield start, slot.price


def from_csv(text: str, unit: Unit, zone: str) -> Curve:
    """Rows of start, price and perhaps end, under a header; row 1 is the header. Comma, semicolon or tab."""
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    try:
        header = [name.strip().lower().removeprefix("\ufeff") for name in next(rows, [])]
        found = [(at, dict(zip(header, row, strict=False))) for at, row in enumerate(rows, 2) if any(row)]
    except csv.Error as error:
        raise BadInput(f"is no CSV: {error}") from None
    return _curve(found, unit, zone)


def from_json(content: bytes, unit: Unit, zone: str) -> Curve:
    """A list of objects with start, price and perhaps end, alone or as `prices` or `data` of an object."""
    try:
        document = codec.decode(content)
    except codec.MalformedJson as error:
        raise BadInput(f"is not JSON: {error}") from None
    if isinstance(document, dict):
        document = document.get("prices", document.get("data"))
    if not isinstance(document, list):
        raise BadInput("holds no list of prices")
    return _curve([*enumerate(document, 1)], unit, zone)


def _curve(rows: Sequence[tuple[int, Any]], unit: Unit, zone: str) -> Curve:
    place_named(zone)
    if not 0 < len(rows) <= _MOST_ROWS:
        raise BadInput("has no prices" if not rows else f"has more than {_MOST_ROWS:,} rows")
    read = sorted((_row(at, row, unit) for at, row in rows), key=lambda slot: slot.start)
    slots = list(_closed(read))
    _check_lengths(slots)
    _check_days(slots, clock_of(zone, slots[0].start, slots[-1].end))
    return Curve(zone, slots)


def _row(at: int, row: Any, unit: Unit) -> Slot:
    """A row as it is; the end is 0 when it has none."""
    if not isinstance(row, Mapping):
        raise BadInput(f"row {at}: is not an object", at)
    start, end, price = (_member(row, names) for names in _NAMES.values())
    for name, value in (("start", start), ("price", price)):
        if value is None:
            raise BadInput(f"row {at}: has no {name}", at)
    try:
        found = number(price).scaleb(-unit.value)
        return Slot(at, _instant(start), 0 if end is None else _instant(end), found)
    except BadInput as fault:
        raise BadInput(f"row {at}: {fault.message}", at) from None


def _member(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    """The first of these members that says something, text without blanks around it."""
    found = (value.strip() if isinstance(value := row.get(name), str) else value for name in names)
    return next((value for value in found if value is not None and value != ""), None)


def _instant(value: Any) -> int:
    text = value if isinstance(value, str) else ""
    if not text.endswith("Z") and not {"+", "-"} & set(text[10:]):
        raise BadInput(f"{value!r} has no offset from UTC; on the day of an autumn change it could be two times")
    return instant(text.replace(" ", "T", 1))


def _closed(slots: Sequence[Slot]) -> Iterator[Slot]:
    """The slots with their ends: as given, or where the next one starts at the usual distance."""
    distances = Counter(later.start - slot.start for slot, later in pairwise(slots))
    usual = distances.most_common(1)[0][0] if distances else 4 * QUARTER
    for slot, later in pairwise([*slots, None]):
        assert slot is not None, "only the last one has none after it"
        end = slot.end or slot.start + usual
        if later is not None and later.start != end:
            what = "overlaps with" if later.start < end else "leaves a gap to"
            raise BadInput(
                f"row {slot.row}: until {written(end)} {what} row {later.row}: {written(later.start)}", slot.row
            )
        yield slot._replace(end=end)


def _check_lengths(slots: Sequence[Slot]) -> None:
    for slot in slots:
        if slot.start % QUARTER or slot.end - slot.start not in _LENGTHS:
            raise BadInput(f"row {slot.row}: is no quarter, half or full hour: {written(slot.start)}", slot.row)


def _check_days(slots: Sequence[Slot], clock: Clock) -> None:
    """A curve that begins or ends within a day was made for another zone, or has lost rows."""
    for word, slot, at in (("begins", slots[0], slots[0].start), ("ends", slots[-1], slots[-1].end)):
        if clock.local(at) % DAY:
            shown = clock.shown(at).isoformat(timespec="minutes")
            raise BadInput(f"row {slot.row}: the curve {word} within a day of {clock.zone.key}: {shown}", slot.row)
