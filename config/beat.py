"""Beat, of which exactly one is at work: a second that was started by mistake, or by a deploy that overlaps, waits."""

from typing import Any

import structlog
from django.db import Error, close_old_connections
from django_celery_beat.schedulers import DatabaseScheduler

from roaming.leases import TERM, Holder

log = structlog.get_logger(__name__)

_RETRY_SECONDS = TERM.total_seconds() / 5


class LeasedScheduler(DatabaseScheduler):
    """The schedule in the database, for whoever holds the lease on it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._lease = Holder("beat")
        self._at_work = True
        self._is_set_up = False
        super().__init__(*arguments, **options)

    def setup_schedule(self) -> None:
        """Read the schedule and add what is new; put off while the database is away."""
        try:
            super().setup_schedule()
            self._is_set_up = True
        except Error as error:
            self._begin_anew(error)

    def tick(self, *arguments: Any, **options: Any) -> Any:
        """Send what is due; returns the seconds until there may be something again."""
        try:
            if self._holds() and not self._is_set_up:
                self.setup_schedule()
            if self._at_work and self._is_set_up:
                return super().tick(*arguments, **options)
        except Error as error:
            self._begin_anew(error)
        return min(_RETRY_SECONDS, self.max_interval)

    def close(self) -> None:
        super().close()
        try:
            self._lease.release()
        except Error as error:
            log.warning("the lease on the schedule could not be given up", error=type(error).__name__)

    def _begin_anew(self, error: Error) -> None:
        log.warning("the schedule could not be read", error=type(error).__name__)
        self._initial_read, self._heap = True, None

    def _holds(self) -> bool:
        close_old_connections()
        try:
            holds = self._lease.hold()
        except Error as error:
            log.warning("the lease on the schedule could not be renewed", error=type(error).__name__)
            holds = False
        if holds is not self._at_work:
            log.info("beat is at work" if holds else "beat waits: another one is at work, or the database is away")
        self._at_work = holds
        return holds
