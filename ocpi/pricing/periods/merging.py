"""Neighbouring parts that are priced alike become one charging period.

Alike is what the engine says: the same price component for everything that is used, a flat fee included. An auditor
takes the energy of a period as linear. Where a price depends on tiers of energy and on time, a period therefore never
hides borders of both: they could be passed in the other order.
"""

from collections.abc import Mapping, Sequence

from ocpi.pricing import kinds
from ocpi.pricing.course import Course
from ocpi.pricing.periods.cuts import Reason
from ocpi.pricing.periods.history import State
from ocpi.pricing.periods.parts import Part
from ocpi.pricing.tariffs import Ladder, Rate

_OF_ENERGY = ("min_kwh", "max_kwh")
_OF_TIME = ("time", "date", "day_of_week", "min_duration", "max_duration")

_Rates = Mapping[int, frozenset[Rate | None]]
"""By kind, every price component that applies somewhere."""


class _Run:
    """Parts that are one period so far."""

    def __init__(self, part: Part, rates: _Rates) -> None:
        self.part = part
        self._rates = rates
        self._hidden: frozenset[Reason] = frozenset()

    def takes(self, part: Part, rates: _Rates, *, mixed: bool) -> bool:
        """Adds the part if it belongs to the period. `mixed`: its prices depend on tiers and on time."""
        hidden = self._hidden | (part.reasons - {Reason.EVENT})
        both = {kind: self._rates.get(kind, frozenset()) | found for kind, found in rates.items()}
        is_alike = (
            self.part.resembles(part)
            and not (mixed and hidden == {Reason.TIER, Reason.TIME})
            and all(len(found) == 1 or self._is_idle(kind, part) for kind, found in both.items())
        )
        if is_alike:
            self.part, self._rates, self._hidden = self.part.joined(part), both, hidden
        return is_alike

    def _is_idle(self, kind: int, part: Part) -> bool:
        """Whether the price does not matter, because there is no energy."""
        return kind == kinds.ENERGY and not self.part.kwh and not part.kwh


def merge(parts: Sequence[Part], course: Course) -> list[Part]:
    """The parts with neighbours joined; the course has a stretch for each of them."""
    runs: list[_Run] = []
    for at, part in enumerate(parts):
        rates = {kind: frozenset({course.rates(kind)[at]}) for kind in _kinds(part.state)}
        mixed = any(_mixes(course.ladder(at, kind)) for kind in rates)
        if not runs or not runs[-1].takes(part, rates, mixed=mixed):
            runs.append(_Run(part, rates))
    return [run.part for run in runs]


def _kinds(state: State) -> tuple[int, ...]:
    """What can be billed in a state."""
    if state is State.RESERVED:
        return kinds.RESERVATION_TIME, kinds.RESERVATION_FLAT
    return kinds.ENERGY, state.kind, kinds.FLAT


def _mixes(ladder: Ladder) -> bool:
    names = {check.name for rate in ladder.rates for check in rate.checks}
    return not names.isdisjoint(_OF_ENERGY) and not names.isdisjoint(_OF_TIME)
