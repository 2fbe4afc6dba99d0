"""Power and current over time, and the bands between the thresholds of a tariff in which they are.

Linear between the samples of a phase, steady before the first and after the last. A band only counts once it has been
kept for the agreed time, so a value that flaps around a threshold does not make periods, and what a period reports
stays within its band.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import groupby, pairwise
from operator import itemgetter
from typing import NamedTuple

from ocpi.pricing.exact import HOUR, ONE, ZERO, ratio, rounded
from ocpi.pricing.figures import WIRE_PLACES
from ocpi.pricing.periods.history import Sample, State
from ocpi.pricing.periods.register import Register
from ocpi.pricing.periods.timeline import Phase
from ocpi.pricing.scalars import instant_of, seconds, whole_second

UNITS = ("CURRENT", "POWER")

_LEAST = ONE.scaleb(-WIRE_PLACES)


class Band(NamedTuple):
    """From a threshold, inclusive, to the next, exclusive."""

    low: Decimal | None
    high: Decimal | None

    def clamp(self, value: Decimal) -> Decimal:
        """The nearest value of the band that can be written."""
        if self.high is not None:
            value = min(value, self.high - _LEAST)
        return value if self.low is None else max(value, self.low)


class Run(NamedTuple):
    """A band from an instant on."""

    start: int
    band: Band


class Piece(NamedTuple):
    """A linear piece of a curve."""

    start: int
    end: int
    first: Decimal
    last: Decimal

    def at(self, instant: int) -> Decimal:
        if self.first == self.last:
            return self.first
        return self.first + ratio((self.last - self.first) * (instant - self.start), Decimal(self.end - self.start))

    def crossing(self, border: Decimal) -> int | None:
        """The second in which the piece passes the border."""
        if not min(self.first, self.last) < border < max(self.first, self.last):
            return None
        share = ratio(border - self.first, self.last - self.first)
        return whole_second(self.start + (self.end - self.start) * share)


class Gauge:
    """Current or power during a phase."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._starts = [piece.start for piece in pieces]

    def span(self, start: int, end: int, band: Band) -> tuple[Decimal, Decimal]:
        """The lowest and the highest value of a stretch, within its band, as they are written."""
        pieces = self._pieces[self._place(start) : max(bisect_left(self._starts, end), 1)] or self._pieces[-1:]
        values = [piece.at(at) for piece in pieces for at in (max(piece.start, start), min(piece.end, end))]
        low, high = rounded(min(values), WIRE_PLACES, ROUND_FLOOR), rounded(max(values), WIRE_PLACES, ROUND_CEILING)
        return band.clamp(low), band.clamp(high)

    def runs(self, start: int, end: int, borders: Sequence[Decimal], shortest: int) -> list[Run]:
        """The bands of a stretch in order, each kept for `shortest` microseconds; the first one starts with it."""
        bands = [Band(*pair) for pair in pairwise([None, *borders, None])]
        raw = list(self._raw(start, end, borders))
        lengths = [until - since for (since, _), (until, _) in pairwise([*raw, (end, 0)])]
        steady = [run for run, length in zip(raw, lengths, strict=True) if length >= shortest]
        if not steady:
            longest = max(range(len(bands)), key=lambda band: _time_in(band, raw, lengths))
            return [Run(start, bands[longest])]
        kept = [next(group) for _, group in groupby(steady, key=itemgetter(1))]
        return [Run(since if at else start, bands[band]) for at, (since, band) in enumerate(kept)]

    def _raw(self, start: int, end: int, borders: Sequence[Decimal]) -> Iterator[tuple[int, int]]:
        """From when on the value is in which band, however shortly."""
        knots = {start, *self._starts}
        knots.update(at for piece in self._pieces for border in borders if (at := piece.crossing(border)) is not None)
        instants = sorted(knot for knot in knots if start <= knot < end)
        between = zip(instants, [*instants, end][1:], strict=True)
        found = ((since, bisect_right(borders, self._at((since + until) // 2))) for since, until in between)
        return (next(group) for _, group in groupby(found, key=itemgetter(1)))

    def _at(self, instant: int) -> Decimal:
        return self._pieces[self._place(instant)].at(instant)

    def _place(self, instant: int) -> int:
        return max(bisect_right(self._starts, instant) - 1, 0)


def read(unit: str, phase: Phase, samples: Sequence[Sample], register: Register) -> Gauge | None:
    """The gauge of a unit in a phase, None if nobody knows it.

    While nothing flows it is zero. Power that was not sampled is the average between two readings of the register; of
    current nothing can be inferred.
    """
    points = sorted(
        {
            instant: value
            for sample in samples
            if (value := getattr(sample, unit.lower())) is not None
            and phase.start <= (instant := instant_of(sample.at)) < phase.end
        }.items()
    )
    if points:
        points = [(phase.start, points[0][1]), *points, (phase.end, points[-1][1])]
        pieces = [Piece(start, end, first, last) for (start, first), (end, last) in pairwise(points) if start < end]
        return Gauge(pieces)
    if phase.state is not State.CHARGING:
        return Gauge([Piece(phase.start, phase.end, ZERO, ZERO)])
    return Gauge(list(_averages(phase, register))) if unit == "POWER" else None


def _averages(phase: Phase, register: Register) -> Iterator[Piece]:
    for start, end, kwh in register.steps(phase.start, phase.end):
        power = ratio(kwh * HOUR, seconds(end - start)) if start < end else ZERO
        yield Piece(start, end, power, power)


def _time_in(band: int, runs: Sequence[tuple[int, int]], lengths: Sequence[int]) -> int:
    return sum(length for (_, other), length in zip(runs, lengths, strict=True) if other == band)
