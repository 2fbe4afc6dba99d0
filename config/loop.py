"""The event loop of the processes that listen: `uvicorn --loop config.loop:Loop`.

libuv accepts one connection in each turn of its loop, and a turn of a busy node takes 15 to 30 ms: of five hundred that
came at once 223 had been accepted after three seconds, and no log and no figure of ours told of the others.
"""

import contextlib
import socket
from collections.abc import Sequence
from typing import Any

import uvloop

AT_ONCE = 16  # connections that are accepted in a turn; for one that comes alone the other calls are in vain
_OF_EACH = ("backlog", "ssl", "ssl_handshake_timeout", "ssl_shutdown_timeout", "start_serving")


class Loop(uvloop.Loop):
    """uvloop whose servers listen at several copies of each of their sockets."""

    async def create_server(self, protocol_factory: Any, *address: Any, **options: Any) -> "Server":  # type: ignore[override]
        """As asyncio's; raises OSError, and listens nowhere, when address or descriptors are not to be had."""
        of_each = {name: value for name, value in options.items() if name in _OF_EACH}
        with contextlib.ExitStack() as opened:
            first: Any = await super().create_server(protocol_factory, *address, **options)
            opened.callback(first.close)
            servers = [first]
            for listening in first.sockets:
                for _ in range(AT_ONCE - 1):
                    copy = socket.socket(fileno=socket.dup(listening.fileno()))
                    servers.append(await super().create_server(protocol_factory, sock=copy, **of_each))
                    opened.callback(servers[-1].close)
            opened.pop_all()
        return Server(servers)


class Server:
    """What uvicorn asks of a server: those at the copies are closed with the first."""

    def __init__(self, servers: Sequence[Any]) -> None:
        self._servers = servers

    @property
    def sockets(self) -> Sequence[Any]:
        """One for each address."""
        return self._servers[0].sockets  # type: ignore[no-any-return]

    def close(self) -> None:
        """Listen no more; connections stay."""
        for server in self._servers:
            server.close()

    async def wait_closed(self) -> None:
        """Wait for the end of the connections."""
        for server in self._servers:
            await server.wait_closed()
