"""Chargers' way in: an ASGI application for `websocket` scopes, from the handshake to the end of the connection."""

import asyncio
from http import HTTPStatus
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from cpo_backend.models import Charger
from cpo_backend.ocpp import fencing, handshake
from cpo_backend.ocpp.connection import Connection
from cpo_backend.ocpp.frame_log import FrameLog, frame_log
from cpo_backend.ocpp.handling import Handling, v16, v201
from cpo_backend.ocpp.handshake import Refused, Request
from cpo_backend.ocpp.limits import Failures
from cpo_backend.ocpp.rooms import Room, Rooms
from cpo_backend.ocpp.rounds import Rounds
from cpo_backend.ocpp.station import Station
from ocpi.transport.asgi import Headers, Receive, Scope, Send

log = structlog.get_logger(__name__)

HANDLERS: dict[str, dict[str, Handling]] = {"1.6": v16.HANDLERS, "2.0.1": v201.HANDLERS}


class Door:
    """Open it before anybody comes. A process that takes no chargers (NODE_CHARGERS) answers 404 to all of them."""

    def __init__(self, log: FrameLog = frame_log) -> None:
        self._log = log
        self._rooms, self._failures = Rooms(), Failures()
        self._connections: dict[int, Connection] = {}
        self._rounds = Rounds(self._connections, self._rooms, log)
        self._is_open = False

    async def open(self) -> None:
        if settings.NODE_CHARGERS:
            await self._rounds.begin()
            self._is_open = True

    async def close(self) -> None:
        """Let go of all chargers; what they said has been worked on, for the server waits for that."""
        if self._is_open:
            self._is_open = False
            await self._rounds.end()
            await asyncio.to_thread(self._log.close)
        self._rooms.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        address = (scope.get("client") or ("",))[0]
        try:
            station = await self._admitted(scope)
        except Refused as error:
            log.info("charger refused", path=scope["path"][:80], address=address, reason=str(error))
            if error.is_suspicious:
                await asyncio.sleep(self._failures.delay(address))
            await _refuse(error, scope, send)
            return
        await send({"type": "websocket.accept", "subprotocol": station.dialect.subprotocol})
        scope["headers"] = []  # nobody asks for them any more, and the server keeps them for days
        connection = Connection(station, receive, send, HANDLERS[station.dialect.version], self._rooms, self._log)
        await self._serve(connection)

    async def _admitted(self, scope: Scope) -> Station:
        if not self._is_open:
            raise Refused(HTTPStatus.NOT_FOUND, "no chargers here")
        request = handshake.read(scope)
        if self._rounds.node is None:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "the database is away")
        try:
            return await self._rooms.run(Room.DATABASE, _admit, request, self._rounds.node)
        except (DatabaseError, InterfaceError) as error:
            log.warning("no charger can be let in", error=str(error))
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "the database is away") from error

    async def _serve(self, connection: Connection) -> None:
        station = connection.station
        before = self._connections.get(station.charger_id)
        self._connections[station.charger_id] = connection
        if before is not None:
            await before.close(reason="connected again")
        try:
            await connection.serve()
        finally:
            if self._connections.get(station.charger_id) is connection:
                del self._connections[station.charger_id]
            self._rounds.ended(station.generation)
            await connection.settled()


def _admit(request: Request, node: UUID) -> Station:
    """Judge the request and hold the charger; raises Refused."""
    charger = handshake.admit(request)
    generation = fencing.hold(node, charger.pk, request.dialect.version, request.profile, request.address)
    return Station(
        charger_id=charger.pk,
        identity=charger.identity,
        dialect=request.dialect,
        generation=generation,
        is_accepted=charger.state == Charger.State.ACCEPTED,
        connected_at=timezone.now(),
    )


async def _refuse(error: Refused, scope: Scope, send: Send) -> None:
    """With the status, where the server can answer a handshake with one; a plain close would be a misleading 403."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 4000 + error.status})
        return
    headers: Headers = [(b"content-length", b"0")]
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b'Basic realm="OCPP", charset="UTF-8"'))
    await send({"type": "websocket.http.response.start", "status": error.status.value, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b""})
