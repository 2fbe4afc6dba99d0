"""When a tariff element applies: each restriction compiled once to a check (§mod_tariffs_tariffrestrictions_class).

A check is asked whether it holds, of all moments of a session at once, and of one what it saw there. Absent, null and
empty restrictions are none at all; all that are left have to hold. `reservation` is no check: it decides in which
context an element serves.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from ocpi.pricing.exact import HOUR, ZERO, ratio
from ocpi.pricing.faults import BadInput
from ocpi.pricing.once import once
from ocpi.pricing.readings import Readings
from ocpi.pricing.scalars import DAY, SECOND, number

WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")

FIRST_DAY = date(1970, 1, 1).toordinal()

_THURSDAY = 3  # the first of January 1970
_TIME = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?", re.ASCII)


class Moment(NamedTuple):
    """The state of a session at one instant, as restrictions ask for it.

    Local time and elapsed time are microseconds; energy and length, in seconds, are those of the whole period. No
    length: nothing is known of its power.
    """

    local: int
    kwh: Decimal
    elapsed: int
    gauges: Mapping[str, Decimal] | None
    energy: Decimal | None
    length: Decimal
    readings: Readings

    @property
    def time_of_day(self) -> int:
        return self.local % DAY

    @property
    def weekday(self) -> int:
        return (self.local // DAY + _THURSDAY) % 7

    @property
    def day(self) -> int:
        return self.local // DAY + FIRST_DAY

    def gauge(self, unit: str, first: str, second: str) -> Decimal | None:
        """A measured current or power by preference; power can be inferred, current cannot."""
        if self.gauges:
            for name in (f"{first}_{unit}", f"{second}_{unit}", unit):
                if name in self.gauges:
                    return self.gauges[name]
        return self._average_power() if unit == "POWER" else None

    def _average_power(self) -> Decimal | None:
        """kW over the whole period; a period that reports no energy took none."""
        return ratio((self.energy or ZERO) * HOUR, self.length) if self.length else None

    def infers(self, unit: str) -> bool:
        """Whether nothing of the kind was measured."""
        return not self.gauges or self.gauges.keys().isdisjoint((f"MIN_{unit}", f"MAX_{unit}", unit))


class Moments:
    """Moments in order, by column: what most checks ask for is much less than all of each."""

    def __init__(self, rows: Sequence[Moment], readings: Readings) -> None:
        self._rows = rows
        self.readings = readings
        self._answers: dict[Holds, Sequence[bool]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def rows(self) -> Sequence[Moment]:
        return self._rows

    def ask(self, holds: "Holds") -> Sequence[bool]:
        """Whether a check holds at each moment; elements often share their checks."""
        found = self._answers.get(holds)
        if found is None:
            found = self._answers[holds] = holds(self)
        return found

    @once
    def local(self) -> Sequence[int]:
        return [moment.local for moment in self.rows]

    @once
    def time_of_day(self) -> Sequence[int]:
        return [local % DAY for local in self.local]

    def in_window(self, opens: int, closes: int, inside: bool) -> Sequence[bool]:
        """Whether the time of day is within a window that does not wrap around midnight, or outside of it."""
        return [(opens <= time < closes) is inside for time in self.time_of_day]

    @once
    def kwh(self) -> Sequence[Decimal]:
        return [moment.kwh for moment in self.rows]

    @once
    def elapsed(self) -> Sequence[int]:
        return [moment.elapsed for moment in self.rows]


Holds = Callable[[Moments], Sequence[bool]]


@dataclass(frozen=True, slots=True)
class Check:
    """One restriction: `bound` as the tariff writes it, and for borders the numbers where the answer can change."""

    name: str
    bound: Any
    holds: Holds
    seen: Callable[[Moment], object]
    borders: tuple[Decimal, ...] = ()
    unit: str | None = None
    """CURRENT or POWER, of what is measured."""

    @property
    def needs_clock(self) -> bool:
        return self.name in ("time", "date", "day_of_week")


@dataclass(frozen=True, slots=True)
class Restrictions:
    """The checks of an element and the context it serves; `odd` names members with values we had to interpret."""

    checks: tuple[Check, ...]
    reservation: str | None
    odd: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()


def read(members: Any) -> Restrictions:
    """The restrictions of an element; raises `BadInput` with the member at fault."""
    if not members:
        return Restrictions((), None)
    if not isinstance(members, Mapping):
        raise BadInput("is not an object")
    odd: list[str] = []
    unlisted: list[str] = []
    start, end = (_time_of_day(members, name, odd) for name in ("start_time", "end_time"))
    checks = [
        *_window(members, start, end),
        *_dates(members),
        *_weekdays(members, start, end, unlisted),
        *_amounts(members),
        *_gauges(members),
    ]
    reservation = members.get("reservation") or None
    if reservation is not None and not isinstance(reservation, str):
        raise BadInput("has the wrong type", "reservation")
    return Restrictions(tuple(checks), reservation, tuple(odd), tuple(unlisted))


def _time_of_day(members: Mapping[str, Any], name: str, odd: list[str]) -> int | None:
    """Microseconds since midnight. 24:00 is 00:00; 9:00 is 09:00."""
    text = members.get(name)
    if text is None or text == "":
        return None
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None or int(match[1]) > 24 or (int(match[1]) == 24 and match[2] != "00"):
        raise BadInput("is not a time of day such as 08:30", name)
    if len(text) != 5 or match[1] == "24":
        odd.append(name)
    return (int(match[1]) % 24 * 3600 + int(match[2]) * 60 + int(match[3] or 0)) * SECOND


def _window(members: Mapping[str, Any], start: int | None, end: int | None) -> Iterator[Check]:
    if start is None and end is None:
        return
    bound = f"{members.get('start_time') or ''}-{members.get('end_time') or ''}"
    borders = tuple(Decimal(border) for border in {start, end} if border is not None)
    yield Check("time", bound, _within(start, end), _clock_time, borders)


@lru_cache(maxsize=1024)  # checks alike are one function, so that what it finds can be remembered by it
def _within(start: int | None, end: int | None) -> Holds:
    """A window may wrap around midnight; from a time to the same time is the whole day, until 00:00 is all of it."""
    if start is None and end == 0:
        return lambda moments: [not moments.readings.midnight_end_never] * len(moments)
    if start == end:
        return lambda moments: [not moments.readings.equal_times_never] * len(moments)
    opens, closes = start or 0, DAY if end is None else end
    if opens < closes:
        return lambda moments: moments.in_window(opens, closes, True)
    return lambda moments: moments.in_window(closes, opens, False)


def _clock_time(moment: Moment) -> str:
    seconds = moment.time_of_day // SECOND
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _dates(members: Mapping[str, Any]) -> Iterator[Check]:
    """From `start_date`, inclusive, to `end_date`, exclusive."""
    for name in ("start_date", "end_date"):
        if not (text := members.get(name)):
            continue
        try:
            day = date.fromisoformat(text[:10]).toordinal()
        except (ValueError, TypeError, KeyError):
            raise BadInput("is not a date such as 2026-01-31", name) from None
        holds = _from_day(day) if name == "start_date" else _to_day(day)
        yield Check("date", f"{name} {text}", holds, _date, (Decimal(day),))


@lru_cache(maxsize=1024)
def _from_day(day: int) -> Holds:
    return lambda moments: [local // DAY + FIRST_DAY >= day for local in moments.local]


@lru_cache(maxsize=1024)
def _to_day(day: int) -> Holds:
    return lambda moments: [local // DAY + FIRST_DAY < day for local in moments.local]


def _date(moment: Moment) -> str:
    return date.fromordinal(moment.day).isoformat()


def _weekdays(members: Mapping[str, Any], start: int | None, end: int | None, unlisted: list[str]) -> Iterator[Check]:
    """The weekday of the local date at the moment, also inside a window that wraps around midnight."""
    if not (names := members.get("day_of_week")):
        return
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadInput("is not a list of weekdays", "day_of_week")
    days = frozenset(WEEKDAYS.index(name.upper()) for name in names if name.upper() in WEEKDAYS)
    if any(name not in WEEKDAYS for name in names):
        unlisted.append("day_of_week")
    tail = end if start is not None and end is not None and end < start else 0

    def holds(moments: Moments) -> Sequence[bool]:
        return [(local // DAY + _THURSDAY) % 7 in days for local in moments.local]

    def holds_over_midnight(moments: Moments) -> Sequence[bool]:
        began_before = tail if moments.readings.window_of_starting_day else 0
        return [(local // DAY + _THURSDAY - (local % DAY < began_before)) % 7 in days for local in moments.local]

    yield Check(
        "day_of_week", list(names), holds_over_midnight if tail else holds, lambda moment: WEEKDAYS[moment.weekday]
    )


def _amounts(members: Mapping[str, Any]) -> Iterator[Check]:
    """Energy of the session so far in kWh, and its duration in seconds: from min, inclusive, to max, exclusive."""
    for name, make in _AMOUNTS.items():
        if (value := members.get(name)) is not None:
            bound = _number(value, name)
            scaled = bound * SECOND if name.endswith("duration") else bound
            yield Check(name, value, make(scaled), _elapsed if name.endswith("duration") else _kwh, (scaled,))


def _kwh(moment: Moment) -> Decimal:
    return moment.kwh


def _elapsed(moment: Moment) -> Decimal:
    return Decimal(moment.elapsed).scaleb(-6).normalize()


_AMOUNTS: dict[str, Callable[[Decimal], Holds]] = {
    "min_kwh": lambda bound: lambda moments: [kwh >= bound for kwh in moments.kwh],
    "max_kwh": lambda bound: lambda moments: [kwh < bound for kwh in moments.kwh],
    "min_duration": lambda bound: lambda moments: [elapsed >= bound for elapsed in moments.elapsed],
    "max_duration": lambda bound: lambda moments: [elapsed < bound for elapsed in moments.elapsed],
}


def _gauges(members: Mapping[str, Any]) -> Iterator[Check]:
    """The highest of a period reaches a minimum, its lowest stays below a maximum."""
    for unit in ("CURRENT", "POWER"):
        if (value := members.get(name := f"min_{unit.lower()}")) is not None:
            yield _gauge(name, value, unit, "MAX", "MIN")
        if (value := members.get(name := f"max_{unit.lower()}")) is not None:
            yield _gauge(name, value, unit, "MIN", "MAX")


def _gauge(name: str, value: Any, unit: str, first: str, second: str) -> Check:
    bound = _number(value, name)

    def seen(moment: Moment) -> Decimal | None:
        return moment.gauge(unit, first, second)

    def is_met(moment: Moment) -> bool:
        if (measured := seen(moment)) is None or (moment.readings.unmeasured_holds and moment.infers(unit)):
            return moment.readings.unmeasured_holds
        return measured >= bound if first == "MAX" else measured < bound

    def holds(moments: Moments) -> Sequence[bool]:
        return [is_met(moment) for moment in moments.rows]

    return Check(name, value, holds, seen, (bound,), unit)


def _number(value: Any, name: str) -> Decimal:
    try:
        return number(value)
    except BadInput as fault:
        raise fault.below(name) from None
