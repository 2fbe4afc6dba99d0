"""The store of Locations: exact, idempotent, and right when many write at once."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from ocpi.errors import UnknownLocation
from ocpi.events import object_changed
from ocpi.ids import PartyId
from ocpi.models import EvseStatus, Location, ObjectCount
from ocpi.store.locations import Path
from ocpi.store.locations import locations as store
from ocpi.store.objects import Arrival
from ocpi.store.scope import Scope
from ocpi.store.writing import Outcome
from ocpi.transport.pagination import PageQuery
from ocpi.types import codec
from tests.kit.objects import Document, evse, location, minutes_after_noon, odd_location

OCP = PartyId("NL*OCP")
LATER = minutes_after_noon(10)


def put(*documents: Document) -> Outcome:
    return store.put_many([Arrival(document) for document in documents], source=None)


def patch(uid: str, status: str = "CHARGING", moment: str = LATER, location_id: str = "LOC-1") -> None:
    change = {"status": status, "last_updated": moment}
    store.patch_part(Path(OCP, location_id, uid), change, None, lambda document: ())


def stored(location_id: str = "LOC-1") -> Document:
    text = store.find_part(Path(OCP, location_id))
    assert text is not None
    return dict(codec.decode(text.encode()))


def count() -> int:
    counted = sum(ObjectCount.objects.values_list("count", flat=True))
    assert counted == Location.objects.count()
    return counted


def evses(number: int, **changes: Any) -> list[Document]:
    return [evse(uid=f"EVSE-{index}", **changes) for index in range(number)]


@pytest.fixture
def one(db: None) -> None:
    put(location())


# --- one writer -----------------------------------------------------------------------------------------------------


def test_putting_tells_what_it_did(db: None) -> None:
    assert put(location(id="A"), location(id="B")) == Outcome(created=2)
    assert put(location(id="A"), location(id="B", name="new"), location(id="C")) == Outcome(1, 1, 1)
    assert count() == 3


def test_the_last_of_several_with_one_key_counts(db: None) -> None:
    assert put(location(id="A", name="first"), location(id="a", name="last")) == Outcome(created=1)
    assert stored("A")["name"] == "last" and count() == 1


def test_putting_the_same_again_writes_nothing(one: None) -> None:
    before = list(Location.objects.values())
    assert put(location()) == Outcome(unchanged=1)
    assert list(Location.objects.values()) == before


def test_putting_the_same_after_a_status_change_puts_the_status_back(one: None) -> None:
    patch("EVSE-1")
    assert put(location()) == Outcome(updated=1)
    assert stored() == location()


def test_a_change_keeps_the_place_of_an_object_and_raises_its_revision(db: None) -> None:
    """R5.5: the creation sequence is the order of pages, the revision that of the change feed."""
    put(location(id="A"), location(id="B"))
    before = {row.key: row for row in Location.objects.all()}
    put(location(id="A", name="new"))
    patch("EVSE-1", location_id="B")
    after = {row.key: row for row in Location.objects.all()}
    assert [after[key].pk for key in "ab"] == [before[key].pk for key in "ab"]
    assert max(row.revision for row in before.values()) < after["a"].revision < after["b"].version
    assert (after["b"].revision, after["a"].version) == (before["b"].revision, after["a"].revision)


def test_owners_of_the_same_id_do_not_meet(db: None) -> None:
    put(location(), location(country_code="DE", party_id="CPO", name="theirs"))
    assert stored()["name"] != "theirs" and count() == 2
    assert set(ObjectCount.objects.values_list("owner", "count")) == {("NL*OCP", 1), ("DE*CPO", 1)}


def test_a_failed_put_leaves_nothing_behind(db: None) -> None:
    class Unlucky(Exception): ...

    def reconcile(stored: Document, new: Document) -> Document:
        raise Unlucky

    put(location(id="A"))
    with pytest.raises(Unlucky):
        store.put_many([Arrival(location(id="A")), Arrival(location(id="B"))], None, reconcile)
    assert count() == 1


def test_reconcile_sees_the_live_status(one: None) -> None:
    patch("EVSE-1")
    seen: list[Document] = []

    def reconcile(stored: Document, new: Document) -> Document:
        seen.append(stored)
        return new

    store.put_many([Arrival(location(name="new"))], None, reconcile)
    assert seen == [location(evses=[evse(status="CHARGING", last_updated=LATER)], last_updated=LATER)]


def test_a_status_change_leaves_the_document_alone_until_it_is_read(one: None) -> None:
    before = Location.objects.get()
    patch("EVSE-1")
    row = Location.objects.get()
    assert row.stale and row.document == before.document
    expected = location(evses=[evse(status="CHARGING", last_updated=LATER)], last_updated=LATER)
    assert stored() == expected
    row.refresh_from_db()
    assert not row.stale and codec.decode(row.document.encode()) == expected


def test_refreshing_changes_no_revision(one: None) -> None:
    """Reading is no change: it wakes nobody."""
    patch("EVSE-1")
    revision = Location.objects.get().revision
    stored()
    assert Location.objects.get().revision == revision


def test_a_refresh_gives_way_to_a_change_in_between(one: None) -> None:
    """Somebody writes the Location after its stale document was read and before the fresh one is stored."""
    patch("EVSE-1")
    changed: list[str] = []

    def meanwhile(execute: Any, sql: str, *arguments: Any) -> Any:
        if not changed and sql.startswith("SELECT") and "ocpi_evsestatus" in sql:
            changed.append(sql)
            put(location(name="newer"))
        return execute(sql, *arguments)

    with connection.execute_wrapper(meanwhile):
        stored()
    assert changed and stored() == location(name="newer")


def test_a_page_of_fresh_documents_is_one_query(db: None, django_assert_num_queries: Any) -> None:
    put(*[location(id=f"L{number}") for number in range(20)])
    with django_assert_num_queries(1):
        assert len(store.page(Scope.only([OCP]), PageQuery()).documents) == 20


def test_a_status_patch_is_one_statement(one: None, django_assert_max_num_queries: Any) -> None:
    """DESIGN section 5; SQLite needs a savepoint and its revision besides."""
    with django_assert_max_num_queries(1 if connection.vendor == "postgresql" else 5):
        patch("EVSE-1")


def test_a_status_patch_of_an_unknown_evse_raises_and_touches_nothing(one: None) -> None:
    before = list(Location.objects.values())
    for location_id, uid in (("LOC-1", "NOWHERE"), ("NOWHERE", "EVSE-1")):
        with pytest.raises(UnknownLocation):
            patch(uid, location_id=location_id)
    assert list(Location.objects.values()) == before


def test_odd_documents_survive_any_number_of_refreshes(db: None) -> None:
    """Exact numbers, unknown members, an EVSE list of the wrong type: pulled objects are kept as they came."""
    put(odd_location(), location(id="ODD", evses={"not": "a list"}), location(id="NONE", evses=None))
    for minute in range(3):
        patch("EVSE-1", "CHARGING", minutes_after_noon(minute))
        stored()
    expected = odd_location(last_updated=minutes_after_noon(2))
    expected["evses"][0] |= {"status": "CHARGING", "last_updated": minutes_after_noon(2)}
    assert stored() == expected
    assert stored("ODD")["evses"] == {"not": "a list"}
    assert store.find_part(Path(OCP, "ODD", "EVSE-1")) is None


def test_an_evse_without_status_or_with_a_number_for_one_stays_so(db: None) -> None:
    """What a pull accepts with defects is not repaired by a neighbour's change."""
    odd = [
        {"uid": "A"},
        {"uid": "B", "status": 7, "last_updated": 8, "connectors": "none"},
        {"uid": "C", "status": None},
    ]
    put(location(evses=[evse(), *odd]))
    patch("EVSE-1")
    assert stored()["evses"][1:] == odd
    assert store.find_part(Path(OCP, "LOC-1", "B", "1")) is None


