"""When things happened, by a clock that may be wrong. Pure.

Nothing is told before it happens, so the least delayed message bounds how far a clock is off. A clock that is ahead
shows by itself. One that is behind looks like a charger that was offline: only what was measured of live messages
tells them apart. Facts of one transaction are moved together, so that durations stay as the charger measured them.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

TOLERANCE = timedelta(minutes=5)
_NEVER_SET = 2020  # a year before this is that of a clock that was never set


class Stamp(NamedTuple):
    """When the charger says that something happened, None if it does not, and when we were told."""

    told_at: datetime | None
    received_at: datetime


class Clock:
    """The clock of a charger during one transaction. `offset`: how far it was measured to be behind ours."""

    def __init__(self, stamps: Iterable[Stamp], offset: timedelta | None = None) -> None:
        delays: dict[bool, timedelta] = {}
        for told_at, received_at in stamps:
            if told_at is not None:
                was_set, delay = told_at.year >= _NEVER_SET, received_at - told_at
                delays[was_set] = min(delays.get(was_set, delay), delay)
        self._unset = delays.get(False, timedelta(0))
        measured = offset if offset is not None and abs(offset) > TOLERANCE else timedelta(0)
        shift = min(measured, delays.get(True, timedelta(0)))
        self.shift = shift if abs(shift) > TOLERANCE else timedelta(0)

    def at(self, stamp: Stamp) -> datetime:
        """The moment by our clock."""
        if stamp.told_at is None:
            return stamp.received_at
        return stamp.told_at + (self.shift if stamp.told_at.year >= _NEVER_SET else self._unset)
