"""Our connections without what is behind them: messages are read, checked and answered, and nothing is kept of them.

uvicorn tests.bench.door_only:application
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from dataclasses import replace
from uuid import uuid4

from django.utils import timezone

import config.asgi  # noqa: F401  (set up, and its memory, as in the product)
from cpo_backend.ocpp.connection import Connection
from cpo_backend.ocpp.dialects import V16
from cpo_backend.ocpp.frame_log import FrameLog
from cpo_backend.ocpp.handling import shared, v16
from cpo_backend.ocpp.rooms import Room, Rooms
from cpo_backend.ocpp.station import Station
from ocpi.transport.asgi import Receive, Scope, Send

# What begins with the database ends here.
_HANDLERS = {
    action: handling if handling.room is Room.LOOP else replace(handling, function=shared.note, room=Room.LOOP)
    for action, handling in v16.HANDLERS.items()
}
_rooms, _log = Rooms(), FrameLog(threaded=False)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        return
    await receive()
    await send({"type": "websocket.accept", "subprotocol": V16.subprotocol})
    identity = scope["path"].rpartition("/")[2]
    station = Station(0, identity, V16, uuid4(), is_accepted=True, connected_at=timezone.now())
    await Connection(station, receive, send, _HANDLERS, _rooms, _log).serve()
