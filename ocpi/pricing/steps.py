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


class Segment(NamedTuple):
    """A quantity under one price: kWh, seconds, or one fee, in a stretch of the course."""

    stretch: int
    kind: int
    rate: Rate
    quantity: Decimal


class Free(NamedTuple):
    """A quantity that no element prices."""

    stretch: int
    kind: int
    quantity: Decimal


def surpluses(segments: Sequence[Segment], free: Sequence[Free], readings: Readings) -> Mapping[int, Decimal]:
    """What is billed beyond the measured quantity, by the index of the segment."""
    if readings.step_per_period:
        return _each(segments)
    last: dict[int, int] = {}
    sums: dict[int, Decimal] = {}
    for at, (_, kind, _, quantity) in enumerate(segments):
        last[kind] = at
        sums[kind] = sums.get(kind, ZERO) + quantity
    if readings.step_over_unpriced:
        for _, kind, quantity in free:
            sums[kind] = sums.get(kind, ZERO) + quantity
    found = {}
    for budget in _budgets(last, readings):
        at = max(last[kind] for kind in budget)
        total = sum((sums[kind] for kind in budget), ZERO)
        if surplus := _surplus(total, segments[at].rate.step):
            found[at] = surplus
    return found


def _budgets(last: Mapping[int, int], readings: Readings) -> list[tuple[int, ...]]:
    """The kinds that are summed and rounded together."""
    budgets: list[tuple[int, ...]] = [(kinds.ENERGY,)] if kinds.ENERGY in last else []
    timed = [kind for kind in (kinds.TIME, kinds.PARKING_TIME) if kind in last]
    if timed:
        absorbing = max(timed, key=lambda kind: last[kind]) if readings.step_sequential else timed[-1]
        budgets.append((absorbing,))
    if kinds.RESERVATION_TIME in last:
        if timed and readings.step_shared_with_reservation:
            budgets[-1] = (*budgets[-1], kinds.RESERVATION_TIME)
        else:
            budgets.append((kinds.RESERVATION_TIME,))
    return budgets


def _surplus(total: Decimal, step: Decimal) -> Decimal:
    """Nothing without a step, nor for energy that came back on balance."""
    return blocks(total, step) - total if step > 0 and total > 0 else ZERO


def _each(segments: Sequence[Segment]) -> Mapping[int, Decimal]:
    return {
        at: surplus
        for at, (_, kind, rate, quantity) in enumerate(segments)
        if kinds.VOLUME[kind] and (surplus := _surplus(quantity, rate.step))
    }
