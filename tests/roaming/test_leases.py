"""One process at a time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from django.db import connection

from roaming.lease_models import Lease
from roaming.leases import TERM, Holder


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, time: timedelta) -> None:
        self.now += time


def test_only_one_holds_a_lease_and_keeps_it_while_it_renews_it(db: None) -> None:
    clock = Clock()
    one, other = Holder("beat", clock), Holder("beat", clock)
    assert one.hold() and not other.hold()
    for _ in range(10):
        clock.pass_by(TERM * 0.6)
        assert one.hold() and not other.hold()


def test_another_takes_over_from_who_died(db: None) -> None:
    clock = Clock()
    dead, other = Holder("beat", clock), Holder("beat", clock)
    assert dead.hold()
    clock.pass_by(TERM + timedelta(seconds=1))
    assert other.hold()
    assert not dead.hold(), "it was only asleep, and finds that it was replaced"


def test_who_gives_it_up_is_followed_at_once(db: None) -> None:
    one, other = Holder("beat"), Holder("beat")
    assert one.hold()
    other.release()
    assert Lease.objects.exists(), "only the holder can"
    one.release()
    assert other.hold() and not one.hold()


def test_leases_of_different_names_have_nothing_in_common(db: None) -> None:
    assert Holder("beat").hold() and Holder("other").hold()


def test_of_many_who_want_it_at_once_one_gets_it(threaded_db: None) -> None:
    def want(_: int) -> bool:
        try:
            return Holder("beat").hold()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(want, range(8))) == 1
