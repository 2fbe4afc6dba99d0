"""What a platform was told and we have not noted: whatever it may hold now, it ends up with how things are."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.store.locations import Path, locations
from ocpi.store.objects import Arrival
from ocpi.store.sessions import sessions
from ocpi.store.tariffs import tariffs
from roaming.delivery.records import Claim
from roaming.delivery_models import Lane
from tests.kit.lanes import drain, settle, wait_out
from tests.kit.objects import evse, location, minutes_after_noon, session, tariff
from tests.kit.peer import Behaviour, FakePeer, Recorded, Reply, enveloped, fails, forgets_to_answer
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)

OCP = PartyId("NL*OCP")
HERE = "locations/NL/OCP/LOC-1"


def does_but_answers(reply: Reply) -> Behaviour:
    """The request is done, and the answer says otherwise."""

    def answer(peer: FakePeer, request: Recorded) -> Reply:
        peer.answer(request)
        return reply

    return answer


@pytest.fixture
def peer(fake_peer: Callable[..., FakePeer]) -> FakePeer:
    """A connected eMSP that holds a Location, a Session and a Tariff."""
    peer = fake_peer(party="DE*MSP", role="EMSP")
    register("EMSP:DE*MSP", endpoints=peer.endpoints(), outbound_token=peer.token)
    settle()
    locations.put(Arrival(location(evses=[evse(uid="E-1"), evse(uid="E-2")])), None)
    sessions.put(Arrival(session(status="ACTIVE")), None)
    tariffs.put(Arrival(tariff()), None)
    drain()
    return peer


def set_status(uid: str, status: str, minute: int) -> None:
    changes = {"status": status, "last_updated": minutes_after_noon(minute)}
    locations.patch_part(Path(OCP, "LOC-1", uid), changes, None, lambda document: [])


def held_statuses(peer: FakePeer) -> list[str]:
    return [one["status"] for one in peer.received[HERE]["evses"]]


# --- there and back -------------------------------------------------------------------------------------------------


def status(peer: FakePeer, value: int) -> None:
    set_status("E-1", ("AVAILABLE", "CHARGING")[value], value + 1)


def energy(peer: FakePeer, value: int) -> None:
    sessions.put(Arrival(session(status="ACTIVE", kwh=value, last_updated=minutes_after_noon(value + 1))), None)


def name(peer: FakePeer, value: int) -> None:
    evses = [evse(uid="E-1"), evse(uid="E-2")]
    locations.put(Arrival(location(evses=evses, name=f"Name {value}")), None)


def existence(peer: FakePeer, value: int) -> None:
    if value:
        tariffs.delete(OCP, "TARIFF-1", None)
    else:
        tariffs.put(Arrival(tariff()), None)


@pytest.mark.parametrize(
    "behaviour",
    [forgets_to_answer(), does_but_answers(fails(500)(None, None)), does_but_answers(enveloped(code=3000))],  # type: ignore[arg-type]
    ids=["no answer", "HTTP 500", "3000"],
)
@pytest.mark.parametrize("change", [status, energy, name, existence])
def test_an_object_that_is_back_after_a_request_without_a_good_answer_is_sent_as_it_is(
    peer: FakePeer, change: Callable[[FakePeer, int], None], behaviour: Behaviour
) -> None:
    change(peer, 0)
    drain()
    before = {key: dict(document) for key, document in peer.received.items()}
    peer.misbehave(behaviour, path="/receiver/")
    change(peer, 1)
    drain()
    assert untimed(peer.received) != untimed(before), "it did what it was asked for"
    peer.behave()
    change(peer, 0)
    wait_out()
    drain()
    assert untimed(peer.received) == untimed(before)


def untimed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: untimed(item) for key, item in value.items() if key != "last_updated"}
    return [untimed(item) for item in value] if isinstance(value, list) else value


def test_what_was_taken_before_a_pause_was_asked_for_is_remembered(peer: FakePeer) -> None:
    peer.misbehave(fails(429), method="PATCH", path="/E-2")
    set_status("E-1", "CHARGING", 1)
    set_status("E-2", "CHARGING", 2)
    drain()
    assert held_statuses(peer) == ["CHARGING", "AVAILABLE"]
    peer.behave()
    set_status("E-1", "AVAILABLE", 3)
    wait_out()
    drain()
    assert held_statuses(peer) == ["AVAILABLE", "CHARGING"]


# --- a worker that died ---------------------------------------------------------------------------------------------


def die(peer: FakePeer, request: Recorded) -> Reply:
    """The request is done; before its sender books it, somebody else is in its lane."""
    answer = peer.answer(request)
    Lane.objects.update(claimed_until=None)
    assert Claim.take(Lane.objects.get().pk)
    connection.close()  # of the peer's thread
    return answer


@pytest.mark.parametrize("change", [status, energy, name, existence])
def test_an_object_that_is_back_after_a_worker_died_with_it_is_sent_as_it_is(
    peer: FakePeer, change: Callable[[FakePeer, int], None]
) -> None:
    change(peer, 0)
    drain()
    before = {key: dict(document) for key, document in peer.received.items()}
    peer.misbehave(die, path="/receiver/", count=1)
    change(peer, 1)
    drain()
    assert untimed(peer.received) != untimed(before)
    change(peer, 0)
    Lane.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    drain()
    assert untimed(peer.received) == untimed(before)


def test_a_worker_that_left_its_lane_leaves_no_doubt(peer: FakePeer) -> None:
    peer.requests.clear()
    set_status("E-1", "CHARGING", 1)
    drain()
    drain()
    assert [request.method for request in peer.requests] == ["PATCH"]
