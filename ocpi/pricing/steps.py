"""step_size: once per session for energy, once for charging and parking time together (§mod_cdrs_step_size).

The sum of what is paid for is rounded up by the step of the last price; the surplus is billed at that last price.
Paid parking takes the rounding upon itself, a reservation has its own.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from ocpi.pricing import kinds
from ocpi.pricing.exact import ZERO, blocks
from ocpi.pricing.readings import Readings
from ocpi.pricing.tariffs import Rate

Segment = tuple[int, int, Rate, Decimal]
"""Stretch, kind, rate, and the quantity under that rate: kWh, seconds, or one fee."""

Free = tuple[int, int, Decimal]
"""Stretch, kind, and a quantity that no element prices."""


class Last(NamedTuple):
    """Of a kind: the stretch and the index of its last segment, and the sum to be rounded."""

    stretch: int
    place: int
    total: Decimal


def surpluses(
    segments: Sequence[Segment], last: Mapping[int, Last], free: Sequence[Free], readings: Readings
) -> Mapping[int, Decimal]:
    """What is billed beyond the measured quantity, by the index of the segment."""
    if readings.step_per_period:
        return _each(segments)
    if readings.step_over_unpriced:
        last = {kind: final._replace(total=final.total + _free(free, kind)) for kind, final in last.items()}
    found = {}
    for budget in _budgets(last, readings):
        _, index, total = last[budget[0]] if len(budget) == 1 else _together([last[kind] for kind in budget])
        if surplus := _surplus(total, segments[index][2].step):
            found[index] = surplus
    return found


def _budgets(last: Mapping[int, Last], readings: Readings) -> list[tuple[int, ...]]:
    """The kinds that are summed and rounded together."""
    budgets: list[tuple[int, ...]] = [(kinds.ENERGY,)] if kinds.ENERGY in last else []
    timed = [kind for kind in (kinds.TIME, kinds.PARKING_TIME) if kind in last]
    if timed:
        absorbing = max(timed, key=last.__getitem__) if readings.step_sequential else timed[-1]
        budgets.append((absorbing,))
    if kinds.RESERVATION_TIME in last:
        if timed and readings.step_shared_with_reservation:
            budgets[-1] = (*budgets[-1], kinds.RESERVATION_TIME)
        else:
            budgets.append((kinds.RESERVATION_TIME,))
    return budgets


def _together(finals: Sequence[Last]) -> Last:
    return max(finals)._replace(total=sum((final.total for final in finals), ZERO))


def _surplus(total: Decimal, step: Decimal) -> Decimal:
    """Nothing without a step, nor for energy that came back on balance."""
    return blocks(total, step) - total if step > ZERO and total > ZERO else ZERO


def _free(free: Sequence[Free], kind: int) -> Decimal:
    return sum((quantity for _, other, quantity in free if other == kind), ZERO)


def _each(segments: Sequence[Segment]) -> Mapping[int, Decimal]:
    return {
        index: surplus
        for index, (_, kind, rate, quantity) in enumerate(segments)
        if kinds.VOLUME[kind] and (surplus := _surplus(quantity, rate.step))
    }
