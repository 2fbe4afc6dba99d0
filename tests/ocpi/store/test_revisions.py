"""The change feed: whoever reads it in steps misses nothing, in whatever order transactions commit."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random

import pytest
from django.db import connection, transaction

from ocpi.ids import PartyId
from ocpi.models import Location
from ocpi.store import evse_status, revisions
from ocpi.store.locations import Path
from ocpi.store.locations import locations as store
from ocpi.store.objects import Arrival
from ocpi.store.revisions import Change, Position
from ocpi.store.scope import Scope
from tests.kit.objects import location, minutes_after_noon

OCP = PartyId("NL*OCP")
EVERYBODY = Scope.all_but([])


def put(*ids: str, name: str = "a", party_id: str = "OCP") -> None:
    store.put_many([Arrival(location(id=id, name=name, party_id=party_id)) for id in ids], source=3)


def patch(id: str, minute: int) -> None:
    change = {"status": "CHARGING" if minute % 2 else "BLOCKED", "last_updated": minutes_after_noon(minute)}
    store.patch_part(Path(OCP, id, "EVSE-1"), change, 4, lambda document: ())


def feed(since: Position = Position(), limit: int = 100, scope: Scope = EVERYBODY) -> list[Change]:  # noqa: B008
    return revisions.changes(Location, scope, since, limit)


def keys(changes: list[Change]) -> list[str]:
    return [change.key for change in changes]


# --- one writer -----------------------------------------------------------------------------------------------------


@pytest.fixture
def committed(transactional_db: None) -> None:
    """On PostgreSQL the feed shows committed changes only, so these tests commit."""


def test_the_feed_is_in_the_order_of_changes(committed: None) -> None:
    put("A", "B")
    put("C")
    put("A", name="b")
    assert keys(feed()) == ["b", "c", "a"]


def test_ten_changes_of_an_object_are_one(committed: None) -> None:
    put("A", "B")
    for minute in range(10):
        put("A", name=str(minute))
    assert keys(feed()) == ["b", "a"]


def test_a_status_is_a_change_of_its_own_and_not_of_the_location(committed: None) -> None:
    put("A", "B")
    last = feed()[-1].position
    for minute in range(10):
        patch("A", minute)
    assert feed(last) == []
    (change,) = evse_status.changes(EVERYBODY, Position(), 10)
    assert (change.location_id, change.uid, change.stamp) == (feed()[0].id, "evse-1", minutes_after_noon(9))


def test_an_unchanged_object_does_not_come_again(committed: None) -> None:
    put("A")
    last = feed()[-1].position
    put("A")
    assert feed(last) == []
    store.find_part(Path(OCP, "A"))
    assert feed(last) == []


def test_the_feed_is_read_in_steps(committed: None) -> None:
    put(*"ABCDEFG")
    seen: list[str] = []
    since = Position()
    while step := feed(since, limit=3):
        seen += keys(step)
        since = step[-1].position
    assert seen == list("abcdefg")


def test_a_change_tells_owner_and_source(committed: None) -> None:
    put("A")
    patch("A", 1)
    (change,) = feed()
    assert (change.owner, change.key, change.source) == (OCP, "a", 4)


def test_the_feed_shows_the_scope_only(committed: None) -> None:
    put("A")
    put("B", party_id="XYZ")
    assert keys(feed(scope=Scope.only([OCP]))) == ["a"]
    assert keys(feed(scope=Scope.all_but([OCP]))) == ["b"]
    assert feed(scope=Scope.only([])) == []


def test_revisions_are_taken_once(committed: None) -> None:
    with transaction.atomic():
        taken = revisions.take(3) + revisions.take(2)
    assert len({place.revision for place in taken}) == 5
    assert [place.revision for place in taken] == sorted(place.revision for place in taken)


# --- transactions side by side --------------------------------------------------------------------------------------


@contextmanager
def other_transaction() -> Iterator[Callable[[Callable[[], None]], None]]:
    """A transaction on another connection, open while the block runs: call it with what it shall do."""
    with ThreadPoolExecutor(1) as thread:

        def begin() -> None:
            connection.close()
            connection.set_autocommit(False)

        def end() -> None:
            connection.commit()
            connection.close()

        thread.submit(begin).result(10)
        try:
            yield lambda work: thread.submit(work).result(10)
        finally:
            thread.submit(end).result(10)


def test_a_change_that_commits_late_is_not_skipped(threaded_db: None) -> None:
    """The slow transaction takes its revision first and commits last."""
    put("SLOW", "FAST")
    since = feed()[-1].position
    with other_transaction() as slow:
        slow(lambda: put("SLOW", name="b"))
        put("FAST", name="b")
        early = feed(since)
        assert keys(early) == [], "nothing behind a running transaction is shown, or the cursor would pass it"
    assert keys(feed(since)) == ["slow", "fast"]


def test_what_committed_before_a_running_transaction_is_shown(threaded_db: None) -> None:
    put("A")
    with other_transaction() as slow:
        slow(lambda: put("SLOW"))
        put_before = keys(feed())
        assert put_before == ["a"]


def test_a_transaction_that_only_reads_holds_nothing_up(threaded_db: None) -> None:
    with other_transaction() as reader:
        reader(lambda: list(Location.objects.all()) and None)
        put("A", party_id="XYZ")
        assert keys(feed()) == ["a"]


def test_a_rolled_back_change_is_never_shown(threaded_db: None) -> None:
    class Undo(Exception): ...

    with pytest.raises(Undo), transaction.atomic():
        put("GONE")
        raise Undo
    put("A")
    assert keys(feed()) == ["a"]


def test_a_reader_that_never_stops_sees_the_last_state_of_every_object(threaded_db: None) -> None:
    """Writers with transactions of random length, a reader beside them: the cursor passes nothing unseen."""
    ids = [f"L{number}" for number in range(12)]
    put(*ids)
    done = threading.Event()
    seen: dict[str, int] = {}

    def write(seed: int) -> None:
        chance = Random(seed)
        try:
            for minute in range(25):
                with transaction.atomic():
                    for id in sorted(chance.sample(ids, chance.randint(1, 3))):
                        if chance.random() < 0.3:
                            put(id, name=f"{seed} {minute}")
                        else:
                            patch(id, minute)
                    threading.Event().wait(chance.random() / 200)
        finally:
            connection.close()

    def read() -> None:
        since = Position()
        try:
            while True:
                finished = done.is_set()
                while step := feed(since, limit=2):
                    seen.update({change.key: change.position.revision for change in step})
                    since = step[-1].position
                if finished:
                    return
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        reader = pool.submit(read)
        try:
            for writer in [pool.submit(write, seed) for seed in range(4)]:
                writer.result(30)
        finally:
            done.set()
        reader.result(30)
    assert seen == dict(Location.objects.values_list("key", "revision"))
