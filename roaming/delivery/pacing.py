"""How fast a platform may be called: what staff have set for it, and what it asks for itself (HTTP 429)."""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import timedelta

from ocpi.client.sending import Pace, at_once

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 3600.0


class Rhythm:
    """So many requests per second, after a rest up to a second's worth at once. For one event loop."""

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self._clock = rate, clock
        self._next = clock() - 1

    async def __call__(self) -> None:
        if (wait := self.take()) > 0:
            await asyncio.sleep(wait)

    def take(self) -> float:
        """Take the next place; returns how many seconds away it is."""
        now = self._clock()
        self._next = max(self._next, now - 1) + 1 / self.rate
        return self._next - now


_rhythms: dict[tuple[int, str], Rhythm] = {}


def pace(platform_id: int, stream: str, rate: int | None) -> Pace:
    """The pace for a platform's stream in this process."""
    if not rate:
        return at_once
    kept = _rhythms.get((platform_id, stream))
    if kept is None or kept.rate != rate:
        kept = _rhythms[platform_id, stream] = Rhythm(rate)
    return kept


def pause(retry_after: float | None, times: int, jitter: Callable[[], float] = random.random) -> timedelta:
    """How long to leave a platform alone that has asked for it `times` in a row; `retry_after` (seconds) if it said."""
    if retry_after is None:
        retry_after = min(_FIRST_PAUSE * 2.0 ** min(times - 1, 12), _LONGEST_PAUSE) * (0.5 + jitter())
    return timedelta(seconds=min(retry_after, _LONGEST_PAUSE) + jitter())
