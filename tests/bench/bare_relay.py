"""The reference for the relay: an ASGI application that passes messages on with the same client, and nothing else.

It knows its one caller and its one receiver; nothing is judged, rewritten or logged: what a relay could at best be.
"""

import os
from typing import Any

import aiohttp
from yarl import URL

from ocpi.transport import authorization
from ocpi.transport.headers import new_id
from tests.bench.bare import Receive, Scope, Send
from tests.bench.nodes import TOKEN

_SINK = os.environ["BENCH_SINK"]
_KNOWN = {authorization.encode(TOKEN).encode()}
_PASSED = {b"content-type", b"x-correlation-id", b"ocpi-from-country-code", b"ocpi-from-party-id"}
_sessions: list[aiohttp.ClientSession] = []


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
    url = URL(_SINK + scope["raw_path"].decode(), encoded=True)
    async with _sessions[0].request(scope["method"], url, data=body or None, headers=sent) as response:
        content = await response.read()
    ids = [(name, headers[name]) for name in (b"x-request-id", b"x-correlation-id")]
    await _answer(send, response.status, content, ids)


async def _answer(send: Send, status: int, body: bytes, more: list[tuple[bytes, bytes]]) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    connector: Any = aiohttp.TCPConnector(limit=0)
    _sessions.append(aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()))
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await _sessions[0].close()
    await send({"type": "lifespan.shutdown.complete"})
