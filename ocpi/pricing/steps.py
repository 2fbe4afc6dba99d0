"""step_size: once per session for energy, once for charging and parking time together (§mod_cdrs_step_size).

The sum of what is paid for is rounded up by the step of the last price; the surplus is billed at that last price.
Paid parking takes the rounding upon itself, a reservation has its own.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal

from msgspec.structs import replace

from ocpi.pricing import kinds
from ocpi.pricing.exact import ZERO
from ocpi.pricing.readings import Readings
from ocpi.pricing.uses import Last, Use


def surpluses(
    uses: Mapping[int, Use], last: Mapping[int, Last], readings: Readings
) -> Mapping[tuple[int, int], Decimal]:
    """What is billed beyond the measured quantity, by stretch and kind."""
    if readings.step_per_period:
        return _each(uses)
    if readings.step_over_unpriced:
        last = {kind: replace(final, total=final.total + _free(uses[kind])) for kind, final in last.items()}
    found = {}
    for final in _rounded(last, readings):
        if surplus := _surplus(final.total, final.rate.step):
            found[final.stretch, final.kind] = surplus
    return found


def _rounded(last: Mapping[int, Last], readings: Readings) -> Collection[Last]:
    """The sums that are rounded, each where it was last added to."""
    if kinds.TIME in last and kinds.PARKING_TIME in last:
        time, parking = last[kinds.TIME], last[kinds.PARKING_TIME]
        ignored = min(time, parking) if readings.step_sequential else time
        last = {kind: final for kind, final in last.items() if final is not ignored}
    if readings.step_shared_with_reservation and kinds.RESERVATION_TIME in last:
        shared = [final for kind, final in last.items() if kind != kinds.ENERGY]
        together = replace(max(shared), total=sum((final.total for final in shared), ZERO))
        return [final for final in last.values() if final not in shared] + [together]
    return last.values()


def _surplus(total: Decimal, step: Decimal) -> Decimal:
    """Nothing without a step, nor for energy that came back on balance."""
    return step - rest if step > ZERO and total > ZERO and (rest := total % step) else ZERO


def _free(use: Use) -> Decimal:
    return sum((free.quantity for free in use.free()), ZERO)


def _each(uses: Mapping[int, Use]) -> Mapping[tuple[int, int], Decimal]:
    return {
        (segment.stretch, kind): surplus
        for kind, use in uses.items()
        for segment in use.billed()
        if kinds.VOLUME[kind] and (surplus := _surplus(segment.quantity, segment.rate.step))
    }