def test_listeners_hear_of_changes_after_the_commit_and_of_nothing_else(
    db: None, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[Any] = []

    def listen(module: str, owner: str, source: int | None, **_: Any) -> None:
        heard.append((module, owner, source))

    object_changed.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            store.put(Arrival(location()), 7)
            assert heard == []
        with django_capture_on_commit_callbacks(execute=True):
            store.put(Arrival(location()), 7)
        assert heard == [("locations", OCP, 7)]
    finally:
        object_changed.disconnect(listen)


# --- many writers ---------------------------------------------------------------------------------------------------


def at_once(tasks: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run each task in a thread of its own, all starting together; errors come out."""
    tasks = list(tasks)
    start = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        try:
            start.wait(10)
            return task()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result(30) for future in [pool.submit(run, task) for task in tasks]]


def test_concurrent_status_patches_are_all_kept(threaded_db: None) -> None:
    put(location(evses=evses(8)))

    def change(index: int) -> Callable[[], None]:
        def task() -> None:
            for minute in range(20):
                patch(f"EVSE-{index}", "CHARGING" if minute % 2 else "BLOCKED", minutes_after_noon(minute))
                if index == 0:
                    stored()  # refreshes run in between

        return task

    at_once(change(index) for index in range(8))
    document = stored()
    assert {(item["status"], item["last_updated"]) for item in document["evses"]} == {
        ("CHARGING", minutes_after_noon(19))
    }
    assert document["last_updated"] == minutes_after_noon(19)


def test_a_status_patch_that_waits_for_a_put_is_kept(threaded_db: None) -> None:
    """The PUT is written but not committed when the PATCH comes; the PATCH is the later one."""
    put(location())
    written, patching = threading.Event(), threading.Event()

    def put_slowly() -> None:
        with transaction.atomic():
            put(location(name="new"))
            written.set()
            patching.wait(10)
            _wait_for_a_waiting_writer()

    def patch_meanwhile() -> None:
        written.wait(10)
        patching.set()
        patch("EVSE-1")

    at_once([put_slowly, patch_meanwhile])
    assert stored()["name"] == "new"
    assert stored()["evses"][0]["status"] == "CHARGING"


def _wait_for_a_waiting_writer() -> None:
    """Until another connection waits for a lock of ours."""
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        threading.Event().wait(0.01)
    raise AssertionError("nobody waits")


def test_puts_and_status_patches_of_one_location_lose_nothing(threaded_db: None) -> None:
    put(location(evses=evses(4)))

    def rename() -> None:
        for number in range(30):
            change = {"name": f"name {number}", "last_updated": minutes_after_noon(0)}
            store.patch_part(Path(OCP, "LOC-1"), change, None, lambda document: ())

    def replace_connector() -> None:
        for amperage in range(30):
            change = {"max_amperage": amperage, "last_updated": minutes_after_noon(0)}
            store.patch_part(Path(OCP, "LOC-1", "EVSE-0", "1"), change, None, lambda document: ())

    def change(index: int) -> Callable[[], None]:
        return lambda: [patch(f"EVSE-{index}", "CHARGING", minutes_after_noon(m)) for m in range(30)] and None

    at_once([rename, replace_connector, *(change(index) for index in range(1, 4))])
    document = stored()
    assert document["name"] == "name 29"
    assert document["evses"][0]["connectors"][0]["max_amperage"] == 29
    assert [item["status"] for item in document["evses"]] == ["AVAILABLE", "CHARGING", "CHARGING", "CHARGING"]
    assert {item["last_updated"] for item in document["evses"][1:]} == {minutes_after_noon(29)}


def test_concurrent_creations_of_the_same_objects_are_counted_once(threaded_db: None) -> None:
    """Overlapping batches in different orders: no deadlock, no double, an exact count."""
    batches = [[location(id=f"L{(start + step) % 40}") for step in range(25)] for start in range(0, 40, 5)]
    outcomes = at_once(lambda batch=batch: put(*batch) for batch in batches)  # type: ignore[misc]
    assert sum(outcome.created for outcome in outcomes) == 40 == count()
    assert EvseStatus.objects.count() == 40


def test_a_batch_of_old_and_new_objects_cannot_deadlock_with_another(threaded_db: None) -> None:
    """Three writers: the first creates A and B; the second wants to create A and C, the third to change A and create D.

    Whoever holds the lock on creation must not wait for a row of somebody who waits for that lock.
    """
    for round in range(10):
        a, b, c, d = (f"{name}{round}" for name in "ABCD")
        at_once(
            [
                lambda a=a, b=b: put(location(id=a), location(id=b)),  # type: ignore[misc]
                lambda a=a, c=c: put(location(id=a, name="second"), location(id=c)),  # type: ignore[misc]
                lambda a=a, d=d: put(location(id=a, name="third"), location(id=d)),  # type: ignore[misc]
                lambda a=a, b=b: put(location(id=b, name="fourth"), location(id=a, name="fourth")),  # type: ignore[misc]
            ]
        )
    assert count() == 40


def test_writers_of_many_locations_lock_them_in_one_order(threaded_db: None) -> None:
    names = [f"L{number}" for number in range(30)]
    put(*[location(id=name) for name in names])

    def write(order: list[str], text: str) -> Callable[[], None]:
        return lambda: [put(*[location(id=name, name=f"{text} {n}") for name in order]) for n in range(5)] and None

    at_once([write(names, "forwards"), write(names[::-1], "backwards"), write(names[15:] + names[:15], "rotated")])
    assert count() == 30
