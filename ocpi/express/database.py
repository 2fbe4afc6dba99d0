"""PostgreSQL for an event loop: a few connections, each used by one request at a time, each statement a transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import psycopg
from django.db import connection as django
from psycopg.abc import PQGen
from psycopg.waiting import Ready, Wait

Result = TypeVar("Result")
Params = Sequence[Any] | Mapping[str, Any]

# Django's own cursors and adapters; ours are psycopg's.
_DJANGOS = ("context", "cursor_factory")
_LOOK_SECONDS = 1.0
_READ, _WRITE = int(Wait.R), int(Wait.W)


class Connection(psycopg.AsyncConnection[Any]):
    """Tells the loop what it waits for when that changes, not for each packet: a page comes in a dozen of them."""

    async def wait(self, gen: PQGen[Result], interval: float = 0.0, timeout: float | None = None) -> Result:
        """As psycopg's, for statements; `interval` and `timeout` have no meaning."""
        try:
            wanted = next(gen)
        except StopIteration as end:
            return cast(Result, end.value)
        return cast(Result, await _Talk(gen, self.pgconn.socket).outcome(wanted))


class _Talk:
    """psycopg's side of a conversation with the server: a generator that says what to wait for, and is told of it."""

    __slots__ = ("_fd", "_future", "_gen", "_loop", "_timer", "_watched")

    def __init__(self, gen: PQGen[Any], fd: int) -> None:
        self._gen, self._fd, self._watched = gen, fd, 0
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[Any] = self._loop.create_future()

    async def outcome(self, wanted: int) -> Any:
        """What the generator returns or raises in the end."""
        self._watch(wanted)
        self._timer = self._loop.call_later(_LOOK_SECONDS, self._look)
        try:
            return await self._future
        finally:
            self._timer.cancel()
            self._watch(0)

    def _look(self) -> None:
        """uvloop does not tell of a socket that is broken, only of one that is ended; reading from it does."""
        self._timer = self._loop.call_later(_LOOK_SECONDS, self._look)
        self._ready(Ready.R)

    def _ready(self, ready: Ready) -> None:
        if self._future.done():  # given up
            return
        try:
            self._watch(self._gen.send(ready))
        except StopIteration as end:
            self._watch(0)
            self._future.set_result(end.value)
        except BaseException as error:
            self._watch(0)  # at once: the socket may be closed, and its number soon be that of another
            self._future.set_exception(error)

    def _watch(self, wanted: int) -> None:
        if wanted == self._watched:
            return
        changed, self._watched = wanted ^ self._watched, wanted
        if changed & _READ:
            if wanted & _READ:
                self._loop.add_reader(self._fd, self._ready, Ready.R)
            else:
                self._loop.remove_reader(self._fd)
        if changed & _WRITE:
            if wanted & _WRITE:
                self._loop.add_writer(self._fd, self._ready, Ready.W)
            else:
                self._loop.remove_writer(self._fd)


class Database:
    """The node's database, for one event loop at a time; opened when it is first asked."""

    def __init__(self, connections: int) -> None:
        self._most = connections
        self._idle: list[Connection] = []
        self._places = asyncio.Semaphore(connections)

    async def fetch(self, sql: str, params: Params) -> list[tuple[Any, ...]]:
        """The rows of a query; raises psycopg's errors."""
        return await (await self._run(sql, params)).fetchall()

    async def execute(self, sql: str, params: Params) -> int:
        """Run a statement and commit; returns how many rows it touched, raises psycopg's errors."""
        return (await self._run(sql, params)).rowcount

    async def close(self) -> None:
        """Close what is idle; the next loop may begin anew."""
        self._places = asyncio.Semaphore(self._most)
        while self._idle:
            await self._idle.pop().close()

    async def _run(self, sql: str, params: Params) -> psycopg.AsyncCursor[Any]:
        async with self._places:
            connection = self._idle.pop() if self._idle else await self._connect()
            try:
                cursor = await connection.execute(sql, params)
            except BaseException:  # whatever it is in the middle of
                await connection.close()
                raise
            self._idle.append(connection)
            return cursor

    async def _connect(self) -> Connection:
        params = {name: value for name, value in django.get_connection_params().items() if name not in _DJANGOS}
        return await Connection.connect(**{**params, "application_name": "express"}, autocommit=True)
