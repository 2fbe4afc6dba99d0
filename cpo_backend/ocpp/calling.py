"""Sends claimed commands to their chargers and has the outcomes written down."""

import asyncio
from collections.abc import Mapping

import structlog
from msgspec import Raw

from cpo_backend.commanding import bus, concluding
from cpo_backend.commanding.queue import Claimed
from cpo_backend.models import OcppCommand
from cpo_backend.ocpp.calls import Gone
from cpo_backend.ocpp.connection import Connection
from cpo_backend.ocpp.rooms import Room, Rooms
from cpo_backend.ocpp.wire import frames
from cpo_backend.ocpp.wire.frames import Error, Result

log = structlog.get_logger(__name__)

Status = OcppCommand.Status
# What `concluding.conclude` takes: status, result, error code and description.
Outcome = tuple[OcppCommand.Status, str, str, str]


class Caller:
    def __init__(self, connections: Mapping[int, Connection], rooms: Rooms) -> None:
        self._connections, self._rooms = connections, rooms
        self._calls: set[asyncio.Task[None]] = set()
        self.busy: set[int] = set()  # chargers that are being asked, until the outcome is written down

    def start(self, command: Claimed) -> None:
        """Begin to ask; what becomes of it is in the command's row."""
        self.busy.add(command.charger_id)
        task = asyncio.create_task(self._ask(command))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def finished(self) -> None:
        """Wait until every outcome is written down; the connections have ended before."""
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _ask(self, command: Claimed) -> None:
        outcome: Outcome = (Status.OFFLINE, "", "", "")
        connection = self._connections.get(command.charger_id)
        if connection is not None:
            try:
                payload = Raw(command.payload.encode())
                answer = await connection.call(str(command.id), command.action, payload, command.seconds)
                outcome = _outcome(connection, command.action, answer)
            except TimeoutError:
                outcome = (Status.TIMEOUT, "", "", "")
            except Gone:
                log.info("charger left unanswered what it was asked", command=command.id)
        try:
            await self._rooms.run(Room.DATABASE, concluding.conclude, command.id, *outcome)
        except Exception:
            log.exception("an outcome is not written down", command=command.id)
        finally:
            self.busy.discard(command.charger_id)
        bus.wake_here()


def _outcome(connection: Connection, action: str, answer: Result | Error) -> Outcome:
    """An answer that does not fit its action is an error."""
    if isinstance(answer, Error):
        return (Status.ERROR, "", answer.code, answer.description)
    dialect = connection.station.dialect
    try:
        payload = frames.without_nul(answer.payload)
        dialect.to_charger[action].read_response(payload)
    except frames.BROKEN as error:
        fault = frames.fault_of(error)
        return (Status.ERROR, "", dialect.spelled(fault.code), fault.description)
    return (Status.OK, bytes(payload).decode(), "", "")
