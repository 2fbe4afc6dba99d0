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
from ocpi.pricing.uses import Use


class Last(NamedTuple):
    """Where a kind was last paid for, and the sum of it that is to be rounded."""

    stretch: int
    kind: int
    total: Decimal


def surpluses(
    uses: Mapping[int, Use], last: Mapping[int, Last], readings: Readings
) -> Mapping[tuple[int, int], Decimal]:
    """What is billed beyond the measured quantity, by stretch and kind."""
    if readings.step_per_period:
        return _each(uses)
    if readings.step_over_unpriced:
        last = {kind: final._replace(total=final.total + _free(uses[kind])) for kind, final in last.items()}
    found = {}
    for budget in _budgets(last, readings):
        stretch, kind, total = last[budget[0]] if len(budget) == 1 else _together([last[kind] for kind in budget])
        rate = uses[kind].rates[stretch]
        if rate is not None and (surplus := _surplus(total, rate.step)):
            found[stretch, kind] = surplus
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


def _free(use: Use) -> Decimal:
    return sum((free.quantity for free in use.free()), ZERO)


def _each(uses: Mapping[int, Use]) -> Mapping[tuple[int, int], Decimal]:
    return {
        (segment.stretch, kind): surplus
        for kind, use in uses.items()
        for segment in use.billed()
        if kinds.VOLUME[kind] and (surplus := _surplus(segment.quantity, segment.rate.step))
    }
