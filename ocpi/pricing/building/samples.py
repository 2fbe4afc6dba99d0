"""What three sessions of every day cost by a Tariff, priced by the engine that prices CDRs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ocpi.pricing.figures import Amount
from ocpi.pricing.periods.generating import cdr_figures
from ocpi.pricing.periods.history import Change, History, Sample, State
from ocpi.types import times

_WEEK = 7


class _Course(NamedTuple):
    """Day of the week (Monday is 0), time of day, minutes of reservation, charging and parking, kWh."""

    title: str
    weekday: int
    begins: time
    reserved: int
    charging: int
    parked: int
    kwh: Decimal


_COURSES = (
    _Course("Wednesday 12:00: 20 kWh in one hour", 2, time(12), 0, 60, 0, Decimal(20)),
    _Course("Monday 20:00: 44 kWh in four hours, then parked until 07:00", 0, time(20), 0, 240, 420, Decimal(44)),
    _Course(
        "Saturday 17:30: reserved for 15 min, 30 kWh in 30 min, then parked for 45 min",
        5,
        time(17, 30),
        15,
        30,
        45,
        Decimal(30),
    ),
)


@dataclass(frozen=True, slots=True)
class Priced:
    """A sample session and what it costs, in the currency of the Tariff."""

    title: str
    total: Amount
    costs: Mapping[str, Decimal]
    """What it is made of, without VAT, by the names that a CDR has for it; what is zero is left out."""


def priced(tariff: Mapping[str, Any], day: date, zone: str = "UTC") -> list[Priced]:
    """The sample sessions in the week after `day`, or after the Tariff begins; raises `BadInput`."""
    if begins := tariff.get("start_date_time"):
        day = max(day, times.parse(begins).date() + timedelta(days=1))
    return [_priced(course, tariff, day, zone) for course in _COURSES]


def _priced(course: _Course, tariff: Mapping[str, Any], day: date, zone: str) -> Priced:
    members = cdr_figures(_history(course, tariff, day, zone)).members
    total = members["total_cost"]
    costs = {
        name.removeprefix("total_").removesuffix("_cost"): members[name]["excl_vat"]
        for name in members
        if name.endswith("_cost") and name != "total_cost"
    }
    return Priced(course.title, Amount(total["excl_vat"], total.get("incl_vat")), costs)


def _history(course: _Course, tariff: Mapping[str, Any], day: date, zone: str) -> History:
    day += timedelta(days=(course.weekday - day.weekday()) % _WEEK)
    start = datetime.combine(day, course.begins, ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))
    plugged = start + timedelta(minutes=course.reserved)
    full = plugged + timedelta(minutes=course.charging)
    end = full + timedelta(minutes=course.parked)
    changes = [Change(full, State.FINISHING)] if course.parked else []
    if course.reserved:
        changes = [Change(start, State.RESERVED), Change(plugged, State.CHARGING), *changes]
    samples = [Sample(plugged, register=Decimal(0)), Sample(full, register=course.kwh)]
    return History(start=start, end=end, zone=zone, tariff=tariff, samples=samples, changes=changes)
