"""The one engine: prices a course of stretches (§mod_tariffs_tariff_object, §mod_cdrs_step_size).

Per dimension, the first element that has a price for it and whose restrictions hold at the start of the stretch.
The result is compact: tuples of indices and quantities. What it means in words is derived from it afterwards.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from ocpi.pricing import kinds, limits, steps
from ocpi.pricing.course import Course
from ocpi.pricing.exact import ONE, ZERO
from ocpi.pricing.limits import NOTHING, Limited, Money
from ocpi.pricing.readings import Vat
from ocpi.pricing.steps import Free, Last, Segment
from ocpi.pricing.tariffs import Rate, Tariff


class Priced(NamedTuple):
    """A priced session, exact. `surplus` is what step_size adds, by segment; `limited` what limits change.

    `costs` are in the order of `kinds.COSTS`, in 3600ths.
    """

    course: Course
    segments: Sequence[Segment]
    free: Sequence[Free]
    surplus: Mapping[int, Decimal]
    by_rate: Mapping[tuple[int, Rate], Decimal]
    costs: Sequence[Money]
    before: Money
    limited: Sequence[Limited]

    @property
    def total(self) -> Money:
        return limits.total(self.before, self.limited)

    def limit_again(self, before: Money) -> Sequence[Limited]:
        """The limits of the session on another sum, one that was rounded on the way."""
        return _limited(before, self.course)

    def billed(self, index: int) -> Decimal:
        """The quantity of a segment with what step_size adds."""
        return self.segments[index][3] + self.surplus.get(index, ZERO)

    def cost(self, index: int) -> Money:
        return cost_of(self.segments[index][2], self.billed(index), self.course.readings.vat)


def price(course: Course) -> Priced:
    """What the course costs. Run it within `exact.arithmetic`."""
    segments: list[Segment] = []
    free: list[Free] = []
    by_rate: dict[tuple[int, Rate], Decimal] = {}
    last: dict[int, Last] = {}
    for kind in course.stretches.amounts:
        if sums := _billed(course, kind, segments, free):
            last[kind] = Last(segments[-1][0], len(segments) - 1, sum(sums.values(), ZERO))
            by_rate |= {(kind, rate): quantity for rate, quantity in sums.items()}
    surplus = steps.surpluses(segments, last, free, course.readings)
    for index, quantity in surplus.items():
        by_rate[segments[index][1:3]] = by_rate.get(segments[index][1:3], ZERO) + quantity
    for fee in _fees(course):
        segments.append(fee)
        by_rate[fee[1:3]] = ONE
    costs = [NOTHING] * len(kinds.COSTS)
    before = NOTHING
    for (kind, rate), quantity in by_rate.items():
        cost, place = cost_of(rate, quantity, course.readings.vat), kinds.COST[kind]
        costs[place], before = costs[place].plus(cost), before.plus(cost)
    return Priced(course, segments, free, surplus, by_rate, costs, before, _limited(before, course))


def _billed(course: Course, kind: int, segments: list[Segment], free: list[Free]) -> Mapping[Rate, Decimal]:
    """Adds the segments of a kind, or what is free of it; returns the quantity by rate."""
    column, rates = course.stretches.amounts[kind], course.rates(kind)
    if rates.count(steady := rates[0]) == len(rates):
        if steady is None:
            free.extend([(at, kind, quantity) for at, quantity in enumerate(column) if quantity])
            return {}
        segments.extend([(at, kind, steady, quantity) for at, quantity in enumerate(column) if quantity])
        return {steady: sum(column, ZERO)}
    sums: dict[Rate, Decimal] = {}
    for at, (quantity, rate) in enumerate(zip(column, rates, strict=True)):
        if not quantity:
            continue
        if rate is None:
            free.append((at, kind, quantity))
        else:
            segments.append((at, kind, rate, quantity))
            sums[rate] = sums.get(rate, ZERO) + quantity
    if course.readings.step_by_empty_period:
        segments += _empty(course, kind)
    return sums


def cost_of(rate: Rate, quantity: Decimal, vat: Vat) -> Money:
    excl = quantity * (rate.gross if vat is Vat.WITHIN_NET else rate.net)
    return Money(excl, excl if vat is Vat.LEFT_OUT else quantity * rate.gross)


def fee_phases(course: Course, at: int) -> Iterator[int]:
    """The kinds of flat fee a stretch can make due; an expired reservation has no start fee."""
    if course.is_reserved(at):
        yield kinds.RESERVATION_FLAT
    if not course.is_expired and course.is_charging(at):
        yield kinds.FLAT


def _fees(course: Course) -> Iterator[Segment]:
    """One flat fee for the reservation and one for charging: the first that becomes active."""
    readings = course.readings
    if not any(tariff.has_fees for tariff in course.distinct):
        return
    paid: dict[tuple[int, Rate], None] = {}
    for at in course.places:
        for kind in fee_phases(course, at):
            if not readings.flat_each and any(readings.flat_once or kind == other for other, _ in paid):
                continue
            rate = course.rates(kind)[at]
            if rate is not None and (kind, rate) not in paid:
                paid[kind, rate] = None
                yield at, kind, rate, ONE


def _empty(course: Course, kind: int) -> list[Segment]:
    """The price of the last period of all, when it reports a volume of zero."""
    at = course.places[-1]
    volume = course.usage.volumes[kind][course.stretches.periods[at]]
    rate = course.rates(kind)[at] if volume is not None and not volume else None
    return [] if rate is None else [(at, kind, rate, ZERO)]


def _limited(before: Money, course: Course) -> list[Limited]:
    return limits.apply(before, limiting(course), is_session=course.is_session, readings=course.readings)


def limiting(course: Course) -> Tariff | None:
    """The tariff whose limits count: that of the first charging period, else the first there is."""
    if len(course.distinct) == 1:
        return course.distinct[0]
    charging = (tariff for at, tariff in enumerate(course.tariffs) if tariff and course.is_charging(at))
    return next(charging, None) or next(iter(course.distinct), None)
