"""The one engine: prices a course of stretches (§mod_tariffs_tariff_object, §mod_cdrs_step_size).

Per dimension, the first element that has a price for it and whose restrictions hold at the start of the stretch.
The result is compact: tuples of indices and quantities. What it means in words is derived from it afterwards.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ocpi.pricing import kinds, limits, steps
from ocpi.pricing.course import Course, Stretch
from ocpi.pricing.exact import ONE, ZERO
from ocpi.pricing.limits import Limited, Money
from ocpi.pricing.readings import Vat
from ocpi.pricing.restrictions import Moment
from ocpi.pricing.steps import Free, Segment
from ocpi.pricing.tariffs import Rate, Table, Tariff


@dataclass(frozen=True, slots=True)
class Priced:
    """A priced session, exact. `surplus` is what step_size adds, by segment; `limited` what limits change."""

    course: Course
    segments: Sequence[Segment]
    free: Sequence[Free]
    surplus: Mapping[int, Decimal]
    by_rate: Mapping[tuple[int, Rate], Decimal]
    before: Money
    limited: Sequence[Limited]

    @property
    def total(self) -> Money:
        return self.limited[-1].after if self.limited else self.before

    def billed(self, at: int) -> Decimal:
        """The quantity of a segment with what step_size adds."""
        return self.segments[at].quantity + self.surplus.get(at, ZERO)

    def cost(self, at: int) -> Money:
        return cost_of(self.segments[at].rate, self.billed(at), self.course.readings.vat)


def price(course: Course) -> Priced:
    """What the course costs. Run it within `exact.arithmetic`."""
    segments: list[Segment] = []
    free: list[Free] = []
    fees: set[int] = set()
    for at, stretch in enumerate(course.stretches):
        table = course.table(at)
        if table is None:
            free += [Free(at, kind, amount) for kind, amount in stretch.amounts]
            continue
        moment = course.moment(at) if table.is_conditional else None
        ladders = table.ladders
        for kind, amount in stretch.amounts:
            rate = ladders[kind].at(moment)
            if rate is None:
                free.append(Free(at, kind, amount))
            else:
                segments.append(Segment(at, kind, rate, amount))
        if course.readings.step_by_empty_period:
            segments += _empty(at, stretch, table, moment)
        segments += _fees(course, at, table, moment, fees)
    surplus = steps.surpluses(segments, free, course.readings)
    by_rate: dict[tuple[int, Rate], Decimal] = {}
    for index, (_, kind, rate, amount) in enumerate(segments):
        key = kind, rate
        by_rate[key] = by_rate.get(key, ZERO) + amount
        if index in surplus:
            by_rate[key] += surplus[index]
    before = _sum(by_rate, course.readings.vat)
    limited = limits.apply(
        before, _limiting(course), is_session=not course.is_expired, readings=course.readings
    )
    return Priced(course, segments, free, surplus, by_rate, before, limited)


def cost_of(rate: Rate, quantity: Decimal, vat: Vat) -> Money:
    excl = quantity * (rate.gross if vat is Vat.WITHIN_NET else rate.net)
    return Money(excl, excl if vat is Vat.LEFT_OUT else quantity * rate.gross)


def fee_phases(stretch: Stretch, is_expired: bool) -> Iterator[int]:
    """The kinds of flat fee a stretch can make due; an expired reservation has no start fee."""
    if stretch.is_reserved:
        yield kinds.RESERVATION_FLAT
    if stretch.is_charging and not is_expired:
        yield kinds.FLAT


def _fees(course: Course, at: int, table: Table, moment: Moment | None, fees: set[int]) -> list[Segment]:
    """One flat fee for the reservation and one for charging: the first that becomes active."""
    readings = course.readings
    found = []
    for kind in fee_phases(course.stretches[at], course.is_expired):
        if not readings.flat_each and (kind in fees or (readings.flat_once and fees)):
            continue
        rate = table.ladders[kind].at(moment)
        if rate is not None and id(rate) not in fees:
            fees |= {kind, id(rate)}
            found.append(Segment(at, kind, rate, ONE))
    return found


def _empty(at: int, stretch: Stretch, table: Table, moment: Moment | None) -> list[Segment]:
    """Prices of dimensions that are reported with a volume of zero."""
    period = stretch.period
    reported = ((kinds.ENERGY, period.energy), (kinds.TIME, period.time), (kinds.PARKING_TIME, period.parking))
    found = [(kind, table.ladders[kind].at(moment)) for kind, volume in reported if volume is not None and not volume]
    return [Segment(at, kind, rate, ZERO) for kind, rate in found if rate is not None]


def _sum(by_rate: Mapping[tuple[int, Rate], Decimal], vat: Vat) -> Money:
    excl = incl = ZERO
    for (_, rate), quantity in by_rate.items():
        cost = cost_of(rate, quantity, vat)
        excl += cost.excl
        incl += cost.incl
    return Money(excl, incl)


def _limiting(course: Course) -> Tariff | None:
    """The tariff whose limits count: that of the first charging period, else the first there is."""
    found = None
    for stretch, tariff in zip(course.stretches, course.tariffs, strict=True):
        if tariff is not None:
            if stretch.is_charging:
                return tariff
            found = found or tariff
    return found
