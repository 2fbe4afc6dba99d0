"""Where the answer of a restriction can change: the one list of borders for cutting periods, ours and a partner's."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from ocpi.pricing.scalars import DAY
from ocpi.pricing.tariffs import Tariff
from ocpi.pricing.zones import Clock


def of_clock(tariff: Tariff, clock: Clock, start: int, end: int) -> Iterator[int]:
    """The instants of local times of day, of midnight, and of changes of the offset, on every local date touched.

    A time of day that comes twice in the autumn night is two instants, one that never comes in spring is none: there
    the change of the offset is the first instant after it.
    """
    if not tariff.needs_clock:
        return
    times = {int(border) for border in of_check(tariff, "time")} | {0}
    for day in range(clock.local(start) // DAY, clock.local(end) // DAY + 1):
        for time in times:
            yield from clock.instants(day * DAY + time)
    yield from clock.changes(start, end)


def of_duration(tariff: Tariff, origins: Iterable[int]) -> Iterator[int]:
    """The instants at which a duration is reached that counts from one of the origins."""
    borders = of_check(tariff, "duration")
    return (origin + int(border) for origin in origins for border in borders)


def of_check(tariff: Tariff, ending: str) -> set[Decimal]:
    """The borders of the restrictions whose names end like this."""
    return {border for check in tariff.checks if check.name.endswith(ending) for border in check.borders}


def of_unit(tariff: Tariff, unit: str) -> list[Decimal]:
    """The borders of CURRENT or POWER, in order."""
    return sorted({border for check in tariff.checks if check.unit == unit for border in check.borders})
