"""Where the price can change within a charging period, and the period cut there (§mod_cdrs_charging_period).

The CPO has to start a period at every change of price. When one did not, the usage is taken as linear: exact for
tiers of energy, and for borders of the clock on time. Cuts are made on registers, so the parts add up exactly.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from msgspec.structs import replace

from ocpi.pricing import borders, kinds
from ocpi.pricing.course import Course, Stretches
from ocpi.pricing.exact import ONE, ZERO, ratio
from ocpi.pricing.scalars import DAY
from ocpi.pricing.tariffs import Tariff

_LONGEST = 40 * DAY
"""A longer period is not a session anybody cuts into days."""

_PLACES = ONE.scaleb(-30)


class Cut(NamedTuple):
    """A place within a stretch: its share of the whole, the instant, and the energy until then where it is a tier."""

    share: Decimal
    instant: int
    energy: Decimal | None = None


def split(course: Course) -> Course:
    """The same course with its stretches cut wherever a restriction of their tariff can begin or cease to hold."""
    whole = course.stretches
    periods: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    amounts: dict[int, list[Decimal]] = {kind: [] for kind in whole.amounts}
    tariffs = course.selected.tariffs
    for at, tariff in enumerate(tariffs):
        cuts = _cuts(course, at, tariff) if tariff and tariff.checks else []
        # in order, whatever the last of 100 digits says
        instants = list(accumulate((cut.instant for cut in cuts), max))
        starts += [whole.starts[at], *instants]
        ends += [*instants, whole.ends[at]]
        periods += [at] * (len(cuts) + 1)
        for kind, column in whole.amounts.items():
            amounts[kind] += _parts(kind, column[at], cuts)
    selected = replace(course.selected, tariffs=[tariffs[at] for at in periods])
    return Course(course.usage, selected, course.clock, course.readings, Stretches(periods, starts, ends, amounts))


def _cuts(course: Course, at: int, tariff: Tariff) -> list[Cut]:
    stretches = course.stretches
    start, end = stretches.starts[at], stretches.ends[at]
    length = end - start
    if not 0 < length < _LONGEST:
        return []
    cuts = [
        Cut(ratio(Decimal(instant - start), Decimal(length)), instant)
        for instant in {
            *borders.of_clock(tariff, course.clock, start, end),
            *borders.of_duration(tariff, {course.moments.origin, stretches.starts[0]}),
        }
        if start < instant < end
    ]
    energy, before = stretches.amounts.get(kinds.ENERGY, [ZERO] * (at + 1))[at], course.moments.kwh[at]
    for border in borders.of_check(tariff, "kwh"):
        if energy and ZERO < (share := ratio(border - before, energy)) < ONE:
            cuts.append(Cut(share, start + int(length * share), border - before))
    return sorted(cuts, key=lambda cut: cut.share)


def _parts(kind: int, amount: Decimal, cuts: list[Cut]) -> Iterator[Decimal]:
    """An amount cut into parts; its register is read where the share, or the tier, says."""
    before = ZERO
    for cut in cuts:
        register = cut.energy if kind == kinds.ENERGY else None
        if register is None:
            register = (amount * cut.share).quantize(_PLACES)
        yield register - before
        before = register
    yield amount - before
