"""Prices that come in lines of a form: by time of day, and by month. Raises `BadLine` with its number."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from ocpi.pricing.building.plans import Month, Window
from ocpi.pricing.restrictions import WEEKDAYS

_Line = TypeVar("_Line", Window, Month)

_DAYS = {day[:3].title(): place for place, day in enumerate(WEEKDAYS)}
_WINDOW = re.compile(r"([0-2]?\d):([0-5]\d)\s*-\s*([0-2]?\d):([0-5]\d)\s+(\S+)(?:\s+(.+))?", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d\d)\s+(\S+)", re.ASCII)


class BadLine(ValueError):
    """A line that cannot be read, in words for who wrote it."""


def windows(text: str) -> tuple[Window, ...]:
    """Lines such as `17:00-20:00 0.59 Mon-Fri`; no days: every day."""
    return _each(text, _window)


def months(text: str) -> tuple[Month, ...]:
    """Lines such as `2026-03 0.49`."""
    return _each(text, _month)


def _each(text: str, read: Callable[[str], _Line]) -> tuple[_Line, ...]:
    found = []
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), 1):
        try:
            found.append(read(line))
        except (ValueError, InvalidOperation) as error:
            why = str(error) if isinstance(error, BadLine) else "cannot be read"
            raise BadLine(f"Line {number}: {line!r} {why}") from None
    return tuple(found)


def _window(line: str) -> Window:
    match = _WINDOW.fullmatch(line)
    if match is None:
        raise BadLine("is not like 17:00-20:00 0.59 Mon-Fri")
    start, end = (int(match[at]) * 60 + int(match[at + 1]) for at in (1, 3))
    return Window(per_kwh=Decimal(match[5]), start=start, end=end, days=_days(match[6] or ""))


def _month(line: str) -> Month:
    match = _MONTH.fullmatch(line)
    if match is None:
        raise BadLine("is not like 2026-03 0.49")
    return Month(first=date(int(match[1]), int(match[2]), 1), per_kwh=Decimal(match[3]))


def _days(text: str) -> frozenset[int]:
    """Days such as `Mon-Fri` or `Sat, Sun`; a range may go over the end of the week."""
    found: set[int] = set()
    for part in filter(None, re.split(r"[,\s]+", text)):
        first, _, last = part.title().partition("-")
        if first not in _DAYS or (last and last not in _DAYS):
            raise BadLine(f"has days that are none: {part}")
        start, end = _DAYS[first], _DAYS[last or first]
        found |= {place % len(WEEKDAYS) for place in range(start, end + 1 if start <= end else end + 1 + len(WEEKDAYS))}
    return frozenset(found)
