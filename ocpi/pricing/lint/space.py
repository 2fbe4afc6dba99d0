"""The geometry of restrictions: cases as points in a space of seven dimensions, elements as boxes in it.

Every dimension is cut into cells at the borders of the tariff, within which no restriction changes its answer; a box is
a set of cells (as bits) per dimension. Which cells belong to an element is asked of its checks. Whether boxes cover
another is then the question whether a pattern is useful after others: what is left of it is divided and pursued.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from ocpi.pricing.exact import ZERO, plain
from ocpi.pricing.readings import RECOMMENDED
from ocpi.pricing.restrictions import FIRST_DAY, WEEKDAYS, Check, Moment, Moments
from ocpi.pricing.scalars import DAY, SECOND
from ocpi.pricing.subject import Element

DIMENSIONS = ("day", "time", "kwh", "duration", "power", "current")

Box = tuple[int, ...]
"""The cells of an element, as bits, by dimension."""

_PATIENCE = 20_000
"""Steps of a search: an honest tariff needs a few hundred, a hostile one never ends."""

_WEEK = 7
_A_MONDAY = date(2026, 1, 5).toordinal() - FIRST_DAY
_NOWHERE = Moment(0, ZERO, 0, None, None, ZERO, RECOMMENDED)


class Cell(NamedTuple):
    """A part of a dimension by a case in it: what to show, and as part of a moment."""

    shown: Any
    moment: Moment


@dataclass(frozen=True, slots=True)
class Space:
    """The cells of each dimension of one tariff."""

    cells: Sequence[Sequence[Cell]]
    restricted: frozenset[str]
    """The dimensions in which some element has a restriction."""

    @property
    def everything(self) -> Box:
        return tuple((1 << len(cells)) - 1 for cells in self.cells)

    def box(self, element: Element) -> Box:
        box = list(self.everything)
        for check in element.checks:
            at = DIMENSIONS.index(dimension_of(check))
            cases = Moments([cell.moment for cell in self.cells[at]], RECOMMENDED)
            box[at] &= sum(1 << bit for bit, holds in enumerate(check.holds(cases)) if holds)
        return tuple(box)

    def days(self, weekday: int) -> int:
        """The cells of a weekday."""
        return sum(1 << bit for bit, cell in enumerate(self.cells[0]) if cell.moment.weekday == weekday)

    def witness(self, box: Box) -> Mapping[str, Any]:
        """A case in the box, in the dimensions that matter; a weekday, a time, kWh, seconds, kW, A."""
        return {
            name: cells[(bits & -bits).bit_length() - 1].shown
            for name, cells, bits in zip(DIMENSIONS, self.cells, box, strict=True)
            if name in self.restricted
        }


def of(elements: Sequence[Element]) -> Space:
    """The space of the elements of a tariff."""
    checks = [check for element in elements for check in element.checks]
    borders = {name: _borders(name, checks) for name in DIMENSIONS}
    return Space(
        (
            list(_days(borders["day"])),
            [Cell(_clock(at), _NOWHERE._replace(local=at)) for at in map(int, borders["time"])],
            [Cell(plain(kwh), _NOWHERE._replace(kwh=kwh)) for kwh in borders["kwh"]],
            [Cell(plain(at.scaleb(-6)), _NOWHERE._replace(elapsed=int(at))) for at in borders["duration"]],
            list(_gauges("POWER", borders["power"])),
            # a vehicle's current may be unknown, and then no restriction on it holds
            [*_gauges("CURRENT", borders["current"]), Cell("not measured", _NOWHERE)],
        ),
        frozenset(dimension_of(check) for check in checks),
    )


def dimension_of(check: Check) -> str:
    """The dimension a check restricts."""
    return "day" if check.name in ("date", "day_of_week") else check.name.removeprefix("min_").removeprefix("max_")


def is_empty(box: Box) -> bool:
    return not all(box)


def shared(one: Box, other: Box) -> Box:
    return tuple(mine & its for mine, its in zip(one, other, strict=True))


def within(one: Box, other: Box) -> bool:
    """Whether the first lies in the second."""
    return shared(one, other) == one


class Undecided(Exception):
    """The search took too long: nothing can be said."""


def rest(box: Box, others: Sequence[Box]) -> Box | None:
    """A part of the box that none of the others covers, None if they cover all of it; raises `Undecided`.

    Depth first: what the first box that meets it leaves is divided by dimension, each part for the boxes after it.
    """
    pending, steps = [(box, 0)] if not is_empty(box) else [], 0
    while pending:
        box, at = pending.pop()
        while at < len(others) and is_empty(shared(box, others[at])):
            at += 1
        if at == len(others):
            return box
        if (steps := steps + 1) > _PATIENCE:
            raise Undecided
        pending += [(part, at + 1) for part in reversed([*_divided(box, others[at])])]
    return None


def _divided(box: Box, other: Box) -> Iterator[Box]:
    """The box without the other, in disjoint parts."""
    for at, (mine, its) in enumerate(zip(box, other, strict=True)):
        if outside := mine & ~its:
            yield (*box[:at], outside, *box[at + 1 :])
        box = (*box[:at], mine & its, *box[at + 1 :])


def _borders(dimension: str, checks: Sequence[Check]) -> list[Decimal]:
    """The borders in order, with zero, which is where every dimension begins; days begin long before."""
    found = {border for check in checks if dimension_of(check) == dimension for border in check.borders}
    return sorted(found if dimension == "day" else {border for border in found if border > ZERO} | {ZERO})


def _days(borders: Sequence[Decimal]) -> Iterator[Cell]:
    """Of each stretch between two dates the weekdays that occur, Monday first."""
    dates = [int(border) for border in borders]
    for start, end in zip([None, *dates], [*dates, None], strict=True):
        first = start if start is not None else end - 2 * _WEEK if end is not None else _A_MONDAY + FIRST_DAY
        last = first + _WEEK if end is None else min(end, first + _WEEK)
        cells = [_NOWHERE._replace(local=(day - FIRST_DAY) * DAY) for day in range(first, last)]
        for moment in sorted(cells, key=lambda moment: moment.weekday):
            weekday = WEEKDAYS[moment.weekday]
            yield Cell(f"{weekday} {date.fromordinal(moment.day)}" if dates else weekday, moment)


def _gauges(unit: str, borders: Sequence[Decimal]) -> Iterator[Cell]:
    for value in borders:
        yield Cell(plain(value), _NOWHERE._replace(gauges={unit: value}))


def _clock(at: int) -> str:
    minutes = at // SECOND // 60
    return f"{minutes // 60:02}:{minutes % 60:02}"
