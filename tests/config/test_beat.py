"""Two beats by mistake: one works, the other waits and takes over."""

import pytest
from django.utils import timezone

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
