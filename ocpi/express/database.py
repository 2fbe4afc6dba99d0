"""PostgreSQL for an event loop: a few connections, each used by one request at a time, each statement a transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import psycopg
from django.db import connection as django
from psycopg.abc import PQGen
from psycopg.types.string import ByteaBinaryLoader
from psycopg.waiting import Ready, Wait

Result = TypeVar("Result")
Params = Sequence[Any] | Mapping[str, Any]
Cursor = psycopg.AsyncCursor[Any]

# Django's own cursors and adapters; ours are psycopg's.
_DJANGOS = ("context", "cursor_factory")
_LOOK_SECONDS = 1.0
_WRITE = int(Wait.W)
# libpq reads 16 kB at a time, until an answer did not fit: a page comes in eight pieces, or in two or three.
_STRETCH = "SELECT repeat(' ', 300000)"


class Connection(psycopg.AsyncConnection[Any]):
    """Its socket is watched from its first statement to its end: to begin and end that each time costs as much again.

    All statements go by one cursor. When a statement is the one of last time, it knows how to adapt what goes and
    comes. Text is not decoded.
    """

    _line: "_Line | None" = None
    _cursor: Cursor | None = None

    @property
    def is_sound(self) -> bool:
        """Whether the server has said nothing unasked, as it does when it ends the connection."""
        return self._line is None or not self._line.is_over

    async def ask(self, sql: str, params: Params) -> Cursor:
        """Run a statement; what it returns is to be fetched before the next."""
        if self._cursor is None:
            self.adapters.register_loader("text", ByteaBinaryLoader)
            self._cursor = self.cursor(binary=True)
            await self._cursor.execute(_STRETCH)
        return await self._cursor.execute(sql, params)

    async def wait(self, gen: PQGen[Result], interval: float = 0.0, timeout: float | None = None) -> Result:
        """As psycopg's, for statements; `interval` and `timeout` have no meaning."""
        try:
            wanted = next(gen)
        except StopIteration as end:
            return cast(Result, end.value)
        if self._line is None:
            self._line = _Line(self.pgconn.socket)
        return cast(Result, await self._line.outcome(gen, wanted))

    async def close(self) -> None:
        if self._line:
            self._line.end()
        await super().close()


class _Line:
    """A watched socket, and psycopg's side of the conversation over it.

    That is a generator which says what to wait for, and is told of it. There is always something to read for it.
    """

    def __init__(self, fd: int) -> None:
        self._fd, self._loop = fd, asyncio.get_running_loop()
        self._gen: PQGen[Any] | None = None
        self._is_writing = self.is_over = False
        self._loop.add_reader(fd, self._ready, Ready.R)
        self._timer = self._loop.call_later(_LOOK_SECONDS, self._look)

    async def outcome(self, gen: PQGen[Any], wanted: int) -> Any:
        """What the generator returns or raises in the end."""
        self._gen, self._future = gen, self._loop.create_future()
        self._watch(wanted)
        try:
            return await self._future
        finally:
            self._gen = None

    def end(self) -> None:
        """To be called before the socket is closed: its number may soon be that of another."""
        if not self.is_over:
            self.is_over = True
            self._timer.cancel()
            self._loop.remove_reader(self._fd)
            self._watch(0)

    def _look(self) -> None:
        """uvloop does not tell of a socket that is broken, only of one that is ended; reading from it does."""
        self._timer = self._loop.call_later(_LOOK_SECONDS, self._look)
        if self._gen is not None:
            self._ready(Ready.R)

    def _ready(self, ready: Ready) -> None:
        if self._gen is None:
            self.end()
            return
        try:
            self._watch(self._gen.send(ready))
        except StopIteration as end:
            self._gen = None
            self._watch(0)
            if not self._future.done():
                self._future.set_result(end.value)
        except BaseException as error:
            self.end()
            if not self._future.done():
                self._future.set_exception(error)

    def _watch(self, wanted: int) -> None:
        """Whether it can be written to is asked only when that is waited for, which is hardly ever."""
        is_writing = bool(wanted & _WRITE)
        if is_writing is not self._is_writing:
            self._is_writing = is_writing
            if is_writing:
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
        """The rows of a query, text in UTF-8; raises psycopg's errors."""
        return await self._run(sql, params, Cursor.fetchall)

    async def execute(self, sql: str, params: Params) -> int:
        """Run a statement and commit; returns how many rows it touched, raises psycopg's errors."""
        return await self._run(sql, params, _touched)

    async def close(self) -> None:
        """Close what is idle; the next loop may begin anew."""
        self._places = asyncio.Semaphore(self._most)
        while self._idle:
            await self._idle.pop().close()

    async def _run(self, sql: str, params: Params, result: Callable[[Cursor], Awaitable[Result]]) -> Result:
        async with self._places:
            connection = await self._connection()
            try:
                found = await result(await connection.ask(sql, params))
            except BaseException:  # whatever it is in the middle of
                await connection.close()
                raise
            self._idle.append(connection)
            return found

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_sound:
                return connection
            await connection.close()
        params = {name: value for name, value in django.get_connection_params().items() if name not in _DJANGOS}
        return await Connection.connect(**{**params, "application_name": "express"}, autocommit=True)


async def _touched(cursor: Cursor) -> int:
    return cursor.rowcount
