"""When to pull: a delta every few minutes, everything once a night.

Each platform and module has a phase of its own in the interval, and each platform a minute of its own in the night, so
that partners are not called all at the same second. Both follow from ids: they stay the same from day to day.
"""

import math
import zlib
from datetime import UTC, datetime, timedelta

from roaming.pull_models import PullCursor

FLOOR = 60  # seconds between two deltas, at least
NIGHT = range(1, 5)  # hours (UTC) that the node chooses from
REST = timedelta(hours=6)  # from a full reconcile to the next, at least


def next_delta(cursor: PullCursor, now: datetime) -> datetime:
    """The first moment of its phase that is at least half an interval away."""
    interval = max(cursor.interval * 60, FLOOR)
    phase = _share(f"{cursor.platform_id} {cursor.module}") * interval
    turn = math.ceil((now.timestamp() + interval / 2 - phase) / interval)
    return datetime.fromtimestamp(turn * interval + phase, UTC)


def next_reconcile(cursor: PullCursor, now: datetime) -> datetime:
    """The next time it is night for this platform, unless that is too soon after `now`."""
    share = _share(str(cursor.platform_id))
    hour = NIGHT[int(share * len(NIGHT))] if cursor.nightly_hour is None else cursor.nightly_hour
    second = int(_share(f"night {cursor.platform_id}") * 3600)
    at = now.astimezone(UTC).replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(seconds=second)
    while at < now + REST:
        at += timedelta(days=1)
    return at


def _share(name: str) -> float:
    """A number from 0 up to 1 that follows from the name."""
    return zlib.crc32(name.encode()) / 2**32


def is_due(cursor: PullCursor, now: datetime) -> bool:
    """Whether its time has come, or staff want it now."""
    due = _has_come(cursor.next_run_at, now) or _has_come(cursor.next_reconcile_at, now)
    return bool(cursor.requested) or (cursor.enabled and due)


def is_reconcile_due(cursor: PullCursor, now: datetime) -> bool:
    return _has_come(cursor.next_reconcile_at, now)


def _has_come(moment: datetime | None, now: datetime) -> bool:
    return moment is None or moment <= now
