"""The threads in which work on the database and with partners is done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum, auto
from functools import partial
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.db import close_old_connections

log = structlog.get_logger(__name__)

_Work = TypeVar("_Work")
_Found = TypeVar("_Found")
MOST_TOGETHER = 200


class Room(Enum):
    """Where work is done: on the event loop (no I/O at all), in a thread with the database, in one of those that may
    wait for partners, so that partners who hang keep nobody from the database, or in the one thread of the rounds.
    """

    LOOP = auto()
    DATABASE = auto()
    PARTNERS = auto()
    ROUNDS = auto()


class Rooms:
    def __init__(self) -> None:
        sizes = {Room.DATABASE: settings.OCPP_THREADS, Room.PARTNERS: settings.OCPP_PARTNER_THREADS, Room.ROUNDS: 1}
        self._pools = {
            room: ThreadPoolExecutor(size, thread_name_prefix=f"chargers-{room.name.lower()}")
            for room, size in sizes.items()
        }
        self._batches: dict[Callable[..., Any], _Batches] = {}

    async def run(self, room: Room, function: Callable[..., _Found], *arguments: Any) -> _Found:
        """Have it done in a thread of that room; raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._pools[room], _run, function, arguments)

    async def run_together(
        self, room: Room, function: Callable[[Sequence[_Work]], Sequence[_Found | None]], work: _Work
    ) -> _Found | None:
        """Have it done with whatever else came for that function meanwhile; None for all when the function fails."""
        batches = self._batches.setdefault(function, _Batches(partial(self.run, room, function)))
        found: _Found | None = await batches.take(work)
        return found

    def close(self) -> None:
        """Take no more work."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


class _Batches:
    """What comes while a batch is worked on is the next batch: the more there is to do, the less each costs."""

    def __init__(self, run: Callable[[list[Any]], Awaitable[Sequence[Any]]]) -> None:
        self._run = run
        self._waiting: list[tuple[Any, asyncio.Future[Any]]] = []
        self._worker: asyncio.Task[None] | None = None

    def take(self, work: Any) -> "asyncio.Future[Any]":
        found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, found))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return found

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
                _settle([waiting for _, waiting in batch], await self._outcomes([work for work, _ in batch]))
        finally:
            self._worker = None

    async def _outcomes(self, works: list[Any]) -> Sequence[Any]:
        try:
            return await self._run(works)
        except Exception as error:
            log.warning("what came together is worked on one by one", count=len(works), error=repr(error))
            return [None] * len(works)


def _settle(waiting: Sequence["asyncio.Future[Any]"], outcomes: Sequence[Any]) -> None:
    for future, outcome in zip(waiting, outcomes, strict=True):
        if not future.done():
            future.set_result(outcome)


def _run(function: Callable[..., _Found], arguments: tuple[Any, ...]) -> _Found:
    """With a database connection that still works, and is given back when its time is over."""
    close_old_connections()
    try:
        return function(*arguments)
    finally:
        close_old_connections()
