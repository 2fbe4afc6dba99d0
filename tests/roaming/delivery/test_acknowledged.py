"""What a platform acknowledged is remembered object by object, and only the difference to it is sent."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.store.catalogue import STORES
from ocpi.store.locations import Path, locations
from ocpi.store.objects import Arrival
from ocpi.store.sessions import sessions
from ocpi.store.tariffs import tariffs
from ocpi.v221.versions import ModuleID
from roaming.delivery import desk, images, lanes, records
from roaming.delivery.lanes import Drained
from roaming.delivery.records import Claim, LostLane
from roaming.delivery.visits import PATIENCE
from roaming.delivery_models import Delivery, DeliveryHour, FeedCursor, Lane
from tests.kit.lanes import drain, settle, wait_out
from tests.kit.objects import Document, cdr, cdr_token, evse, location, minutes_after_noon, session, tariff
from tests.kit.peer import FakePeer, Recorded, answers, enveloped, fails, hangs_up, slow
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)

OCP = PartyId("NL*OCP")
HERE = "locations/NL/OCP/LOC-1"
TWO = [evse(uid="E-1", status="AVAILABLE"), evse(uid="E-2", status="AVAILABLE")]


@pytest.fixture
def peer(fake_peer: Callable[..., FakePeer]) -> FakePeer:
    """A connected eMSP that holds a Location with two EVSEs, and has no record of how it came by it."""
    peer = fake_peer(party="DE*MSP", role="EMSP")
    register("EMSP:DE*MSP", name="eMSP", endpoints=peer.endpoints(), outbound_token=peer.token)
    settle()
    put(location(evses=TWO))
    drain()
    peer.requests.clear()
    return peer


def put(*documents: Document) -> None:
    locations.put_many([Arrival(document) for document in documents], None)


def set_status(uid: str, status: str, minute: int, location_id: str = "LOC-1") -> None:
    changes = {"status": status, "last_updated": minutes_after_noon(minute)}
    locations.patch_part(Path(OCP, location_id, uid), changes, None, lambda document: [])


def done() -> Drained:
    (found,) = drain().values()
    return found


def calls(peer: FakePeer) -> list[tuple[str, str]]:
    return [(request.method, request.path.removeprefix("/2.2.1/receiver/")) for request in peer.requests]


def is_up_to_date(peer: FakePeer) -> bool:
    held = peer.received[HERE]
    return held == Arrival(current()).document


def current() -> Document:
    from ocpi.types import codec

    document: Document = codec.decode((locations.find_part(Path(OCP, "LOC-1")) or "").encode())
    return document


# --- statuses -------------------------------------------------------------------------------------------------------


def test_ten_status_changes_are_one_patch_of_the_last(peer: FakePeer) -> None:
    """R1.21"""
    for minute in range(1, 10):
        set_status("E-1", "CHARGING" if minute % 2 else "BLOCKED", minute)
    assert done().sent == 1
    (patched,) = peer.requests
    assert (patched.method, patched.document) == (
        "PATCH",
        {"status": "CHARGING", "last_updated": minutes_after_noon(9)},
    )
    assert is_up_to_date(peer)


def test_a_status_that_is_back_where_it_was_is_not_sent(peer: FakePeer) -> None:
    set_status("E-1", "CHARGING", 1)
    set_status("E-1", "AVAILABLE", 2)
    drain()
    assert peer.requests == []


def test_a_status_does_not_bring_the_location_a_second_time(peer: FakePeer) -> None:
    set_status("E-2", "CHARGING", 1)
    drain()
    drain()
    assert calls(peer) == [("PATCH", f"{HERE}/E-2")]


def test_statuses_go_before_locations_that_are_waiting(peer: FakePeer) -> None:
    put(*(location(id=f"NEW-{number}") for number in range(5)))
    set_status("E-1", "CHARGING", 1)
    drain()
    assert [method for method, _ in calls(peer)] == ["PATCH", *["PUT"] * 5]


def test_a_status_of_a_location_it_does_not_hold_comes_with_the_location(peer: FakePeer) -> None:
    put(location(id="NEW"))
    set_status("EVSE-1", "CHARGING", 1, "NEW")
    drain()
    assert calls(peer) == [("PUT", "locations/NL/OCP/NEW")]
    assert peer.received["locations/NL/OCP/NEW"]["evses"][0]["status"] == "CHARGING"


def test_a_change_made_while_a_send_is_in_flight_is_not_lost(peer: FakePeer) -> None:
    def change_meanwhile(peer: FakePeer, request: Recorded) -> Any:
        set_status("E-1", "BLOCKED", 2)
        woken.append(lanes.wake())
        connection.close()  # of the peer's thread
        return peer.answer(request)

    woken: list[list[int]] = []
    peer.misbehave(change_meanwhile, method="PATCH", count=1)
    set_status("E-1", "CHARGING", 1)
    drain()
    assert [request.document["status"] for request in peer.requested("PATCH")] == ["CHARGING", "BLOCKED"]
    assert is_up_to_date(peer)


# --- after a refusal ------------------------------------------------------------------------------------------------


def test_a_refused_patch_is_followed_by_get_and_put(peer: FakePeer) -> None:
    """R6.4: it lost the object."""
    peer.received.clear()
    set_status("E-1", "CHARGING", 1)
    assert done() == Drained(sent=1)
    assert [method for method, _ in calls(peer)] == ["PATCH", "GET", "PUT"]
    assert is_up_to_date(peer)


def test_a_refused_patch_is_not_followed_by_a_put_of_what_it_holds_already(peer: FakePeer) -> None:
    set_status("E-1", "CHARGING", 1)
    peer.received[HERE] = current()
    peer.misbehave(answers(enveloped(code=2001)), method="PATCH")
    assert done() == Drained(sent=1)
    assert [method for method, _ in calls(peer)] == ["PATCH", "GET"]


def test_a_partner_without_get_is_put_the_object(peer: FakePeer) -> None:
    peer.misbehave(fails(405), method="GET")
    peer.misbehave(answers(enveloped(code=2001)), method="PATCH")
    set_status("E-1", "CHARGING", 1)
    assert done().sent == 1 and is_up_to_date(peer)


def test_a_session_is_patched_and_put_when_the_partner_lost_it(peer: FakePeer) -> None:
    def store(**changes: Any) -> None:
        token = cdr_token(country_code="DE", party_id="MSP")
        sessions.put(Arrival(session(cdr_token=token, **changes)), None)

    store(kwh=1)
    drain()
    store(kwh=2)
    drain()
    peer.received.clear()
    store(kwh=3)
    drain()
    assert [method for method, _ in calls(peer)] == ["PUT", "PATCH", "PATCH", "GET", "PUT"]
    (held,) = peer.received.values()
    assert held["kwh"] == 3


def test_what_was_acknowledged_before_a_failure_is_kept(peer: FakePeer) -> None:
    peer.misbehave(answers(enveloped(code=2001)), method="PATCH", path="E-2")
    peer.misbehave(fails(405), method="GET")
    peer.misbehave(answers(enveloped(code=2001)), method="PUT")
    set_status("E-1", "CHARGING", 1)
    set_status("E-2", "CHARGING", 2)
    assert done().refused == 1
    image = images.read(Delivery.objects.get().image)
    assert image and (image.evses["E-1"].status, image.evses["E-2"].status) == ("CHARGING", "AVAILABLE")
    peer.behave()
    wait_out()
    peer.requests.clear()
    drain()
    assert calls(peer) == [("PATCH", f"{HERE}/E-2")] and is_up_to_date(peer)


def test_a_refused_object_that_is_as_it_was_again_needs_no_further_attempt(peer: FakePeer) -> None:
    peer.misbehave(answers(enveloped(code=2001)), method="PUT")
    put(location(evses=TWO, name="odd"))
    drain()
    put(location(evses=TWO))
    peer.requests.clear()
    drain()
    assert peer.requests == [] and Delivery.objects.get().attempts == 0


# --- an object that a platform fails at -----------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", [hangs_up(), fails(500), slow(5)], ids=["hangs up", "500", "hangs"])
def test_an_object_that_breaks_the_partner_does_not_hold_up_the_others_for_ever(peer: FakePeer, behaviour: Any) -> None:
    peer.misbehave(behaviour, path="POISON")
    put(location(id="POISON"), location(id="SOUND"))
    for _ in range(PATIENCE):
        assert not Delivery.objects.filter(retry_at__isnull=False).exists()
        drain()
        wait_out_lanes()
    drain()
    assert "locations/NL/OCP/SOUND" in peer.received
    assert Delivery.objects.get(attempts__gt=0).retry_at > timezone.now()


def wait_out_lanes() -> None:
    Lane.objects.update(retry_at=None)


def test_after_its_ladder_an_object_waits_for_a_person(peer: FakePeer) -> None:
    FeedCursor.objects.filter(stream="locations").update(ladder="1 2", nights=0)
    peer.misbehave(answers(enveloped(code=2001)), method="PUT")
    put(location(id="BAD"))
    for _ in range(3):
        drain()
        wait_out()
    refused = Delivery.objects.get(attempts__gt=0)
    assert refused.given_up_at and refused.retry_at is None and refused.attempts == 3
    assert lanes.due() == []
    peer.behave()
    desk.resend(Delivery.objects.filter(pk=refused.pk))
    drain()
    assert "locations/NL/OCP/BAD" in peer.received


def test_a_skipped_object_is_left_alone_until_it_changes(peer: FakePeer) -> None:
    peer.misbehave(answers(enveloped(code=2001)), method="PUT", count=1)
    put(location(id="BAD"))
    drain()
    assert desk.skip(Delivery.objects.all()) == 1
    wait_out()
    assert lanes.due() == []
    put(location(id="BAD", name="better"))
    drain()
    assert peer.received["locations/NL/OCP/BAD"]["name"] == "better"


# --- pauses ---------------------------------------------------------------------------------------------------------


def test_a_platform_that_asks_for_a_pause_gets_it_for_the_stream(peer: FakePeer) -> None:
    """HTTP 429 with Retry-After: the other streams go on, and it is no failure of the platform or the object."""
    peer.misbehave(fails(429, Retry_After="60"), path="tariffs")
    tariffs.put(Arrival(tariff()), None)
    set_status("E-1", "CHARGING", 1)
    assert done() == Drained(sent=1)
    cursor = FeedCursor.objects.get(stream="tariffs")
    assert timedelta(seconds=50) < cursor.retry_at - timezone.now() < timedelta(seconds=62)
    assert (cursor.slow_downs, Lane.objects.get().retry_at) == (1, None)
    assert not Delivery.objects.filter(attempts__gt=0).exists() and lanes.due() == []
    peer.behave()
    wait_out()
    assert done().sent == 1
    assert FeedCursor.objects.get(stream="tariffs").slow_downs == 0


def test_a_stream_that_staff_have_paused_rests(peer: FakePeer) -> None:
    FeedCursor.objects.filter(stream="locations").update(is_paused=True)
    put(location(id="NEW"))
    assert lanes.due() == []
    FeedCursor.objects.update(is_paused=False)
    assert done().sent == 1


def test_a_rate_of_a_platform_is_kept(peer: FakePeer) -> None:
    FeedCursor.objects.filter(stream="locations").update(rate=1000)
    put(*(location(id=f"L-{number}") for number in range(30)))
    assert done().sent == 30


# --- CDRs -----------------------------------------------------------------------------------------------------------


def test_a_cdr_whose_acknowledgement_was_lost_is_sent_again_and_is_there_once(peer: FakePeer) -> None:
    def keep_and_hang_up(peer: FakePeer, request: Recorded) -> Any:
        peer.answer(request)
        return hangs_up()(peer, request)

    peer.misbehave(keep_and_hang_up, method="POST", count=1)
    STORES[ModuleID.CDRS].put(Arrival(cdr(cdr_token=cdr_token(country_code="DE", party_id="MSP"))), None)
    assert done().error
    wait_out()
    assert done().sent == 1
    assert len(peer.requested("POST", "/cdrs")) == 2
    assert [key for key in peer.received if key.startswith("cdrs")] == [f"cdrs/NL/OCP/{cdr()['id']}"]


# --- one worker -----------------------------------------------------------------------------------------------------


def test_a_worker_that_lost_its_lane_writes_nothing(peer: FakePeer) -> None:
    """Its claim ran out while it was away; what it learns then is not noted, for somebody else may know better."""

    def be_overtaken(peer: FakePeer, request: Recorded) -> Any:
        Lane.objects.update(claimed_until=None)
        assert Claim.take(Lane.objects.get().pk)
        connection.close()  # of the peer's thread
        return peer.answer(request)

    before = Delivery.objects.get().image
    peer.misbehave(be_overtaken, method="PATCH")
    set_status("E-1", "CHARGING", 1)
    drain()
    assert Delivery.objects.get().image == before
    lane = Lane.objects.get()
    assert lane.claimed_until and lane.claimed_until > timezone.now(), "the other's claim stands"


def test_an_older_claim_is_worth_nothing(peer: FakePeer) -> None:
    platform_id = Lane.objects.get().pk
    older = Claim.take(platform_id)
    Lane.objects.update(claimed_until=None)
    newer = Claim.take(platform_id)
    assert older and newer and newer.generation == older.generation + 1
    with pytest.raises(LostLane):
        older.hold()
    older.release(None)
    newer.hold()


# --- figures --------------------------------------------------------------------------------------------------------


def test_each_hour_counts_requests_objects_and_how_long_they_took(peer: FakePeer) -> None:
    set_status("E-1", "CHARGING", 1)
    peer.received.clear()
    drain()
    hour = DeliveryHour.objects.get(stream="statuses")
    assert (hour.requests, hour.acknowledged, hour.refused, hour.failures) == (3, 1, 0, 0)
    assert sum(getattr(hour, name) for _, name in records.BOUNDS) == 1
    set_status("E-1", "BLOCKED", 2)
    drain()
    assert DeliveryHour.objects.get(stream="statuses").acknowledged == 2


@pytest.mark.parametrize(
    ("seconds", "column"), [(0.5, "within_half"), (0.6, "within_1"), (299, "within_300"), (9e9, "later")]
)
def test_a_latency_has_its_column(seconds: float, column: str) -> None:
    assert records.column(seconds) == column
