"""The rounds of a process that holds chargers: one thread with the database serves all who are connected.

They send commands that wait, judge EVSEs and share power where it is time, note who has said something, ask who has
come back, let go of connections that ended and find those that another process took over. All of that is in rows: a
round that fails is made up for by the next, a process that dies by the rounds of others and by beat.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from cpo_backend.commanding import bus, queue
from cpo_backend.commanding.queue import Claimed
from cpo_backend.ocpp import fencing
from cpo_backend.ocpp.calling import Caller
from cpo_backend.ocpp.connection import Connection
from cpo_backend.ocpp.frame_log import FrameLog
from cpo_backend.ocpp.rooms import Room, Rooms
from cpo_backend.power import deciding
from cpo_backend.status import publishing, refreshing

log = structlog.get_logger(__name__)

GOING_AWAY = 1001
_RETRY_SECONDS = 2.0
_SEEN_SECONDS = 10.0
_SETTLED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class _Round:
    """What a round is about: generations by charger, chargers that are being asked, have spoken, have settled in."""

    held: dict[int, UUID]
    busy: list[int]
    heard: list[int]
    settled: list[int]


class Rounds:
    """`connections` by charger: kept by the door, read here. `log` counts messages."""

    def __init__(self, connections: Mapping[int, Connection], rooms: Rooms, log: FrameLog) -> None:
        self._connections, self._rooms, self._log = connections, rooms, log
        self._caller = Caller(connections, rooms)
        self.node: UUID | None = None
        self._ended: list[UUID] = []
        self._renewed_at = self._heard_at = 0.0

    async def begin(self) -> None:
        loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        self._end_listening = bus.listen(lambda: loop.call_soon_threadsafe(self._wake.set))
        with suppress(DatabaseError, InterfaceError):  # tried again with each round
            await self._rooms.run(Room.ROUNDS, self._enter)
        self._task = asyncio.create_task(self._make())

    async def end(self) -> None:
        """Let go of all chargers."""
        self._end_listening()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        for connection in list(self._connections.values()):
            await connection.close(GOING_AWAY)
        await self._caller.finished()
        if self.node is not None:
            with suppress(DatabaseError, InterfaceError):  # others bury us
                await self._rooms.run(Room.ROUNDS, fencing.leave, self.node)

    def ended(self, generation: UUID) -> None:
        """This connection is over; its row goes with the next round, which is now."""
        self._ended.append(generation)
        self._wake.set()

    async def _make(self) -> None:
        pause = 1.0 if settings.REDIS_URL else 0.2
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._one()
            except Exception as error:
                is_away = isinstance(error, DatabaseError | InterfaceError)
                log.warning("a round failed", error=str(error), exc_info=None if is_away else error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _one(self) -> None:
        claimed, lost = await self._rooms.run(Room.ROUNDS, self._work, self._look())
        for connection in list(self._connections.values()) if lost else ():
            if connection.station.generation in lost:
                await connection.close(reason="connected elsewhere")
        for command in claimed:
            self._caller.start(command)

    def _look(self) -> _Round:
        """On the event loop: who is here, and what is new about them."""
        now = time.monotonic()
        is_time = now - self._heard_at >= _SEEN_SECONDS
        if is_time:
            self._heard_at = now
        found = _Round({}, list(self._caller.busy), [], [])
        for charger_id, connection in self._connections.items():
            found.held[charger_id] = connection.station.generation
            if is_time and connection.has_spoken:
                connection.has_spoken = False
                found.heard.append(charger_id)
            if connection.settles_at and connection.settles_at <= now and len(found.settled) < _SETTLED_AT_ONCE:
                connection.settles_at = 0.0
                found.settled.append(charger_id)
        return found

    def _work(self, found: _Round) -> tuple[list[Claimed], set[UUID]]:
        """In the thread of the rounds: commands to send, and generations that are not ours any more."""
        node, lost = self._enter(), set[UUID]()
        if self._ended:
            ended = list(self._ended)
            fencing.release(ended)
            del self._ended[: len(ended)]
        if time.monotonic() - self._renewed_at >= fencing.RENEWED.total_seconds():
            self._renewed_at = time.monotonic()
            fencing.renew(node, self._log.count_received, self._log.count_sent)
            fencing.bury()
            lost = fencing.lost(node, found.held.values())
        if found.heard:
            fencing.seen(found.heard)
        if found.settled:
            refreshing.ask_unheard(found.settled)
        publishing.judge_due()
        deciding.decide_due()
        return queue.claim(node, found.held, found.busy) if found.held else [], lost

    def _enter(self) -> UUID:
        if self.node is None:
            self.node = fencing.enter()
            self._renewed_at = time.monotonic()
        return self.node
