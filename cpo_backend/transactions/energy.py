"""The energy of a transaction from what its meter showed, in Wh. Pure.

Signed values decide, then the meter at start and stop, then the readings between, then power over time. What a meter
cannot have meant is recognized, named and made good; it never comes to less than nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

ZERO = Decimal(0)
_HOUR = Decimal(3600)
_KILO = Decimal(1000)
# Between which multiples of what the meter counted its power comes to when it counted kWh and told Wh.
_KILO_FROM, _KILO_TO = Decimal(500), Decimal(2000)
# Wh by which a reading may exceed the stop because they were rounded apart.
_SLACK = Decimal(100)


class Basis(StrEnum):
    """What the energy follows from."""

    SIGNED = "signed values"
    METER = "start and stop"
    READINGS = "readings"
    POWER = "power"
    NOTHING = "nothing"


class Oddity(StrEnum):
    """What is odd about a meter."""

    RESET = "the register was reset: the sum of what it counted before and after"
    RELATIVE = "the readings count from the start of the transaction, the meter value at the start does not"
    KILO = "the meter told kWh as Wh: taken times 1000"
    BARE_KILO = "readings without a unit are kWh: taken times 1000"
    CONTRADICTED = "readings that do not lie between start and stop are left out"
    SIGNED_BACKWARDS = "the signed value at the end is below that at the start: not used"


class Point(NamedTuple):
    """A register in Wh; `is_bare`: told without a unit."""

    at: datetime
    wh: Decimal
    is_bare: bool = False


@dataclass(frozen=True, slots=True)
class Meter:
    """What is known, in order of time: registers in Wh, power in W. Signed values are those at start and end."""

    start: datetime
    end: datetime
    meter_start: Decimal | None = None
    meter_stop: Decimal | None = None
    readings: Sequence[Point] = ()
    power: Sequence[Point] = ()
    signed: tuple[Decimal, Decimal] | None = None


@dataclass(slots=True)
class Energy:
    """`curve`: Wh since the start; it never falls, and ends with the whole."""

    wh: Decimal
    basis: Basis
    curve: list[Point]
    oddities: list[Oddity] = field(default_factory=list)


def reckon(meter: Meter) -> Energy:
    """The energy between start and end."""
    oddities: list[Oddity] = []
    if meter.signed is not None:
        begin, end = meter.signed
        if end >= begin:
            whole = Meter(meter.start, meter.end, begin, end, meter.readings)
            return _between(whole, begin, end, Basis.SIGNED, oddities)
        oddities.append(Oddity.SIGNED_BACKWARDS)
    meter = _in_wh(meter, oddities)
    start, stop = meter.meter_start, meter.meter_stop
    if start is not None and stop is not None and stop >= start and not _fell_from_above(meter.readings, stop):
        return _between(meter, start, stop, Basis.METER, oddities)
    return _counted(meter, oddities)


def _between(meter: Meter, start: Decimal, stop: Decimal, basis: Basis, oddities: list[Oddity]) -> Energy:
    """The difference is certain; readings only say when."""
    readings = meter.readings
    if readings and all(point.wh < start for point in readings) and all(point.wh <= stop - start for point in readings):
        readings = [point._replace(wh=point.wh + start) for point in readings]
        oddities.append(Oddity.RELATIVE)
    curve = [Point(meter.start, ZERO)]
    for point in readings:
        if start <= point.wh <= stop and point.wh - start >= curve[-1].wh:
            curve.append(Point(point.at, point.wh - start))
        elif Oddity.CONTRADICTED not in oddities:
            oddities.append(Oddity.CONTRADICTED)
    curve.append(Point(meter.end, stop - start))
    return Energy(stop - start, basis, curve, oddities)


def _counted(meter: Meter, oddities: list[Oddity]) -> Energy:
    """The sum of what the register grew: where it fell, it began anew."""
    chain = list(meter.readings)
    start, basis = meter.meter_start, Basis.READINGS
    if meter.meter_stop is not None:
        chain.append(Point(meter.end, meter.meter_stop))
        basis = Basis.METER if start is not None else basis
    if start is not None:
        if chain and all(point.wh < start for point in chain):
            start = ZERO
            oddities.append(Oddity.RELATIVE)
        chain.insert(0, Point(meter.start, start))
    if len(chain) < 2 and meter.power:
        return _integrated(meter, oddities)
    if not chain:
        return Energy(ZERO, Basis.NOTHING, [Point(meter.start, ZERO)], oddities)
    curve = [Point(chain[0].at, ZERO)]
    for one, other in pairwise(chain):
        if other.wh < one.wh and Oddity.RESET not in oddities:
            oddities.append(Oddity.RESET)
        curve.append(Point(other.at, curve[-1].wh + max(other.wh - one.wh, ZERO)))
    return Energy(curve[-1].wh, basis, curve, oddities)


def _integrated(meter: Meter, oddities: list[Oddity]) -> Energy:
    curve = [Point(meter.power[0].at, ZERO)]
    for one, other in pairwise(meter.power):
        curve.append(Point(other.at, curve[-1].wh + _work(one, other)))
    return Energy(curve[-1].wh, Basis.POWER, curve, oddities)


def _work(one: Point, other: Point) -> Decimal:
    """Wh between two values of power; none flows back."""
    seconds = Decimal((other.at - one.at).total_seconds())
    return (max(one.wh, ZERO) + max(other.wh, ZERO)) / 2 * seconds / _HOUR


def _fell_from_above(readings: Sequence[Point], stop: Decimal) -> bool:
    """Whether the register had been beyond its last value: it was reset on the way, though it ended above its start."""
    return any(point.wh > stop + _SLACK for point in readings)


def _in_wh(meter: Meter, oddities: list[Oddity]) -> Meter:
    """With the units that must have been meant."""
    start, stop = meter.meter_start, meter.meter_stop
    readings = meter.readings
    bare = [point.wh for point in readings if point.is_bare]
    if start and bare and max(bare) < start and all(_fits(wh * _KILO, start, stop) for wh in bare):
        readings = [point._replace(wh=point.wh * _KILO) if point.is_bare else point for point in readings]
        oddities.append(Oddity.BARE_KILO)
    counted = [wh for wh in (start, *(point.wh for point in readings), stop) if wh is not None]
    grown = counted[-1] - counted[0] if counted else ZERO
    work = sum((_work(one, other) for one, other in pairwise(meter.power)), ZERO)
    if grown > ZERO and _KILO_FROM <= work / grown <= _KILO_TO:
        oddities.append(Oddity.KILO)
        readings = [point._replace(wh=point.wh * _KILO) for point in readings]
        start, stop = (None if wh is None else wh * _KILO for wh in (start, stop))
    return Meter(meter.start, meter.end, start, stop, readings, meter.power)


def _fits(wh: Decimal, start: Decimal, stop: Decimal | None) -> bool:
    """Whether a reading lies between start and stop, or not far beyond the start while there is no stop."""
    return start - _KILO <= wh <= (stop + _KILO if stop is not None else start * 2 + 1_000_000)
