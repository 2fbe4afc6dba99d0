"""A platform that fails now and then, and takes the rest: it is kept up to date all the time."""

from collections.abc import Callable

import pytest

from ocpi.ids import PartyId
from ocpi.store.locations import Path, locations
from ocpi.store.objects import Arrival
from roaming.breaker import STRIKES
from roaming.delivery.visits import PATIENCE
from roaming.delivery_models import Delivery, Lane
from roaming.models import Platform
from tests.kit.lanes import drain, settle, wait_out
from tests.kit.objects import evse, location, minutes_after_noon
from tests.kit.peer import FakePeer, fails, forgets_to_answer
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("behaviour", [fails(500), forgets_to_answer()], ids=["500", "no answer"])
def test_it_is_neither_taken_for_dead_nor_left_alone_for_longer_each_time(
    fake_peer: Callable[..., FakePeer], behaviour: object
) -> None:
    peer = fake_peer()
    register(f"EMSP:{peer.party}", endpoints=peer.endpoints(), outbound_token=peer.token)
    settle()
    for number in range(STRIKES + 1):
        peer.behave()
        peer.misbehave(behaviour, method="PUT", path=f"/BAD-{number}")
        locations.put_many([Arrival(location(id=f"{kind}-{number}")) for kind in ("GOOD", "BAD")], source=None)
        (done,) = drain().values()
        assert done.error
        wait_out()
    platform = Platform.objects.get()
    assert (platform.failures, platform.offline_since) == (1, None)
    peer.behave()
    drain()
    assert len(peer.received) == 2 * (STRIKES + 1)


def set_status(uid: str, status: str, minute: int) -> None:
    changes = {"status": status, "last_updated": minutes_after_noon(minute)}
    locations.patch_part(Path(PartyId("NL*OCP"), "LOC-1", uid), changes, None, lambda document: [])


@pytest.mark.parametrize("changes", [["E-2"], ["E-2", "E-2"]], ids=["another changes", "another changes, and back"])
def test_a_status_that_waits_for_its_own_attempt_is_not_forgotten_over_another_of_its_location(
    fake_peer: Callable[..., FakePeer], changes: list[str]
) -> None:
    """What is acknowledged of one EVSE says nothing of the others."""
    peer = fake_peer()
    register(f"EMSP:{peer.party}", endpoints=peer.endpoints(), outbound_token=peer.token)
    settle()
    locations.put_many([Arrival(location(evses=[evse(uid="E-1"), evse(uid="E-2")]))], source=None)
    drain()
    peer.misbehave(fails(500), method="PATCH", path="/E-1")
    set_status("E-1", "CHARGING", 1)
    for _ in range(PATIENCE):
        drain()
        Lane.objects.update(retry_at=None)
    assert Delivery.objects.get().retry_at, "it is passed, to be tried again in its own time"
    peer.behave()
    for minute, uid in enumerate(changes, 2):
        set_status(uid, "AVAILABLE" if minute > 2 else "BLOCKED", minute)
    drain()
    (held,) = peer.received.values()
    wanted = {"E-1": "CHARGING", "E-2": "AVAILABLE" if len(changes) > 1 else "BLOCKED"}
    assert {one["uid"]: one["status"] for one in held["evses"]} == wanted
    assert not Delivery.objects.filter(attempts__gt=0).exists()
