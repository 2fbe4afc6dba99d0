"""A plan written down as Tariffs: one, or one for each month (§mod_tariffs_tariff_object).

The order of elements is the meaning: reservations, windows and what is free for a while come first, what always applies
comes last, and every dimension that anything is said about has a price that always applies. Steps are 1: what is used
is what is paid.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ocpi.pricing.building import plans
from ocpi.pricing.building.plans import Plan, Reservation, Window
from ocpi.pricing.exact import ONE, ZERO, arithmetic, percent, plain
from ocpi.pricing.figures import Rounding
from ocpi.pricing.restrictions import WEEKDAYS
from ocpi.types import times

Document = dict[str, Any]

_DAY = 24 * 60


def build(plan: Plan, last_updated: str) -> list[Document]:
    """The Tariffs; raises `BadInput` with the path of the member of the plan that is at fault.

    A price list by month is a Tariff per month, `<id>-2026-01` and so on, each valid from local midnight to local
    midnight: a Connector names all of them.
    """
    plans.check(plan)
    with arithmetic():
        if not plan.months:
            return [_tariff(plan, plan.id, plan.per_kwh, (plan.starts, plan.ends), last_updated)]
        return [
            _tariff(plan, f"{plan.id}-{month.first:%Y-%m}", month.per_kwh, _span(month.first, plan.zone), last_updated)
            for month in sorted(plan.months, key=lambda month: month.first)
        ]


def component(dimension: str, price: Decimal, vat: Decimal | None) -> Document:
    """A price component without rounding to steps (§mod_tariffs_pricecomponent_class)."""
    rate = {} if vat is None else {"vat": plain(vat)}
    return {"type": dimension, "price": plain(price), **rate, "step_size": 1}


def element(components: Sequence[Document], restrictions: Document | None = None) -> Document:
    return {"price_components": list(components)} | ({"restrictions": restrictions} if restrictions else {})


def clock(minutes: int) -> str:
    """A time of day in minutes as OCPI writes it; the end of the day is 00:00."""
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def _span(first: date, zone: str) -> tuple[datetime, datetime]:
    """From the beginning of a month to that of the next."""
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    begin, end = (datetime(day.year, day.month, 1, tzinfo=ZoneInfo(zone)) for day in (first, following))
    return begin.astimezone(UTC), end.astimezone(UTC)


def _tariff(
    plan: Plan, id: str, per_kwh: Decimal | None, span: tuple[datetime | None, datetime | None], last_updated: str
) -> Document:
    limits = {"min_price": plan.least, "max_price": plan.most}
    return {
        "country_code": plan.country_code,
        "party_id": plan.party_id,
        "id": id,
        "currency": plan.currency,
        **({"type": plan.type} if plan.type else {}),
        **{name: _limit(amount, plan.vat) for name, amount in limits.items() if amount is not None},
        "elements": list(_elements(plan, per_kwh)),
        **{name: times.format(at) for name, at in zip(("start_date_time", "end_date_time"), span, strict=True) if at},
        "last_updated": last_updated,
    }


def _limit(amount: Decimal, vat: Decimal | None) -> Document:
    excl = {"excl_vat": plain(amount)}
    return excl if vat is None else excl | {"incl_vat": plain(Rounding().round(amount * (ONE + percent(vat))))}


def _elements(plan: Plan, per_kwh: Decimal | None) -> Iterator[Document]:
    vat = plan.vat
    if plan.reservation:
        yield from _of_reservation(plan.reservation, vat)
    for window in plan.windows:
        yield from _of_window(window, vat)
    if plan.parking and plan.parking.free_minutes:
        free = {"max_duration": plan.parking.free_minutes * 60}
        yield element([component("PARKING_TIME", ZERO, vat)], free)
    yield element([component(dimension, price, vat) for dimension, price in _always(plan, per_kwh)])


def _of_reservation(reservation: Reservation, vat: Decimal | None) -> Iterator[Document]:
    """The expiry fee is tried first, and only when a reservation expires; time is then paid as of one that is used."""
    if reservation.expiry_fee is not None:
        yield element([component("FLAT", reservation.expiry_fee, vat)], {"reservation": "RESERVATION_EXPIRES"})
    prices = (("FLAT", reservation.fee), ("TIME", reservation.per_hour))
    if used := [component(dimension, price, vat) for dimension, price in prices if price is not None]:
        yield element(used, {"reservation": "RESERVATION"})


def _of_window(window: Window, vat: Decimal | None) -> Iterator[Document]:
    """A window of every day may wrap around midnight; one of some days has its morning on the days after."""
    price = [component("ENERGY", window.per_kwh, vat)]
    if not window.days:
        yield element(price, {"start_time": clock(window.start), "end_time": clock(window.end)})
        return
    parts: dict[tuple[int, int], list[int]] = {}
    for day, start, end in plans.minutes_of(window):
        parts.setdefault((start, end), []).append(day)
    for (start, end), days in parts.items():
        hours = {} if (start, end) == (0, _DAY) else {"start_time": clock(start), "end_time": clock(end)}
        weekdays = {} if len(days) == len(WEEKDAYS) else {"day_of_week": [WEEKDAYS[day] for day in sorted(days)]}
        yield element(price, hours | weekdays)


def _always(plan: Plan, per_kwh: Decimal | None) -> Iterator[tuple[str, Decimal]]:
    """What applies unless something before does. What is free beside something that is paid for says so."""
    if plan.is_free and not (plan.parking or plan.reservation):
        yield "FLAT", ZERO
        return
    if per_kwh is not None or plan.per_hour is None:
        yield "ENERGY", per_kwh if per_kwh is not None else ZERO
    if plan.per_hour is not None or plan.parking:
        yield "TIME", plan.per_hour if plan.per_hour is not None else ZERO
        yield "PARKING_TIME", plan.parking.per_hour if plan.parking else ZERO
    if plan.start_fee is not None:
        yield "FLAT", plan.start_fee
