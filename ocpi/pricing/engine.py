"""The one engine: prices a course of stretches (§mod_tariffs_tariff_object, §mod_cdrs_step_size).

Per dimension, the first element that has a price for it and whose restrictions hold at the start of the stretch.
The result is compact: columns of rates and quantities. What it means in words is derived from it afterwards.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from ocpi.pricing import kinds, limits, steps
from ocpi.pricing.course import Course
from ocpi.pricing.exact import ONE, ZERO
from ocpi.pricing.limits import NOTHING, Limited, Money
from ocpi.pricing.once import once
from ocpi.pricing.readings import Vat
from ocpi.pricing.tariffs import Rate
from ocpi.pricing.uses import Free, Last, Segment, Use

_ADDED = Vat.ADDED  # to look up the member of an enumeration takes longer than to compare it


class Priced(Struct, frozen=True, eq=False, dict=True):
    """A priced session, exact. `surplus` is what step_size adds, by stretch and kind; `limited` what limits change.

    `costs` are in the order of `kinds.COSTS`, in 3600ths. `others` are billed though nothing is used up by them: fees,
    and the price of a volume of zero that step_size is applied to.
    """

    course: Course
    uses: Mapping[int, Use]
    """By kind."""
    others: Sequence[Segment]
    surplus: Mapping[tuple[int, int], Decimal]
    by_rate: Mapping[tuple[int, Rate], Decimal]
    costs: Sequence[Money]
    before: Money
    limited: Sequence[Limited]

    @property
    def total(self) -> Money:
        return limits.total(self.before, self.limited)

    @once
    def segments(self) -> list[Segment]:
        """What is billed, by kind and in order."""
        return [*(segment for use in self.uses.values() for segment in use.billed()), *self.others]

    @once
    def free(self) -> list[Free]:
        """What no element prices, by kind and in order."""
        return [free for use in self.uses.values() for free in use.free()]

    def limit_again(self, before: Money) -> Sequence[Limited]:
        """The limits of the session on another sum, one that was rounded on the way."""
        return limits.apply(before, self.course)

    def added(self, segment: Segment) -> Decimal:
        """What step_size adds to the quantity of a segment."""
        return self.surplus.get((segment.stretch, segment.kind), ZERO)

    def cost(self, segment: Segment) -> Money:
        return cost_of(segment.rate, segment.quantity + self.added(segment), self.course.readings.vat)


def price(course: Course) -> Priced:
    """What the course costs. Run it within `exact.arithmetic`."""
    uses: dict[int, Use] = {}
    others: list[Segment] = []
    by_rate: dict[tuple[int, Rate], Decimal] = {}
    last: dict[int, Last] = {}
    readings, vat = course.readings, course.readings.vat
    for kind, quantities in course.stretches.amounts.items():
        use = uses[kind] = Use(kind, course.rates(kind), quantities)
        if (final := use.bill(by_rate)) is not None:
            if readings.step_by_empty_period and (empty := _empty(course, use)):
                others.append(empty)
                final = replace(final, stretch=empty.stretch, rate=empty.rate)
            last[kind] = final
    surplus = steps.surpluses(uses, last, readings)
    for (stretch, kind), quantity in surplus.items():
        if (last_rate := uses[kind].rates[stretch]) is not None:
            by_rate[kind, last_rate] = by_rate.get((kind, last_rate), ZERO) + quantity
    for fee in _fees(course):
        others.append(fee)
        by_rate[fee.kind, fee.rate] = ONE
    costs = [NOTHING] * len(kinds.COSTS)
    before = NOTHING
    for (kind, rate), quantity in by_rate.items():
        cost, place = cost_of(rate, quantity, vat), kinds.COST[kind]
        costs[place] = costs[place].plus(cost)
        before = before.plus(cost)
    return Priced(course, uses, others, surplus, by_rate, costs, before, limits.apply(before, course))


def cost_of(rate: Rate, quantity: Decimal, vat: Vat) -> Money:
    net, gross = quantity * rate.net, quantity * rate.gross
    if vat is _ADDED:
        return Money(net, gross)
    return Money(net, net) if vat is Vat.LEFT_OUT else Money(gross, gross)


def fee_phases(course: Course, at: int) -> Iterator[int]:
    """The kinds of flat fee a stretch can make due; an expired reservation has no start fee."""
    if course.stretches.is_reserved(at):
        yield kinds.RESERVATION_FLAT
    if not course.is_expired and course.stretches.is_charging(at):
        yield kinds.FLAT


def _fees(course: Course) -> Collection[Segment]:
    """What is due of the flat fees of the tariffs."""
    for tariff in course.selected.distinct:
        if tariff.has_fees:
            return _due(course)
    return ()


def _due(course: Course) -> Collection[Segment]:
    """One flat fee for the reservation and one for charging: the first that becomes active."""
    readings = course.readings
    paid: dict[tuple[int, Rate], Segment] = {}
    for at in course.places:
        for kind in fee_phases(course, at):
            if not readings.flat_each and any(readings.flat_once or kind == other for other, _ in paid):
                continue
            rate = course.rates(kind)[at]
            if rate is not None and (kind, rate) not in paid:
                paid[kind, rate] = Segment(at, kind, rate, ONE)
    return paid.values()


def _empty(course: Course, use: Use) -> Segment | None:
    """The price of the last period of all, when it reports a volume of zero."""
    at = course.places[-1]
    volume, rate = course.usage.volumes[use.kind][course.stretches.periods[at]], use.rates[at]
    return Segment(at, use.kind, rate, ZERO) if rate is not None and volume is not None and not volume else None
