"""Two beats by mistake: one works, the other waits and takes over."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from config.beat import LeasedScheduler
from config.celery import app
from roaming.lease_models import Lease

pytestmark = pytest.mark.django_db(transaction=True)


class Recording(LeasedScheduler):
    """A scheduler that sends nothing, and says what it would have."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        super().__init__(app, lazy=False)

    def apply_async(self, entry: object, *arguments: object, **options: object) -> None:
        self.sent.append(str(entry))

    def spin(self) -> list[str]:
        """Tick until nothing is due; what was sent meanwhile."""
        self.sent.clear()
        while self.tick() == 0:
            pass
        return self.sent


def test_of_two_beats_one_sends_and_the_other_follows_when_it_is_gone() -> None:
    one, other = Recording(), Recording()
    one.schedule["wake lanes that are behind"].last_run_at = timezone.now().replace(year=2020)
    other.schedule["wake lanes that are behind"].last_run_at = timezone.now().replace(year=2020)
    assert one.spin() and not other.spin()
    one.close()
    assert other.spin()
    other.close()
    assert not Lease.objects.exists()


def _away(*_: Any) -> None:
    raise OperationalError("the database is away")


@pytest.fixture
def overdue() -> None:
    """The schedule as a beat has left it that was last at work years ago."""
    Recording().close()
    PeriodicTask.objects.update(last_run_at=timezone.now().replace(year=2020))


@pytest.mark.usefixtures("overdue")
def test_a_beat_that_starts_while_the_database_is_away_waits_for_it() -> None:
    with connection.execute_wrapper(_away):
        beat = Recording()
        assert not beat.spin()
    assert beat.spin()
    beat.close()


@pytest.mark.usefixtures("overdue")
def test_a_database_that_goes_away_while_the_schedule_is_read_does_not_end_beat() -> None:
    beat = Recording()
    assert beat.spin()
    PeriodicTasks.update_changed()

    def away_but_for_the_lease(execute: Any, sql: str, *rest: Any) -> Any:
        return execute(sql, *rest) if "lease" in sql or "periodictasks" in sql else _away()

    with connection.execute_wrapper(away_but_for_the_lease):
        assert not beat.spin()
    beat.spin()
    assert "wake lanes that are behind" in beat.schedule
    beat.close()
