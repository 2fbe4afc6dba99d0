"""A platform that fails now and then, and takes the rest: it is kept up to date all the time."""

from collections.abc import Callable

import pytest

from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from roaming.breaker import STRIKES
from roaming.models import Platform
from tests.kit.lanes import drain, settle, wait_out
from tests.kit.objects import location
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
