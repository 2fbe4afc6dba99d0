"""The loop that accepts many connections in a turn, on real sockets."""

import asyncio
import contextlib
import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from config.loop import AT_ONCE, Loop

CLIENTS = 200


def test_many_connections_are_accepted_in_a_turn() -> None:
    assert _turns(Loop) <= CLIENTS / AT_ONCE + 5


def test_uvloop_alone_still_needs_a_turn_for_each() -> None:
    """When it does not any more, `config.loop` can go."""
    assert _turns(uvloop.Loop) >= CLIENTS


def _turns(loop_class: type[uvloop.Loop]) -> int:
    """How often the loop turns until it has accepted all who wait at the door."""

    async def accept_all() -> int:
        accepted: list[None] = []

        class Accepted(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                accepted.append(None)
                transport.close()

        server = await asyncio.get_running_loop().create_server(Accepted, sock=listening, backlog=CLIENTS)
        turns = 0
        while len(accepted) < CLIENTS:
            turns += 1
            await asyncio.sleep(0)
        server.close()
        await server.wait_closed()
        return turns

    with socket.create_server(("127.0.0.1", 0), backlog=CLIENTS) as listening, contextlib.ExitStack() as clients:
        for _ in range(CLIENTS):
            clients.enter_context(socket.create_connection(listening.getsockname()))
        with asyncio.Runner(loop_factory=loop_class) as runner:
            return runner.run(accept_all())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_closed_server_listens_at_no_copy(host: str) -> None:
    async def close() -> list[tuple[str, int]]:
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, 0)
        addresses = [listening.getsockname()[:2] for listening in server.sockets]
        for address in addresses:
            assert not _is_refused(address)
        server.close()
        await server.wait_closed()
        assert not server.sockets
        return addresses

    with asyncio.Runner(loop_factory=Loop) as runner:
        for address in runner.run(close()):
            assert _is_refused(address)


def test_a_server_without_descriptors_for_all_copies_listens_nowhere() -> None:
    async def listen() -> tuple[str, int]:
        listening = socket.create_server(("127.0.0.1", 0))
        address: tuple[str, int] = listening.getsockname()
        with _descriptors_left(AT_ONCE // 2), pytest.raises(OSError, match="Too many open files"):
            await asyncio.get_running_loop().create_server(asyncio.Protocol, sock=listening)
        return address

    before = len(_descriptors())
    with asyncio.Runner(loop_factory=Loop) as runner:
        assert _is_refused(runner.run(listen()))
    assert len(_descriptors()) == before


def _descriptors() -> list[int]:
    return [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]


@contextlib.contextmanager
def _descriptors_left(count: int) -> Iterator[None]:
    taken = max(_descriptors())
    filler = [os.dup(0) for _ in range(taken - len(_descriptors()) + 1)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken + count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in filler:
            os.close(descriptor)


def _is_refused(address: tuple[str, int]) -> bool:
    with socket.socket() as client:
        return client.connect_ex(address) != 0
