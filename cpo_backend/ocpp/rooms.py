"""The threads in which work on the database and with partners is done."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum, auto
from typing import Any, TypeVar

from django.conf import settings
from django.db import close_old_connections

_Found = TypeVar("_Found")


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

    async def run(self, room: Room, function: Callable[..., _Found], *arguments: Any) -> _Found:
        """Have it done in a thread of that room; raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._pools[room], _run, function, arguments)

    def close(self) -> None:
        """Take no more work."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


def _run(function: Callable[..., _Found], arguments: tuple[Any, ...]) -> _Found:
    """With a database connection that still works, and is given back when its time is over."""
    close_old_connections()
    try:
        return function(*arguments)
    finally:
        close_old_connections()
