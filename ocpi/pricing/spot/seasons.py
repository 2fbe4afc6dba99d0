"""The times in which a zone has one and the same offset from UTC."""

from dataclasses import dataclass

from ocpi.pricing.scalars import DAY, SECOND
from ocpi.pricing.zones import Clock, clock_of

_STEP = 7 * DAY
_LOOK = 60
"""Weeks: a zone that changes does so every year."""


@dataclass(frozen=True, slots=True)
class Season:
    """An offset in seconds east of UTC, and the instants from which and until which it holds; None: for good."""

    offset: int
    starts: int | None
    ends: int | None

    @property
    def suffix(self) -> str:
        """For ids: `-E0200` while clocks are two hours ahead of UTC, nothing where they never change."""
        if self.starts is None and self.ends is None:
            return ""
        hours, minutes = divmod(abs(self.offset) // 60, 60)
        return f"-{'W' if self.offset < 0 else 'E'}{hours:02}{minutes:02}"

    def holds(self, instant: int) -> bool:
        return (self.starts is None or self.starts <= instant) and (self.ends is None or instant < self.ends)


def of(zone: str, instant: int) -> Season:
    """The season of an instant."""
    clock = clock_of(zone, instant - _LOOK * _STEP, instant + _LOOK * _STEP)
    return Season(
        (clock.local(instant) - instant) // SECOND, _change(clock, instant, -_STEP), _change(clock, instant, _STEP)
    )


def _change(clock: Clock, instant: int, step: int) -> int | None:
    """The nearest change of the offset before or after; the instant itself may be one."""
    for number in range(_LOOK):
        near, far = instant + number * step, instant + (number + 1) * step
        if changes := list(clock.changes(min(near, far), max(near, far))):
            return changes[0]
    return None
