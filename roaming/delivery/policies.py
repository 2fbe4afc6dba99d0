"""When an object that a platform refused is tried again, and when a person is called.

Statuses and Locations, Tariffs, Tokens: only the current state matters; the next change is a new attempt anyway. So
they are tried for some hours. A Session is state too, until its CDR is there. CDRs are money: they are tried for a
week of nights, as the networks that bill them do. What is left then is a task for an operator. Staff may set another
ladder for a platform and stream.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from roaming.delivery.streams import Stream
from roaming.delivery_models import FeedCursor

NIGHT = 2  # o'clock, UTC: when nightly attempts begin
_NIGHT_MINUTES = 180
_LADDER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))


@dataclass(frozen=True, slots=True)
class Policy:
    """`ladder`: the pauses after the first failures; then `nights` attempts, one each night."""

    ladder: tuple[timedelta, ...]
    nights: int

    def next_attempt(
        self, failures: int, now: datetime, jitter: Callable[[], float] = random.random
    ) -> datetime | None:
        """When to try again after so many failures in a row; None: not without a person."""
        if failures <= len(self.ladder):
            return now + self.ladder[failures - 1]
        if failures <= len(self.ladder) + self.nights:
            night = now.replace(hour=NIGHT, minute=0, second=0, microsecond=0)
            night += timedelta(days=1) if night <= now else timedelta()
            return night + timedelta(minutes=_NIGHT_MINUTES * jitter())
        return None


DEFAULTS = {stream: Policy(_LADDER, nights=0) for stream in Stream} | {Stream.CDRS: Policy(_LADDER, nights=7)}


def policy(cursor: FeedCursor) -> Policy:
    """The policy for a platform and stream, as staff have set it, or the default."""
    default = DEFAULTS[Stream(cursor.stream)]
    return Policy(
        tuple(timedelta(minutes=int(minutes)) for minutes in cursor.ladder.split()) or default.ladder,
        default.nights if cursor.nights is None else cursor.nights,
    )
