"""What one CDR comes to, day by day. Pure.

occupied  from the start of the session to its end, but for the periods of a reservation: a car was there
charging  those periods in which it charged: they have TIME or ENERGY, and no PARKING_TIME

A period ends where the next one begins, the last one with the session (§mod_cdrs_chargingperiod_class). A credit CDR
repeats the session it takes back, so all of it counts backwards; its total is negative already.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from ocpi.accounts import shares
from ocpi.accounts.shares import Face, Unreadable
from ocpi.store.documents import objects
from ocpi.types import times

PLACES = 6
_MILLIONTH = Decimal(1).scaleb(-PLACES)
_MOST = Decimal(10) ** 9
_MOST_DAYS = 366
_EPOCH, _SECOND, _DAY = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1), timedelta(days=1)


class Whole(Face):
    """What reports need of a CDR."""

    cdr_location: Any = None
    charging_periods: Any = None


face = msgspec.json.Decoder(Whole, float_hook=Decimal).decode


class Time(NamedTuple):
    """Seconds of a day."""

    day: date
    occupied: int
    charging: int


@dataclass(frozen=True, slots=True)
class Figures:
    """`days` are in order, the last is that of the end; amounts in millionths, of a kWh and of the currency."""

    days: list[Time]
    hour: int
    sessions: int
    duration: int
    energy: int
    currency: str
    net: int
    gross: int | None


class _Stretch(NamedTuple):
    begin: datetime
    end: datetime
    occupied: bool
    charging: bool


def read(cdr: Whole, zone: ZoneInfo) -> Figures:
    """The figures of a CDR whose site has this clock; raises `Unreadable`."""
    begin, end = _moment(cdr.start_date_time, "start_date_time"), _moment(cdr.end_date_time, "end_date_time")
    if end < begin:
        raise Unreadable("/end_date_time: it ended before it began")
    if end - begin > _MOST_DAYS * _DAY:
        raise Unreadable("/end_date_time: it took more than a year")
    sign = -1 if cdr.credit is True else 1
    net, gross = shares.total(cdr)
    days = [
        Time(day, sign * occupied, sign * charging)
        for day, occupied, charging in _days(list(_stretches(cdr, begin, end)), begin, end, zone)
    ]
    return Figures(
        days=days,
        hour=begin.astimezone(zone).hour,
        sessions=sign,
        duration=sum(time.occupied for time in days),
        energy=sign * abs(_energy(cdr.total_energy)),
        currency=shares.currency(cdr),
        net=_millionths(net, "/total_cost/excl_vat"),
        gross=None if gross is None else _millionths(gross, "/total_cost/incl_vat"),
    )


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day (UTC)."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def seconds(begin: datetime, end: datetime) -> int:
    """Whole seconds between two instants; those of adjoining stretches add up to those of both."""
    return (end - _EPOCH) // _SECOND - (begin - _EPOCH) // _SECOND


def _stretches(cdr: Whole, begin: datetime, end: datetime) -> Iterator[_Stretch]:
    """The session by period."""
    periods = objects({"charging_periods": cdr.charging_periods}, "charging_periods")
    if not periods:
        raise Unreadable("/charging_periods: it has none")
    starts = [
        _moment(period.get("start_date_time"), f"charging_periods/{index}/start_date_time")
        for index, period in enumerate(periods)
    ]
    if any(later < earlier for earlier, later in pairwise(starts)):
        raise Unreadable("/charging_periods: they are not in order")
    bounds = [begin, *(min(max(start, begin), end) for start in starts[1:]), end]
    for period, (start, stop) in zip(periods, pairwise(bounds), strict=True):
        measured = {str(one.get("type")) for one in objects(period, "dimensions") if _is_some(one.get("volume"))}
        is_reserved = "RESERVATION_TIME" in measured
        charges = bool(measured & {"TIME", "ENERGY"}) and not is_reserved and "PARKING_TIME" not in measured
        yield _Stretch(start, stop, not is_reserved, charges)


def _days(stretches: list[_Stretch], begin: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[date, int, int]]:
    """Each day of the site that the session touched, with its seconds."""
    day, last = begin.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        opens, closes = midnight(day, zone), midnight(day + _DAY, zone)
        within = [(max(one.begin, opens), min(one.end, closes), one) for one in stretches]
        parts = [(seconds(start, stop), one) for start, stop, one in within if start < stop]
        occupied = sum(length for length, one in parts if one.occupied)
        yield day, occupied, sum(length for length, one in parts if one.charging)
        day += _DAY


def _moment(text: Any, where: str) -> datetime:
    try:
        moment = times.parse(text)
    except (TypeError, ValueError):
        raise Unreadable(f"/{where}: it is no time") from None
    if not 2000 <= moment.year <= 9000:
        raise Unreadable(f"/{where}: it is beyond reason")
    return moment


def _energy(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise Unreadable("/total_energy: it is no amount")
    return _millionths(Decimal(value), "/total_energy")


def _millionths(amount: Decimal, where: str) -> int:
    """Exact, or refused."""
    if not amount.is_finite() or abs(amount) >= _MOST:
        raise Unreadable(f"{where}: it is beyond reason")
    written = amount.quantize(_MILLIONTH)
    if written != amount:
        raise Unreadable(f"{where}: it is finer than a millionth")
    return int(written.scaleb(PLACES))


def _is_some(volume: Any) -> bool:
    return isinstance(volume, (int, Decimal)) and volume > 0
