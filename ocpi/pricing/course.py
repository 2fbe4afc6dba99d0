"""The course of a session under one reading: what was used in each stretch, and the state at its start.

Rule T: hours on the wire are rounded, and nobody's rounding may buy a block of time. An amount that fits the length
of its period is that length; one that fits a whole second is that second; any other is taken as written.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from ocpi.pricing import kinds
from ocpi.pricing.exact import HOUR, ZERO, ratio
from ocpi.pricing.reading import Period, Usage
from ocpi.pricing.readings import Readings, Reservation
from ocpi.pricing.restrictions import Moment
from ocpi.pricing.scalars import SECOND
from ocpi.pricing.tariffs import BY_FALLBACK, EXPIRED, USED, Table, Tariff
from ocpi.pricing.zones import Clock

_FITS_LENGTH = Decimal("1.8")  # seconds: half of 0.001 h
_FITS_SECOND = Decimal("0.18")  # seconds: half of 0.0001 h

Amounts = tuple[tuple[int, Decimal], ...]


class Stretch(NamedTuple):
    """A charging period, or a part of one, with what was used in it: kWh and seconds by kind, never zero."""

    period: Period
    start: int
    end: int
    amounts: Amounts
    is_charging: bool
    is_reserved: bool
    is_last_part: bool = True


class Course:
    """The stretches of a session in order, each with its tariff."""

    def __init__(
        self, usage: Usage, selected: Sequence[Tariff | None], clock: Clock, readings: Readings
    ) -> None:
        self.usage = usage
        self.tariffs = selected
        self.clock = clock
        self.readings = readings
        self.stretches = _measured(usage, readings)
        self.is_expired = self._is_expired()
        self.fate = EXPIRED if self.is_expired else BY_FALLBACK if readings.reservation_by_fallback else USED
        self.origin = self._start_of_charging()
        self._kwh: list[Decimal] | None = None

    def table(self, at: int) -> Table | None:
        """The ladders of the tariff of a stretch."""
        tariff = self.tariffs[at]
        return None if tariff is None else tariff.tables[self.fate]

    def kwh_before(self, at: int) -> Decimal:
        """All energy of the session before a stretch, paid for or not."""
        if self._kwh is None:
            total, self._kwh = ZERO, []
            for stretch in self.stretches:
                self._kwh.append(total)
                total += energy_of(stretch)
        return self._kwh[at]

    def moment(self, at: int) -> Moment:
        """The state at the start of a stretch."""
        stretch = self.stretches[at]
        return Moment(
            self.clock.local(stretch.start),
            self.kwh_before(at),
            self.elapsed(at),
            stretch.period.gauges,
            self._average_power(stretch),
            self.readings,
        )

    def elapsed(self, at: int) -> int:
        """Microseconds since charging started, parking included; before that, since the reservation was made."""
        start = self.stretches[at].start
        if start < self.origin and not self.readings.duration_with_reservation:
            return start - self.stretches[0].start
        return max(start - self.origin, 0)

    def _is_expired(self) -> bool:
        if self.readings.reservation is not None:
            return self.readings.reservation is Reservation.EXPIRED
        is_reserved = any(stretch.is_reserved for stretch in self.stretches)
        is_used = any(kind in kinds.CHARGING for stretch in self.stretches for kind, _ in stretch.amounts)
        return is_reserved and not is_used and not self.usage.awaits_driver

    def _start_of_charging(self) -> int:
        """A reservation is over when charging starts, also when one period reports both."""
        if self.readings.duration_with_reservation or not self.stretches:
            return min(self.usage.start, self.stretches[0].start if self.stretches else self.usage.start)
        for stretch in self.stretches:
            if stretch.is_charging:
                reserved = sum((amount for kind, amount in stretch.amounts if kind == kinds.RESERVATION_TIME), ZERO)
                return stretch.start + int(reserved * SECOND)
        return self.stretches[0].start

    def _average_power(self, stretch: Stretch) -> Decimal | None:
        """kW over the whole period a stretch belongs to; unknown in a session that reports no energy at all."""
        period = stretch.period
        if period.energy is None and all(other.period.energy is None for other in self.stretches):
            return None
        length = self.length(period)
        return ratio((period.energy or ZERO) * HOUR, length) if length > 0 else None

    def length(self, period: Period) -> Decimal:
        """Seconds from the start of a period to that of the next, or to the end of the session."""
        periods = self.usage.periods
        at = periods.index(period)
        end = periods[at + 1].start if at + 1 < len(periods) else self.usage.end
        return Decimal(end - period.start).scaleb(-6)


def energy_of(stretch: Stretch) -> Decimal:
    return stretch.amounts[0][1] if stretch.amounts and stretch.amounts[0][0] == kinds.ENERGY else ZERO


def _measured(usage: Usage, readings: Readings) -> list[Stretch]:
    """The periods with kWh and seconds; what is absent or zero is not used (§mod_cdrs_cdrdimension_class)."""
    stretches = []
    ends = [period.start for period in usage.periods[1:]]
    ends.append(max(usage.end, usage.periods[-1].start) if usage.periods else usage.end)
    for period, end in zip(usage.periods, ends, strict=False):
        amounts = []
        if period.energy and not (readings.export_not_credited and period.energy < 0):
            amounts.append((kinds.ENERGY, period.energy))
        clocked = [
            (kind, hours)
            for kind, hours in (
                (kinds.TIME, period.time),
                (kinds.PARKING_TIME, period.parking),
                (kinds.RESERVATION_TIME, period.reservation),
            )
            if hours and hours > 0
        ]
        length = Decimal(end - period.start).scaleb(-6)
        if readings.wall_clock_time and not clocked and length > 0:
            amounts.append((kinds.TIME, length))
        for kind, hours in clocked:
            seconds = hours * HOUR
            if not readings.hours_literal:
                seconds = _rule_t(seconds, length if len(clocked) == 1 else None)
            amounts.append((kind, seconds))
        is_reserved = bool(clocked) and clocked[-1][0] == kinds.RESERVATION_TIME
        is_charging = not is_reserved or len(amounts) > 1
        stretches.append(Stretch(period, period.start, end, tuple(amounts), is_charging, is_reserved))
    return stretches


def _rule_t(seconds: Decimal, length: Decimal | None) -> Decimal:
    if length is not None and length > 0 and abs(seconds - length) <= _FITS_LENGTH:
        return length
    whole = seconds.to_integral_value(ROUND_HALF_UP)
    return whole if whole and abs(seconds - whole) <= _FITS_SECOND else seconds


def totals(stretches: Sequence[Stretch]) -> Mapping[int, Decimal]:
    """What was used in the session by kind."""
    sums: dict[int, Decimal] = {}
    for stretch in stretches:
        for kind, amount in stretch.amounts:
            sums[kind] = sums.get(kind, ZERO) + amount
    return sums
