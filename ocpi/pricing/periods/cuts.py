"""Every instant at which the price can change, and the energy until then.

Times of the clock, durations, tiers of energy, thresholds of power and current, changes of state, and switches of the
tariff. At a tier the energy is exactly the threshold, so the next period starts with it (min_kwh is inclusive).
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from enum import Enum, auto
from operator import attrgetter, itemgetter
from typing import NamedTuple

from ocpi.pricing import borders
from ocpi.pricing.exact import ZERO, rounded
from ocpi.pricing.figures import WIRE_PLACES
from ocpi.pricing.periods.gauges import UNITS, Band, Gauge, Run
from ocpi.pricing.periods.register import Point, Register
from ocpi.pricing.periods.timeline import Leg, Phase, Timeline
from ocpi.pricing.scalars import MILLISECOND, whole_second

Gauges = Mapping[tuple[str, Phase], Gauge]
"""What is known of each unit in each phase."""


class Reason(Enum):
    """Why a cut: a border that an auditor can see between periods, or an event of the session."""

    TIME = auto()
    TIER = auto()
    EVENT = auto()


class Cut(NamedTuple):
    """A cut in a leg; `kwh` is the energy of the session until then, `bands` hold from then on."""

    instant: int
    kwh: Decimal
    leg: Leg
    reasons: frozenset[Reason]
    bands: Mapping[str, Band]


def find(timeline: Timeline, register: Register, gauges: Gauges, steady: int) -> list[Cut]:
    """The cuts in order; the first one is the start. `steady`, in microseconds, is how long a band has to be kept."""
    found: list[Cut] = []
    for leg in timeline.legs:
        bands = _bands(leg, gauges, steady)
        for (instant, kwh), reasons in _marks(leg, timeline, register, bands):
            kwh = max(kwh, found[-1].kwh) if found else ZERO
            now = {unit: _latest(runs, instant) for unit, runs in bands.items()}
            found.append(Cut(instant, kwh, leg, frozenset(reasons), now))
    return found


def _marks(
    leg: Leg, timeline: Timeline, register: Register, bands: Mapping[str, Sequence[Run]]
) -> list[tuple[Point, set[Reason]]]:
    """Instant and energy of every cut of a leg in order, and why it is one."""
    instants = {leg.start: {Reason.EVENT}}
    for runs in bands.values():
        instants |= {run.start: {Reason.EVENT} for run in runs}
    for instant in _times(leg, timeline):
        if leg.start < instant < leg.end:
            instants.setdefault(instant, set()).add(Reason.TIME)
    points = {(instant, _written(register.at(instant))): why for instant, why in instants.items()}
    for point in _tiers(leg, register, sorted(instants)):
        points.setdefault(point, set()).add(Reason.TIER)
    return sorted(points.items(), key=itemgetter(0))


def _times(leg: Leg, timeline: Timeline) -> Iterator[int]:
    """Borders of the clock and of durations around a leg; durations count from the reservation, then from charging."""
    origin = timeline.start if leg.end <= timeline.origin else timeline.origin
    yield from borders.of_clock(leg.tariff, timeline.clock, leg.start, leg.end)
    yield from borders.of_duration(leg.tariff, [origin])


def _bands(leg: Leg, gauges: Gauges, steady: int) -> dict[str, list[Run]]:
    """By unit that the tariff restricts and somebody measured: the band from each instant on."""
    return {
        unit: gauge.runs(leg.start, leg.end, thresholds, steady)
        for unit in UNITS
        if (thresholds := borders.of_unit(leg.tariff, unit)) and (gauge := gauges.get((unit, leg.phase)))
    }


def _latest(runs: Sequence[Run], instant: int) -> Band:
    return runs[bisect_right(runs, instant, key=attrgetter("start")) - 1].band


def _tiers(leg: Leg, register: Register, marks: Sequence[int]) -> Iterator[Point]:
    """When each tier of energy is reached: to the second, unless that would pass another cut."""
    latest = leg.start
    for tier in sorted(borders.of_check(leg.tariff, "kwh")):
        reached = register.reached(tier) if tier > ZERO else None
        if reached is None or not leg.start <= reached < leg.end:
            continue
        after = bisect_right(marks, reached)
        low, high = max(marks[after - 1], latest), [*marks, leg.end][after]
        second = whole_second(Decimal(reached))
        latest = second if low < second < high else max(reached // MILLISECOND * MILLISECOND, latest)
        yield latest, tier


def _written(kwh: Decimal) -> Decimal:
    """As the wire has it; never more than there was."""
    return rounded(kwh, WIRE_PLACES, ROUND_FLOOR)
