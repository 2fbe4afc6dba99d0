"""The reference of the case `ocpp_messages`: PyPI's `ocpp` on `websockets`, validating by its JSON schemas.

python -m tests.bench.peer_ocpp PORT
"""

import asyncio
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import ocpp.messages
import uvloop
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.enums import Action, RegistrationStatus
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

# Otherwise each message takes a thread and back: it is faster without.
ocpp.messages.ASYNC_VALIDATION = False


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _ChargePoint(ChargePoint):
    @on(Action.boot_notification)
    def on_boot(self, **_: Any) -> call_result.BootNotification:
        return call_result.BootNotification(current_time=_now(), interval=300, status=RegistrationStatus.accepted)

    @on(Action.heartbeat)
    def on_heartbeat(self) -> call_result.Heartbeat:
        return call_result.Heartbeat(current_time=_now())

    @on(Action.status_notification)
    def on_status(self, **_: Any) -> call_result.StatusNotification:
        return call_result.StatusNotification()

    @on(Action.meter_values)
    def on_meter_values(self, **_: Any) -> call_result.MeterValues:
        return call_result.MeterValues()


async def _serve(connection: ServerConnection) -> None:
    identity = connection.request.path.rpartition("/")[2] if connection.request else ""
    try:
        await _ChargePoint(identity, connection).start()
    except ConnectionClosed:
        return


async def _main(port: int) -> None:
    async with serve(_serve, "127.0.0.1", port, subprotocols=[Subprotocol("ocpp1.6")], compression=None, backlog=2048):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    logging.getLogger("ocpp").setLevel(logging.ERROR)
    uvloop.run(_main(int(sys.argv[1])))
