"""The reference for the relay: an ASGI application that passes messages on, and nothing else.

It knows its one caller and its one receiver; nothing is judged, rewritten or logged: what a relay could at best be with
its client, the one that the node has, or with BENCH_CLIENT=aiohttp that of a library, and on the node's event loop.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import django
from yarl import URL

from ocpi.transport import authorization
from ocpi.transport.headers import new_id
from tests.bench.bare import Receive, Scope, Send
from tests.bench.nodes import TOKEN

_SINK = os.environ["BENCH_SINK"]
_KNOWN = {authorization.encode(TOKEN).encode()}
_PASSED = {b"content-type", b"x-correlation-id", b"ocpi-from-country-code", b"ocpi-from-party-id"}
_SECONDS, _MOST = 10, 64 * 1024 * 1024
Client = Callable[[str, str, Mapping[str, str], bytes | None], Awaitable[tuple[int, bytes]]]
_clients: list[Client] = []


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Every request goes to the sink under the same path."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    headers = dict(scope["headers"])
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if headers.get(b"authorization") not in _KNOWN:
        await _answer(send, 401, b"{}", [])
        return
    sent = {name.decode(): value.decode() for name, value in headers.items() if name in _PASSED}
    sent |= {"Authorization": authorization.encode(TOKEN), "X-Request-ID": new_id()}
    status, content = await _clients[0](scope["method"], _SINK + scope["raw_path"].decode(), sent, body or None)
    ids = [(name, headers[name]) for name in (b"x-request-id", b"x-correlation-id")]
    await _answer(send, status, content, ids)


async def _answer(send: Send, status: int, body: bytes, more: list[tuple[bytes, bytes]]) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    if os.environ.get("BENCH_CLIENT") == "aiohttp":
        connector: Any = aiohttp.TCPConnector(limit=0)
        session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        _clients.append(_aiohttps(session))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await session.close()
    else:
        _clients.append(_ours())
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


def _ours() -> Client:
    django.setup()
    from ocpi.client import http1
    from ocpi.client.connections import Connections  # which reads the node's settings

    connections = Connections()

    async def ask(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        response = await connections.send(method, url, http1.lines(headers), body, _SECONDS, _MOST)
        return response.status, response.body

    return ask


def _aiohttps(session: aiohttp.ClientSession) -> Client:
    async def ask(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        async with session.request(method, URL(url, encoded=True), data=body, headers=headers) as response:
            return response.status, await response.read()

    return ask
