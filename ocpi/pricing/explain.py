"""Why a price: the elements that were tried at a moment, and what each of their restrictions saw.

The same ladders and checks that priced are asked again, so the answer cannot differ from what was done.
"""

from typing import Any, NamedTuple

from ocpi.pricing.course import Course
from ocpi.pricing.restrictions import Check, Moment, Moments
from ocpi.pricing.tariffs import Rate


class Outcome(NamedTuple):
    """What one restriction answered."""

    check: Check
    seen: Any
    holds: bool


class Tried(NamedTuple):
    """A price component that was considered; it applies when every outcome holds."""

    rate: Rate
    outcomes: tuple[Outcome, ...]

    @property
    def applies(self) -> bool:
        return all(outcome.holds for outcome in self.outcomes)


def tried(course: Course, at: int, kind: int) -> list[Tried]:
    """The price components of a kind in the order tried, up to the one that applies, if any does."""
    moment = course.moments.rows[at]
    found = []
    for rate in course.ladder(at, kind).rates:
        found.append(Tried(rate, tuple(_asked(check, moment) for check in rate.checks)))
        if found[-1].applies:
            break
    return found


def straddles(outcome: Outcome, moment: Moment) -> bool:
    """Whether current or power crossed the bound within the period, so that both sides of it were right."""
    if (unit := outcome.check.unit) is None or not moment.gauges:
        return False
    lowest, highest = moment.gauges.get(f"MIN_{unit}"), moment.gauges.get(f"MAX_{unit}")
    return lowest is not None and highest is not None and lowest < outcome.check.borders[0] <= highest


def _asked(check: Check, moment: Moment) -> Outcome:
    (holds,) = check.holds(Moments([moment], moment.readings))
    return Outcome(check, check.seen(moment), holds)
