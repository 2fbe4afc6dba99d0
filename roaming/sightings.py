"""When each platform was last heard of, to about half a minute: noted in memory, written seldom.

An authenticated request of a platform's, or an answer of its, is a sign of life. Noting one costs a look into a
dictionary; the database is written to at most every `RESOLUTION` seconds for each platform and process.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.utils import timezone

from roaming.models import Platform

RESOLUTION = 30.0


class Sightings:
    """The platforms heard of that no row tells of yet."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._seen: dict[int, float] = {}
        self._written: dict[int, float] = {}

    def note(self, platform_id: int) -> bool:
        """A sign of life now; True when it is time to write, which the caller does where the database may be used."""
        now = self._seen[platform_id] = self._clock()
        if now - self._written.get(platform_id, 0.0) < RESOLUTION:
            return False
        self._written[platform_id] = now  # nobody else is told to
        return True

    def write(self) -> None:
        """Write down everything that was noted. An OFFLINE platform that was heard of is to be probed now."""
        with self._lock:
            seen, self._seen = self._seen, {}
        for platform_id, moment in seen.items():
            self._written[platform_id] = moment
            Platform.objects.filter(pk=platform_id).update(last_seen_at=datetime.fromtimestamp(moment, UTC))
        now = timezone.now()
        Platform.objects.filter(pk__in=seen, offline_since__isnull=False, probe_at__gt=now).update(probe_at=now)

    def forget(self, platform_id: int | None = None) -> None:
        """Take the next sign of life of a platform, or of all, for the first."""
        if platform_id is None:
            self._seen, self._written = {}, {}
        else:
            self._written.pop(platform_id, None)


sightings = Sightings()
