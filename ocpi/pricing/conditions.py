"""Restrictions of a tariff element in words, such as "Mon-Fri 17:00-20:00, beyond 10 kWh"."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any

from ocpi.pricing.restrictions import WEEKDAYS
from ocpi.pricing.scalars import number

Members = Mapping[str, Any]


def condition(members: Members) -> str:
    """When an element applies; empty if always."""
    return ", ".join(_conditions(members))


def _conditions(members: Members) -> Iterator[str]:
    if clock := " ".join(part for part in (_days(members), _window(members)) if part):
        yield clock
    yield from _dates(members)
    least, most = _bounds(members, "kwh")
    if least and most:
        yield f"from {shown(least)} to {shown(most)} kWh"
    elif most:
        yield f"for the first {shown(most)} kWh"
    elif least:
        yield f"beyond {shown(least)} kWh"
    least, most = _bounds(members, "duration")
    if least and most:
        yield f"from {length(least)} to {length(most)} after the start"
    elif most:
        yield f"in the first {length(most)}"
    elif least:
        yield f"from {length(least)} after the start"
    for name, unit in (("power", "kW"), ("current", "A")):
        least, most = _bounds(members, name)
        if least and most:
            yield f"at {shown(least)} {unit} or more but below {shown(most)} {unit}"
        elif most:
            yield f"below {shown(most)} {unit}"
        elif least:
            yield f"at {shown(least)} {unit} or more"


def _bounds(members: Members, name: str) -> tuple[Decimal | None, Decimal | None]:
    """Minimum and maximum; a minimum of zero is none."""
    values = (members.get(f"{end}_{name}") for end in ("min", "max"))
    least, most = (None if value is None else Decimal(number(value)) for value in values)
    return least or None, most


def _days(members: Members) -> str:
    """Weekdays; three or more in a row as a range."""
    named = {str(day).upper() for day in members.get("day_of_week") or ()}
    places = [place for place, day in enumerate(WEEKDAYS) if day in named]
    if len(places) in (0, len(WEEKDAYS)):
        return ""
    words: list[str] = []
    for _, run in groupby(enumerate(places), key=lambda item: item[1] - item[0]):
        days = [WEEKDAYS[place][:3].title() for _, place in run]
        words += [f"{days[0]}-{days[-1]}"] if len(days) > 2 else days
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _window(members: Members) -> str:
    """From a time to the same one, or until 00:00, is the whole day."""
    start, end = members.get("start_time") or "", members.get("end_time") or ""
    if start == end or (not start and end == "00:00"):
        return ""
    return f"{start or '00:00'}-{end if end not in ('', '00:00') else '24:00'}"


def _dates(members: Members) -> Iterator[str]:
    if start := members.get("start_date"):
        yield f"from {start}"
    if end := members.get("end_date"):
        yield f"before {end}"


def length(seconds: Decimal) -> str:
    """A duration in the largest units that fit."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{shown(value)} {unit}" for value, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if value]
    return " ".join(parts) or "0 s"


def shown(value: Decimal) -> str:
    """A number with the digits it needs."""
    return f"{value.normalize():f}"
