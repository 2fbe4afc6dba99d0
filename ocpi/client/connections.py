"""Connections to partners that many requests share: kept open, bounded in time and size, to judged addresses only.

A host's addresses are judged (`url_policy`) when it is first called and every minute from then on, and the
connections go to the judged one.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ocpi.client import http1, url_policy
from ocpi.client.http import CONNECT_SECONDS, trust
from ocpi.client.http1 import Broken, Connection, Response
from ocpi.kept import kept

_Key = tuple[str, bool]  # the origin, and whether private addresses are allowed
Resolve = Callable[[str, int], str]
_JUDGED_SECONDS = 60.0
# Shorter than the servers that are usual keep theirs: a request on a connection that is just being closed is lost.
_KEEP_OPEN = 2.0


class Connections:
    """For one event loop. `resolve` gives the judged address of a host, from a thread."""

    def __init__(self, resolve: Resolve = url_policy.resolve) -> None:
        self._resolve = resolve
        self._hosts: dict[_Key, _Host] = {}
        self._judging: dict[_Key, asyncio.Task[_Host]] = {}

    async def send(
        self,
        method: str,
        url: str,
        headers: str,
        body: bytes | None,
        seconds: float,
        most: int,
        origin: str = "",
    ) -> Response:
        """Send a request with headers as `http1.lines` gives them; its answer may take `seconds` in all and have
        `most` bytes. `origin` is that of the URL (`url_policy.check_url`) when it is known to begin with a good one.

        A request that met a connection just closed is sent once more, unless it is a POST: all others may be repeated.
        Raises TimeoutError, ForbiddenUrl, and OSError or ValueError for everything else that went wrong.
        """
        if not origin or not url.isascii():
            origin = url_policy.check_url(url)
        target = url[len(origin) :].partition("#")[0]
        if not target.startswith("/"):
            target = f"/{target}"
        request = http1.message(method, target, origin.partition("://")[2], headers, body)
        async with asyncio.timeout(seconds):
            host = await self._host(origin)
            try:
                return await host.ask(request, most)
            except Broken as error:
                if not error.is_stale or method == "POST":
                    raise
            return await host.ask(request, most, anew=True)

    def close(self) -> None:
        """Close what is not in use."""
        for host in self._hosts.values():
            host.close()

    async def _host(self, origin: str) -> "_Host":
        """Raises ForbiddenUrl, or OSError when the name cannot be resolved."""
        key = (origin, bool(kept.NODE_ALLOW_PRIVATE_URLS))
        host = self._hosts.get(key)
        if host is not None and host.is_fresh:
            return host
        # Once for all who wait: the threads are few, and a name that is slow to resolve must not take all of them.
        judging = self._judging.get(key)
        if judging is None:
            judging = self._judging[key] = asyncio.create_task(self._judged(key))
            judging.add_done_callback(partial(self._forget, key))
        return await asyncio.shield(judging)

    async def _judged(self, key: _Key) -> "_Host":
        parts = urlsplit(key[0])
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = await asyncio.to_thread(self._resolve, parts.hostname or "", port)
        # Those not called for a while are forgotten; they close what they have open by themselves.
        self._hosts = {name: found for name, found in self._hosts.items() if found.is_fresh or name == key}
        host = self._hosts.get(key)
        if host is None or host.address != address:
            host = self._hosts[key] = _Host(parts.hostname or "", address, port, is_secure=parts.scheme == "https")
        host.judged_at = time.monotonic()
        return host

    def _forget(self, key: _Key, judging: "asyncio.Task[_Host]") -> None:
        del self._judging[key]
        if not judging.cancelled():
            judging.exception()  # who still waits is told of it; who has given up need not be


class _Host:
    """The connections to one server."""

    def __init__(self, name: str, address: str, port: int, *, is_secure: bool) -> None:
        self.address, self.judged_at = address, 0.0
        self._port = port
        self._security: dict[str, Any] = {"ssl": trust(), "server_hostname": name} if is_secure else {}
        self._idle: list[Connection] = []
        self._sweep: asyncio.TimerHandle | None = None

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.judged_at < _JUDGED_SECONDS

    async def ask(self, request: bytes, most: int, *, anew: bool = False) -> Response:
        """Send a request over a connection that is idle, or a new one (always with `anew`)."""
        connection = None if anew else self._take()
        if connection is None:
            connection = await self._connect()
        try:
            return await connection.ask(request, most)
        finally:
            self._give_back(connection)

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await loop.create_connection(Connection, self.address, self._port, **self._security)
        except TimeoutError:
            raise OSError(f"no connection within {CONNECT_SECONDS} s") from None
        return connection

    def _take(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and time.monotonic() - connection.idle_since < _KEEP_OPEN:
                return connection
            connection.close()
        return None

    def _give_back(self, connection: Connection) -> None:
        if not connection.is_open:
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(_KEEP_OPEN, self._close_idle)

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()
        if self._sweep is not None:
            self._sweep.cancel()

    def _close_idle(self) -> None:
        self._sweep = None
        oldest = time.monotonic() - _KEEP_OPEN
        idle, self._idle = self._idle, []
        for connection in idle:
            if connection.is_open and connection.idle_since > oldest:
                self._idle.append(connection)
            else:
                connection.close()
        if self._idle:
            self._sweep = asyncio.get_running_loop().call_later(_KEEP_OPEN, self._close_idle)
