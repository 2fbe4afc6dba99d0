"""A transaction put together from what is known of it: when it was, how much energy, in which states, by what proof."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from cpo_backend.models import MeterSample, SignedReading, Transaction
from cpo_backend.transactions import energy, ocmf
from cpo_backend.transactions.clock import Clock, Stamp
from cpo_backend.transactions.energy import Basis, Energy, Meter, Point
from cpo_backend.transactions.readings import BEGIN, CURRENT, END, INTERVAL, POWER, REGISTER, Reading, totals
from ocpi.pricing.periods.history import Change, Sample, State

_KILO = Decimal(1000)
# As fine as OCPI writes kWh; what is finer is the driver's.
_PLACES = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Account:
    """`end` is None while it goes on; `signed` in order of time; the meter in Wh as it was told."""

    transaction: Transaction
    start: datetime
    end: datetime | None
    until: datetime
    energy: Energy
    samples: Sequence[Sample]
    changes: Sequence[Change]
    signed: Sequence[SignedReading]
    meter_start: Decimal | None
    meter_stop: Decimal | None

    @property
    def begin(self) -> datetime:
        """The start, or from when on the EVSE was reserved for it."""
        reserved_since = self.transaction.reserved_since
        return self.start if reserved_since is None else min(self.start, reserved_since)

    @property
    def wh(self) -> Decimal:
        """As it is billed."""
        return billed(self.energy.wh)

    @property
    def lacks_end_signature(self) -> bool:
        """Whether the meter signed the begin but not the end."""
        contexts = {reading.context for reading in self.signed}
        return bool(self.signed) and self.energy.basis is not Basis.SIGNED and contexts == {BEGIN}


def billed(wh: Decimal) -> Decimal:
    return wh.quantize(_PLACES, ROUND_FLOOR)


def of(transaction: Transaction, now: datetime) -> Account:
    """The account of a transaction; while it goes on, until `now`."""
    samples = list(MeterSample.objects.filter(transaction=transaction))
    changes = list(transaction.changes.all())
    signed = list(transaction.signed_readings.order_by("told_at", "pk"))
    inner = [Stamp(one.told_at, one.received_at) for one in samples]
    inner += [Stamp(one.told_at, one.received_at) for one in changes]
    clock = _clock(transaction, [*inner, *(Stamp(one.told_at, one.received_at) for one in signed)])
    start, until = _span(transaction, [clock.at(stamp) for stamp in inner], clock, now)
    end = None if transaction.is_open else until
    told_with = {transaction.start_received_at: BEGIN}
    if end is not None and transaction.stop_received_at is not None:
        told_with[transaction.stop_received_at] = END
    read = _Samples(samples, clock, start, until, told_with, is_over=end is not None)
    counted = energy.reckon(
        Meter(
            start=start,
            end=until,
            meter_start=transaction.meter_start,
            meter_stop=transaction.meter_stop if end is not None else None,
            readings=read.registers,
            power=read.power,
            signed=_pair(signed, samples) if end is not None else None,
        )
    )
    return Account(
        transaction=transaction,
        start=start,
        end=end,
        until=until,
        energy=counted,
        samples=[
            *(Sample(point.at, register=billed(point.wh) / _KILO) for point in counted.curve),
            *(Sample(point.at, power=point.wh / _KILO) for point in read.power),
            *(Sample(point.at, current=point.wh) for point in read.current),
        ],
        changes=[Change(clock.at(Stamp(one.told_at, one.received_at)), State(one.state)) for one in changes],
        signed=signed,
        meter_start=_first(transaction.meter_start, read.registers[:1]),
        meter_stop=None if end is None else _first(transaction.meter_stop, read.registers[-1:]),
    )


def _first(told: Decimal | None, read: Sequence[Point]) -> Decimal | None:
    """What was told of a meter, else what was read of it."""
    return next((point.wh for point in read), None) if told is None else told


def _clock(transaction: Transaction, stamps: Sequence[Stamp]) -> Clock:
    ends = [Stamp(transaction.start_told_at, transaction.start_received_at)]
    if transaction.stop_received_at is not None:
        ends.append(Stamp(transaction.stop_told_at, transaction.stop_received_at))
    offset = None if transaction.clock_offset is None else timedelta(seconds=transaction.clock_offset)
    return Clock([*ends, *stamps], offset)


def _span(
    transaction: Transaction, moments: Sequence[datetime], clock: Clock, now: datetime
) -> tuple[datetime, datetime]:
    """Start and end: of a start that was never told the first that is known, of a stop the last."""
    start = clock.at(Stamp(transaction.start_told_at, transaction.start_received_at))
    if transaction.start_told_at is None and not transaction.start_told:
        start = min(moments, default=start)
    if transaction.is_open:
        return start, max(now, start)
    if transaction.closed_by == Transaction.ClosedBy.SYSTEM:
        return start, max([start, *moments])
    return start, max(
        start, clock.at(Stamp(transaction.stop_told_at, transaction.stop_received_at or transaction.heard_at))
    )


class _Samples:
    """The samples between start and end, by kind, in order of time.

    `told_with`: when the messages of start and end were received. A sample in one of them is of no other time, though
    it was taken a moment before the start or after the end.
    """

    def __init__(
        self,
        samples: Sequence[MeterSample],
        clock: Clock,
        start: datetime,
        end: datetime,
        told_with: Mapping[datetime, str],
        *,
        is_over: bool,
    ) -> None:
        self._start, self._end, self._is_over = start, end, is_over
        moments = {one.told_at: clock.at(Stamp(one.told_at, one.received_at)) for one in samples}
        told_with = {one.told_at: told_with.get(one.received_at, "") for one in samples}
        readings = [
            Reading(one.told_at, one.measurand, one.value, one.phase, one.location, one.context, one.is_bare)
            for one in samples
        ]
        found: dict[str, list[tuple[Point, str]]] = {}
        for told_at, measurand, value, context, is_bare in totals(readings):
            assert told_at is not None
            point = Point(moments[told_at], value, is_bare)
            is_beside = point.at < start if told_with[told_at] == BEGIN else point.at > end
            found.setdefault(measurand, []).append((point, (is_beside and told_with[told_at]) or context))
        self.registers = self._within(found.get(REGISTER, ()))
        if not self.registers:
            self.registers = _summed(self._within(found.get(INTERVAL, ())), start)
        self.power = self._within(found.get(POWER, ()))
        self.current = self._within(found.get(CURRENT, ()))

    def _within(self, points: Iterable[tuple[Point, str]]) -> list[Point]:
        """What belongs to the begin or the end does so whatever its time."""
        kept = []
        for point, context in points:
            if context == BEGIN:
                kept.append(point._replace(at=self._start))
            elif context == END and self._is_over:
                kept.append(point._replace(at=self._end))
            elif self._start <= point.at <= self._end:
                kept.append(point)
        return sorted(kept, key=lambda point: (point.at, point.wh))


def _summed(intervals: Sequence[Point], start: datetime) -> list[Point]:
    """Energy of intervals as a register."""
    points = [Point(start, Decimal(0))] if intervals else []
    for interval in intervals:
        points.append(Point(interval.at, points[-1].wh + max(interval.wh, Decimal(0))))
    return points


def _pair(signed: Sequence[SignedReading], samples: Sequence[MeterSample]) -> tuple[Decimal, Decimal] | None:
    """The signed registers at begin and end, in Wh, if both are known."""
    begin = end = None
    for reading in signed:
        first, last = ocmf.span(reading.data)
        value = reading.value if reading.value is not None else _beside(reading, samples)
        if reading.context == BEGIN:
            begin = first if first is not None else value
        elif reading.context == END:
            begin = first if first is not None else begin
            end = last if last is not None else value
    return None if begin is None or end is None else (begin, end)


def _beside(reading: SignedReading, samples: Sequence[MeterSample]) -> Decimal | None:
    """What was told in plain beside a signature."""
    told = (
        one.value
        for one in samples
        if (one.told_at, one.context, one.measurand, one.phase) == (reading.told_at, reading.context, REGISTER, "")
    )
    return next(told, None)
