"""The course of a session under one reading: what was used in each stretch, and the state at its start.

Rule T: hours on the wire are rounded, and nobody's rounding may buy a block of time. An amount that fits the length
of its period is that length; one that fits a whole second is that second; any other is taken as written.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate, repeat
from typing import TypeGuard

from msgspec import Struct

from ocpi.pricing import kinds
from ocpi.pricing.exact import ZERO, arithmetic
from ocpi.pricing.once import once
from ocpi.pricing.reading import Usage
from ocpi.pricing.readings import Readings, Reservation
from ocpi.pricing.restrictions import Moment, Moments
from ocpi.pricing.scalars import DAY, SECOND
from ocpi.pricing.selection import Selection
from ocpi.pricing.tariffs import BY_FALLBACK, EXPIRED, NO_RATES, USED, Ladder, Rate, Tariff, TaxMode
from ocpi.pricing.zones import Clock

_FITS_LENGTH = Decimal("1.8")  # seconds: half of 0.001 h
_MISSES_LENGTH = -_FITS_LENGTH
_FITS_SECOND = Decimal("0.18")  # seconds: half of 0.0001 h


class Stretches(Struct, frozen=True):
    """Charging periods, or parts of them, as columns; `periods` says which period each belongs to."""

    periods: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]
    amounts: Mapping[int, Sequence[Decimal]]
    """By kind: kWh and seconds, zero where nothing was used. Kinds that never occur are absent."""

    @property
    def is_reservation(self) -> bool:
        """Whether nothing was used but a reservation."""
        return kinds.RESERVATION_TIME in self.amounts and len(self.amounts) == 1

    def used(self, at: int) -> list[tuple[int, Decimal]]:
        """What was used in a stretch, by kind."""
        return [(kind, column[at]) for kind, column in self.amounts.items() if column[at]]

    def is_reserved(self, at: int) -> bool:
        """Whether the EVSE was reserved in a stretch."""
        return kinds.RESERVATION_TIME in self.amounts and bool(self.amounts[kinds.RESERVATION_TIME][at])

    def is_charging(self, at: int) -> bool:
        """Whether a stretch belongs to the charging session: unless it is reservation and nothing else."""
        return not self.is_reserved(at) or len(self.used(at)) > 1

    def total(self, kind: int) -> Decimal:
        """All that was used of a kind."""
        with arithmetic():  # parts of periods have more digits than a Decimal usually keeps
            return sum(self.amounts.get(kind, ()), ZERO)


class Course:
    """The stretches of a session in order, each with its tariff."""

    def __init__(
        self,
        usage: Usage,
        selected: Selection,
        clock: Clock,
        readings: Readings,
        stretches: Stretches | None = None,
    ) -> None:
        self.usage = usage
        self.selected = selected
        self.clock = clock
        self.readings = readings
        self.stretches = stretches or measured(usage, readings)
        if readings.reservation is None:
            self.is_expired = self.stretches.is_reservation and not usage.awaits_driver
        else:
            self.is_expired = readings.reservation is Reservation.EXPIRED
        self.fate = EXPIRED if self.is_expired else BY_FALLBACK if readings.reservation_by_fallback else USED
        self._rates: dict[int, Sequence[Rate | None]] = {}
        self._moments: Starts | None = None

    @property
    def places(self) -> range:
        """The stretches, by number."""
        return range(len(self.stretches.starts))

    @property
    def knows_tax(self) -> bool:
        """Whether gross amounts are known: not in OCPI 2.1.1, unless a tariff has VAT rates."""
        return self.usage.knows_vat or any(tariff.tax_mode is TaxMode.EXCLUDED for tariff in self.selected.distinct)

    @property
    def is_session(self) -> bool:
        """Whether there was any charging session; not when there was but a reservation."""
        return not self.is_expired and not (
            self.stretches.is_reservation and all(self.stretches.is_reserved(at) for at in self.places)
        )

    def ladder(self, at: int, kind: int) -> Ladder:
        """The rates of a kind for a stretch, in the order in which they are tried."""
        tariff = self.selected.tariffs[at]
        return NO_RATES if tariff is None else tariff.tables[self.fate].ladders[kind]

    def rates(self, kind: int) -> Sequence[Rate | None]:
        """By stretch: the rate of a kind at its start."""
        found = self._rates.get(kind)
        if found is None:
            throughout = self.selected.throughout
            found = self._rates[kind] = self._mixed(kind) if throughout is None else self._rates_of(throughout, kind)
        return found

    def _rates_of(self, tariff: Tariff, kind: int) -> Sequence[Rate | None]:
        ladder = tariff.tables[self.fate].ladders[kind]
        return ladder.over(self.moments) if ladder.is_conditional else [ladder.always] * len(self.selected.tariffs)

    def _mixed(self, kind: int) -> Sequence[Rate | None]:
        """Each stretch by its own tariff."""
        rates = {tariff: self._rates_of(tariff, kind) for tariff in self.selected.distinct}
        return [None if tariff is None else rates[tariff][at] for at, tariff in enumerate(self.selected.tariffs)]

    @property
    def moments(self) -> "Starts":
        """By stretch: the state at its start."""
        if self._moments is None:
            self._moments = Starts(self.usage, self.stretches, self.clock, self.readings)
        return self._moments


class Starts(Moments):
    """The states at the starts of the stretches of a course.

    All energy of the session counts, paid for or not; the duration counts from the start of charging, parking included,
    and within a reservation from the start of that.
    """

    def __init__(self, usage: Usage, stretches: Stretches, clock: Clock, readings: Readings) -> None:
        super().__init__((), readings)
        self._usage = usage
        self._stretches = stretches
        self._clock = clock
        self._days: Sequence[tuple[int, int, int]] | None = None

    def __len__(self) -> int:
        return len(self._stretches.starts)

    @once
    def origin(self) -> int:
        """The instant from which the duration counts.

        A reservation is over when charging starts, also when one period reports both.
        """
        starts = self._stretches.starts
        if self.readings.duration_with_reservation or not starts:
            return min(self._usage.start, *starts[:1], self._usage.start)
        reserved = self._stretches.amounts.get(kinds.RESERVATION_TIME)
        if reserved is None:
            return starts[0]
        for at, start in enumerate(starts):
            if self._stretches.is_charging(at):
                return start + int(reserved[at] * SECOND)
        return starts[0]

    @once
    def local(self) -> Sequence[int]:
        return self._clock.locals(self._stretches.starts)

    def in_window(self, opens: int, closes: int, inside: bool) -> Sequence[bool]:
        """Starts are in order, so those within the window on a day are neighbours: to find its ends will do."""
        if (offset := self._clock.offset) is None:
            return super().in_window(opens, closes, inside)
        starts = self._stretches.starts
        if self._days is None:
            self._days = _days(starts, offset)
        found = [not inside] * len(starts)
        for midnight, first, last in self._days:
            if opens <= last and first < closes:
                opened = bisect_left(starts, midnight + opens)
                closed = bisect_left(starts, midnight + closes, opened)
                found[opened:closed] = [inside] * (closed - opened)
        return found

    @once
    def kwh(self) -> Sequence[Decimal]:
        energy = self._stretches.amounts.get(kinds.ENERGY)
        return list(accumulate(energy[:-1], initial=ZERO)) if energy else [ZERO] * len(self)

    @once
    def elapsed(self) -> Sequence[int]:
        starts, origin = self._stretches.starts, self.origin
        reserved = min(starts, default=origin)
        return [start - origin if start >= origin else start - reserved for start in starts]

    @once
    def rows(self) -> Sequence[Moment]:
        usage, periods = self._usage, self._stretches.periods
        energy = [usage.volumes[kinds.ENERGY][period] for period in periods]
        rows = map(
            Moment,
            self.local,
            self.kwh,
            self.elapsed,
            [usage.gauges[period] for period in periods],
            energy,
            [usage.lengths[period] for period in periods] if any(energy) else repeat(ZERO),
            repeat(self.readings),
        )
        return list(rows)


def _days(starts: Sequence[int], offset: int) -> Sequence[tuple[int, int, int]]:
    """The local days on which starts fall: the instant each began, and the first and last time of day of the starts."""
    found, at = [], 0
    while at < len(starts):
        first = (starts[at] + offset) % DAY
        midnight = starts[at] - first
        at = bisect_left(starts, midnight + DAY, at)
        found.append((midnight, first, starts[at - 1] - midnight))
    return found


def measured(usage: Usage, readings: Readings) -> Stretches:
    """The periods with kWh and seconds; what is absent or zero is not used (§mod_cdrs_cdrdimension_class)."""
    amounts: dict[int, Sequence[Decimal]] = {}
    if any(energy := _energy(usage.volumes[kinds.ENERGY], readings)):
        amounts[kinds.ENERGY] = energy
    clocked = [kind for kind, column in usage.seconds.items() if any(column)]
    for kind in clocked:
        if any(seconds := _seconds(kind, clocked, usage, readings)):
            amounts[kind] = seconds
    if readings.wall_clock_time and any(time := _by_the_clock(amounts.get(kinds.TIME), clocked, usage)):
        amounts = dict(sorted({**amounts, kinds.TIME: time}.items()))
    return Stretches(range(len(usage.starts)), usage.starts, usage.ends, amounts)


def _energy(volumes: Sequence[Decimal | None], readings: Readings) -> Sequence[Decimal]:
    if readings.export_not_credited:
        return [max(volume or ZERO, ZERO) for volume in volumes]
    return volumes if _is_complete(volumes) else [volume or ZERO for volume in volumes]


def _is_complete(volumes: Sequence[Decimal | None]) -> TypeGuard[Sequence[Decimal]]:
    return all(volumes)


def _seconds(kind: int, clocked: Sequence[int], usage: Usage, readings: Readings) -> Sequence[Decimal]:
    """What counts of the time of a kind; `clocked` are all kinds that took time in the same periods."""
    lengths = usage.lengths
    literal = usage.seconds[kind]
    if literal == lengths and len(clocked) == 1:
        return literal
    if readings.hours_literal:
        return [max(seconds, ZERO) for seconds in literal]
    others = [usage.seconds[other] for other in clocked if other != kind]
    return [
        _rule_t(amount, ZERO if any(column[at] for column in others) else length) if amount > ZERO else ZERO
        for at, (amount, length) in enumerate(zip(literal, lengths, strict=True))
    ]


def _by_the_clock(charged: Sequence[Decimal] | None, clocked: Sequence[int], usage: Usage) -> Sequence[Decimal]:
    """Charging time, and the length of each period in which nothing took time."""
    return [
        length if not any(usage.seconds[kind][at] for kind in clocked) else charged[at] if charged else ZERO
        for at, length in enumerate(usage.lengths)
    ]


def _rule_t(seconds: Decimal, length: Decimal) -> Decimal:
    """`length` is that of the period when nothing else took time in it, else 0."""
    if length and _MISSES_LENGTH <= seconds - length <= _FITS_LENGTH:
        return length
    whole = seconds.to_integral_value(ROUND_HALF_UP)
    return whole if whole and abs(seconds - whole) <= _FITS_SECOND else seconds
