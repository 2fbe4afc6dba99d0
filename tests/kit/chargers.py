"""A node with chargers: the front door's websocket side on a real socket, and a charger that is registered."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from cpo_backend.models import Charger
from cpo_backend.ocpp.door import Door
from cpo_backend.ocpp.frame_log import FrameLog
from cpo_backend.registry.adding import Registration, register
from ocpi.ids import PartyId
from ocpi.store.locations import Path, locations
from ocpi.store.objects import Arrival
from ocpi.types import codec
from tests.kit.charger import SECONDS, V16, FakeCharger
from tests.kit.front_door import serve
from tests.kit.objects import evse, location

PASSWORD = "a password of the kit"
OWNER = PartyId("NL*OCP")


@contextlib.contextmanager
def door(log: FrameLog | None = None) -> Iterator[str]:
    """The URL at which chargers connect."""
    opened = Door(log or FrameLog(threaded=False))

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await opened(scope, receive, send)
            return
        assert (await receive())["type"] == "lifespan.startup"
        await opened.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await opened.close()
        await send({"type": "lifespan.shutdown.complete"})

    with serve(application, ws="websockets-sansio", ws_per_message_deflate=False) as url:
        yield url


def add_location(id: str = "LOC-1", uids: tuple[str, ...] = ("EVSE-1", "EVSE-2"), **changes: Any) -> None:
    """A Location of ours, all of whose EVSEs are UNKNOWN so far."""
    evses = [evse(uid=uid, evse_id=f"NL*OCP*E{place}", status="UNKNOWN") for place, uid in enumerate(uids)]
    locations.put(Arrival(location(id=id, evses=evses, **changes)), None)


def add_charger(
    identity: str = "CP-1", uids: tuple[str, ...] = ("EVSE-1", "EVSE-2"), *, place: str = "LOC-1", **changes: Any
) -> Charger:
    """A registered charger whose numbers 1, 2, … are the EVSEs of a Location of its own."""
    add_location(place, uids)
    wanted = Registration(identity, place, [(uid, None) for uid in uids], password=PASSWORD)
    charger = register(wanted).charger
    Charger.objects.filter(pk=charger.pk).update(**changes)
    charger.refresh_from_db()
    return charger


def connected(url: str, identity: str = "CP-1", subprotocol: str = V16, **options: Any) -> FakeCharger:
    """A charger that connects with its password when it is entered."""
    return FakeCharger(url, identity, PASSWORD, subprotocols=(subprotocol,), **options)


def status_of(uid: str, place: str = "LOC-1") -> str:
    """The status of an EVSE as partners read it."""
    text = locations.find_part(Path(OWNER, place, uid))
    assert text is not None
    return str(codec.decode(text.encode())["status"])


def eventually(is_so: Callable[[], Any], what: str = "it") -> Any:
    """What `is_so` returns once that is true."""
    deadline = time.monotonic() + SECONDS
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return found
