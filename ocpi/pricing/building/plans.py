"""What a Tariff is to say, and whether it can be said.

Prices are without VAT, in the currency of the plan. What is wrong is raised as `BadInput` with the path of the member.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from itertools import combinations
from typing import Any

from ocpi.pricing.exact import ZERO
from ocpi.pricing.faults import BadInput
from ocpi.pricing.figures import WIRE_PLACES
from ocpi.pricing.restrictions import WEEKDAYS
from ocpi.pricing.zones import place_named

_DAY = 24 * 60
_LONGEST_ID = 36  # §mod_tariffs_tariff_object
_MOST = Decimal(100)
_CEILING = Decimal(100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A price per kWh from a time of day to another, local time. A window over midnight belongs to the day it begins.

    Minutes since midnight; `end` may be 24 * 60. `days` are places in the week, Monday first; none: every day.
    """

    per_kwh: Decimal
    start: int
    end: int
    days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """The price per kWh of one month; `first` is its first day."""

    first: date
    per_kwh: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Parking:
    """Time after charging. OCPI counts durations from the start of the session, so `free_minutes` does, too."""

    per_hour: Decimal
    free_minutes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What a reservation costs when it is used, and the fee when it is not."""

    fee: Decimal | None = None
    per_hour: Decimal | None = None
    expiry_fee: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole price list. `zone` is the one in which months begin; `least` and `most` are what a session costs.

    `type` is for which sessions it is (§mod_tariffs_tariff_type); None: for all.
    """

    country_code: str
    party_id: str
    id: str
    currency: str
    type: str | None = None
    vat: Decimal | None = None
    is_free: bool = False
    per_kwh: Decimal | None = None
    windows: tuple[Window, ...] = ()
    months: tuple[Month, ...] = ()
    per_hour: Decimal | None = None
    start_fee: Decimal | None = None
    parking: Parking | None = None
    reservation: Reservation | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    zone: str = "UTC"

    @property
    def prices_charging(self) -> bool:
        return bool(self.months) or any(price is not None for price in (self.per_kwh, self.per_hour, self.start_fee))


def check(plan: Plan) -> None:
    """Raises `BadInput` with the path of what cannot be said in a Tariff, or is not meant."""
    _check_prices(plan)
    if plan.vat is not None and not ZERO <= plan.vat <= _MOST:
        raise BadInput("is not a percentage from 0 to 100", "vat")
    if plan.least is not None and plan.most is not None and plan.least > plan.most:
        raise BadInput("is above the highest price of a session", "least")
    _check_kind(plan)
    _check_validity(plan)
    _check_windows(plan)
    if plan.parking and not 0 <= plan.parking.free_minutes <= 7 * _DAY:
        raise BadInput("is not a number of minutes within a week", "parking", "free_minutes")
    if plan.reservation and all(price is None for _, price in _prices(plan.reservation)):
        raise BadInput("has no price", "reservation")


def minutes_of(window: Window) -> Iterator[tuple[int, int, int]]:
    """The parts of a window within a day: day of the week, from, to."""
    for day in sorted(window.days) or range(len(WEEKDAYS)):
        if window.start < window.end:
            yield day, window.start, window.end
        else:
            yield day, window.start, _DAY
            if window.end:
                yield (day + 1) % len(WEEKDAYS), 0, window.end


def _prices(part: Any) -> Iterator[tuple[str, Decimal | None]]:
    for field in fields(part):
        if field.type in (Decimal, Decimal | None) and field.name != "vat":
            yield field.name, getattr(part, field.name)


def _check_prices(plan: Plan) -> None:
    parts: list[tuple[tuple[str | int, ...], Any]] = [((), plan)]
    parts += [((name,), part) for name in ("parking", "reservation") if (part := getattr(plan, name))]
    parts += [(("windows", at), window) for at, window in enumerate(plan.windows)]
    parts += [(("months", at), month) for at, month in enumerate(plan.months)]
    for path, part in parts:
        for name, price in _prices(part):
            if price is None:
                continue
            if not price.is_finite() or not ZERO <= price < _CEILING:
                raise BadInput("is not a price of zero or more", *path, name)
            if price != round(price, WIRE_PLACES):
                raise BadInput("has more than four decimals", *path, name)


def _check_kind(plan: Plan) -> None:
    if plan.is_free and plan.prices_charging:
        raise BadInput("charging is free, and has a price", "is_free")
    if not (plan.is_free or plan.prices_charging):
        raise BadInput("say what is paid for, or that charging is free", "per_kwh")
    if plan.months and plan.per_kwh is not None:
        raise BadInput("the price per kWh is given by month", "per_kwh")
    if plan.windows and plan.per_kwh is None and not plan.months:
        raise BadInput("is needed: the price outside of the windows", "per_kwh")


def _check_validity(plan: Plan) -> None:
    place_named(plan.zone)
    for name in ("starts", "ends"):
        moment = getattr(plan, name)
        if moment is None:
            continue
        if plan.months:
            raise BadInput("the months say when prices are valid", name)
        if moment.tzinfo is None:
            raise BadInput("has no time zone", name)
    if plan.starts and plan.ends and plan.starts >= plan.ends:
        raise BadInput("is not after the start", "ends")
    for at, month in enumerate(plan.months):
        if month.first.day != 1:
            raise BadInput("is not the first day of a month", "months", at, "first")
        if month.first in [other.first for other in plan.months[:at]]:
            raise BadInput("the month has a price already", "months", at, "first")
    if not plan.id or len(plan.id) + (len("-2026-01") if plan.months else 0) > _LONGEST_ID:
        raise BadInput("is empty, or too long with what is added to it", "id")


def _check_windows(plan: Plan) -> None:
    for at, window in enumerate(plan.windows):
        if not (0 <= window.start < _DAY and 0 <= window.end <= _DAY):
            raise BadInput("is not a time of day", "windows", at, "start")
        if window.start == window.end % _DAY and window.start:
            raise BadInput("ends when it begins", "windows", at, "end")
    for (at, one), (_, other) in combinations(reversed([*enumerate(plan.windows)]), 2):
        if _meet(one, other):
            raise BadInput("overlaps with an earlier window", "windows", at)
    if sum(end - start for window in plan.windows for _, start, end in minutes_of(window)) == len(WEEKDAYS) * _DAY:
        raise BadInput("leaves no time for the price per kWh outside of windows", "windows", len(plan.windows) - 1)


def _meet(one: Window, other: Window) -> bool:
    return any(
        day == its_day and start < its_end and its_start < end
        for day, start, end in minutes_of(one)
        for its_day, its_start, its_end in minutes_of(other)
    )
