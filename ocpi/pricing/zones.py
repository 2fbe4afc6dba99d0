"""Which clock the restrictions of a tariff mean, and that clock (§mod_tariffs_tariffrestrictions_class).

Only a UTC instant is ever converted; a local time is never reckoned with.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ocpi.pricing.countries import ZONES
from ocpi.pricing.faults import BadInput
from ocpi.pricing.reading import Usage
from ocpi.pricing.scalars import DAY, SECOND, moment_of

_STEADY = 7  # days: no zone goes to another offset and back within a week


class Place(NamedTuple):
    """The name of a time zone, and where it is known from."""

    zone: str
    source: str


def place_of(usage: Usage, argument: str | None = None) -> Place:
    """The zone: the argument, else the Location's, else its country's if it has but one, else UTC.

    Raises `BadInput` for a zone nobody knows.
    """
    if argument is not None:
        return place_named(argument)
    location = usage.location
    if (named := location.get("time_zone")) is not None:
        try:
            return place_named(named, "location")
        except BadInput as fault:
            raise fault.below("cdr_location" if "cdr_location" in usage.document else "location", "time_zone") from None
    country = location.get("country")
    if isinstance(country, str) and (zone := ZONES.get(country.upper())):
        return Place(zone, "country")
    return Place("UTC", "assumed")


def place_named(zone: str, source: str = "argument") -> Place:
    """The place of a zone somebody named; raises `BadInput` for one nobody knows."""
    _load(zone)
    return Place(zone, source)


def _load(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(name)  # type: ignore[arg-type]  # whatever it is, it is no zone
    except (ValueError, TypeError, OSError, LookupError):
        raise BadInput(f"{name!r} is not an IANA time zone") from None


def _offset_at(zone: ZoneInfo, instant: int) -> int:
    offset = datetime.fromtimestamp(instant // SECOND, zone).utcoffset() or timedelta(0)
    return (offset.days * 86_400 + offset.seconds) * SECOND


class Clock:
    """The local clock from a day since 1970 to another, UTC, in microseconds since 1970 as the wall shows them."""

    __slots__ = ("offset", "zone")

    def __init__(self, zone: str, first: int, last: int) -> None:
        self.zone = _load(zone)
        offset = _offset_at(self.zone, first * DAY)
        is_steady = last - first < _STEADY and offset == _offset_at(self.zone, (last + 1) * DAY - SECOND)
        self.offset = offset if is_steady else None
        """From UTC, in microseconds; None if it changes or may do so."""

    def local(self, instant: int) -> int:
        return instant + (self.offset if self.offset is not None else _offset_at(self.zone, instant))

    def locals(self, instants: Sequence[int]) -> list[int]:
        if (offset := self.offset) is not None:
            return [instant + offset for instant in instants]
        return [instant + _offset_at(self.zone, instant) for instant in instants]

    def shown(self, instant: int) -> datetime:
        """The instant as a local datetime with its offset."""
        moment = moment_of(instant).astimezone(self.zone)
        offset = moment.utcoffset() or timedelta(0)
        return moment.replace(tzinfo=timezone(offset))

    def instants(self, wall: int) -> set[int]:
        """The instants at which the wall shows this time: none, one, or two in the autumn hour."""
        near = {_offset_at(self.zone, wall - DAY), _offset_at(self.zone, wall + DAY)}
        return {wall - offset for offset in near if self.local(wall - offset) == wall}

    def changes(self, start: int, end: int) -> Iterable[int]:
        """The instants after `start` and before `end` at which the offset changes."""
        if self.offset is not None or _offset_at(self.zone, start) == _offset_at(self.zone, end):
            return
        low, high = start, end
        while high - low > SECOND:
            middle = (low + high) // 2
            is_before = _offset_at(self.zone, middle) == _offset_at(self.zone, low)
            low, high = (middle, high) if is_before else (low, middle)
        yield high // SECOND * SECOND


def clock_of(zone: str, first: int, last: int) -> Clock:
    """The clock of a zone from an instant to another; raises `BadInput` for a zone nobody knows."""
    return _clock(zone, first // DAY, last // DAY)


_clock = lru_cache(maxsize=4096)(Clock)

UTC_CLOCK = clock_of("UTC", 0, 0)
