"""The energy of a session as a curve over time, from the readings of the register.

Between two readings the energy grows linearly while the vehicle charges, and only then. Where the register counts
backwards nothing is interpolated and nothing charged for. A pair of signed values decides on the whole: what lies
between them only says when. While the EVSE is reserved the register is nobody's.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from ocpi.pricing.exact import ZERO, ratio
from ocpi.pricing.faults import BadInput
from ocpi.pricing.notes import Code, Note
from ocpi.pricing.periods.history import Sample, State
from ocpi.pricing.periods.timeline import Phase, Timeline
from ocpi.pricing.scalars import instant_of

Point = tuple[int, Decimal]
"""An instant and the kWh charged until then."""


class _Reading(NamedTuple):
    instant: int
    kwh: Decimal
    is_signed: bool
    place: int

    def note(self, code: Code) -> Note:
        return Note(code, f"/samples/{self.place}")


class Register:
    """kWh since the start of charging; never falls, and stands still before its first and after its last point."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._instants = [instant for instant, _ in points]
        self._kwh = [kwh for _, kwh in points]

    @property
    def total(self) -> Decimal:
        return self._kwh[-1] if self._kwh else ZERO

    def at(self, instant: int) -> Decimal:
        after = bisect_right(self._instants, instant)
        if after in (0, len(self._instants)):
            return self.total if after else ZERO
        start, end = self._instants[after - 1 : after + 1]
        before, until = self._kwh[after - 1 : after + 1]
        return before + ratio((until - before) * (instant - start), Decimal(end - start))

    def reached(self, kwh: Decimal) -> int | None:
        """The first instant with this energy, None if there never was so much."""
        at = bisect_left(self._kwh, kwh)
        if at == len(self._kwh):
            return None
        if at == 0:
            return self._instants[0]
        start, end = self._instants[at - 1 : at + 1]
        before, until = self._kwh[at - 1 : at + 1]
        return start + int(ratio((kwh - before) * (end - start), until - before))

    def steps(self, start: int, end: int) -> Iterator[tuple[int, int, Decimal]]:
        """The linear pieces between two instants: from, to, and the kWh of the piece."""
        inner = self._instants[bisect_right(self._instants, start) : bisect_left(self._instants, end)]
        for since, until in pairwise([start, *inner, end]):
            yield since, until, self.at(until) - self.at(since)


def read(samples: Sequence[Sample], timeline: Timeline) -> tuple[Register, list[Note]]:
    """The curve and what is odd about it. Raises `BadInput`: signed values that count backwards, a naive time."""
    readings = _readings(samples, timeline)
    signed = [reading for reading in readings if reading.is_signed]
    notes: list[Note] = []
    if len(signed) > 1:
        readings = list(_between(signed[0], signed[-1], readings, notes))
    elif signed and not timeline.is_running:
        notes.append(signed[0].note(Code.SIGNED_VALUE_MISSING))
    points: list[Point] = [(reading.instant, ZERO) for reading in readings[:1]]
    for one, other in pairwise(readings):
        if other.kwh < one.kwh:
            notes.append(other.note(Code.REGISTER_DECREASED))
            points.append((other.instant, points[-1][1]))
        else:
            points += _growth(points[-1], (other.instant, points[-1][1] + other.kwh - one.kwh), timeline.phases)
    return Register(points), notes


def _readings(samples: Sequence[Sample], timeline: Timeline) -> list[_Reading]:
    """In order of time, one for an instant. Before charging starts only the last one counts, as its start.

    A signed value belongs to the session even if its clock says otherwise.
    """
    found: dict[int, _Reading] = {}
    for index, sample in enumerate(samples):
        if sample.register is None:
            continue
        at = instant_of(sample.at)
        if timeline.start <= at <= timeline.end or sample.is_signed:
            at = min(max(at, timeline.start), timeline.end)
            found[index] = _Reading(at, sample.register, sample.is_signed, index)
    by_instant: dict[int, _Reading] = {}
    for reading in sorted(found.values(), key=lambda reading: (reading.instant, reading.is_signed)):
        at = max(reading.instant, timeline.origin)
        if at not in by_instant or reading.is_signed or not by_instant[at].is_signed:
            by_instant[at] = reading._replace(instant=at)
    return list(by_instant.values())


def _between(first: _Reading, last: _Reading, readings: Sequence[_Reading], notes: list[Note]) -> Iterator[_Reading]:
    """The readings from the first signed one to the last that fit between them."""
    if last.kwh < first.kwh:
        raise BadInput("the signed value at the end is below that at the start", "samples", last.place)
    yield (latest := first)
    for reading in readings:
        if first.instant < reading.instant < last.instant:
            if latest.kwh <= reading.kwh <= last.kwh:
                yield (latest := reading)
            else:
                notes.append(reading.note(Code.SAMPLE_CONTRADICTS_SIGNED))
    yield last


def _growth(start: Point, end: Point, phases: Sequence[Phase]) -> Iterator[Point]:
    """The points after `start` up to `end`: linear while charging, or linear at all if there was no charging."""
    spans = [
        (max(phase.start, start[0]), min(phase.end, end[0]))
        for phase in phases
        if phase.state is State.CHARGING and phase.end > start[0] and phase.start < end[0]
    ]
    if not spans or end[1] == start[1]:
        yield end
        return
    length, passed = Decimal(sum(until - since for since, until in spans)), 0
    for since, until in spans:
        if since > start[0]:
            yield since, start[1] + ratio((end[1] - start[1]) * passed, length)
        passed += until - since
        yield until, start[1] + ratio((end[1] - start[1]) * passed, length)
    if spans[-1][1] < end[0]:
        yield end
