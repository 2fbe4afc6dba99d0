"""What slows a charger down. Nothing here ever closes a connection or locks anybody out: many chargers share one
address, and a charger that is refused comes back for ever.
"""

import time
from collections import OrderedDict

MOST_WAITING = 200  # messages of one connection that are not worked on yet
LARGEST_FRAME = 1024 * 1024  # characters; what a charger has stored while offline comes in frames of 100 kB

_MOST_ADDRESSES = 10_000
_FORGIVEN_AFTER = 60.0
_LONGEST_DELAY = 5.0


class Rate:
    """A token bucket: `per_second` messages in the long run, four seconds' worth at once; 0 is no limit."""

    __slots__ = ("_at", "_left", "_per_second")

    def __init__(self, per_second: int) -> None:
        self._per_second, self._left, self._at = per_second, 4.0 * per_second, time.monotonic()

    def delay(self) -> float:
        """Take one message; returns the seconds to wait before the next is read."""
        if not self._per_second:
            return 0.0
        now = time.monotonic()
        self._left = min(4.0 * self._per_second, self._left + (now - self._at) * self._per_second) - 1
        self._at = now
        return 0.0 if self._left >= 0 else -self._left / self._per_second


class Failures:
    """How often an address has presented wrong credentials of late; its next refusals come later and later."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def delay(self, address: str) -> float:
        """Count a failure; returns the seconds to wait before it is told."""
        now = time.monotonic()
        count, at = self._of.pop(address, (0, now))
        count = 1 if now - at > _FORGIVEN_AFTER else count + 1
        self._of[address] = (count, now)
        if len(self._of) > _MOST_ADDRESSES:
            self._of.popitem(last=False)
        return min(_LONGEST_DELAY, 0.1 * (count - 1))
