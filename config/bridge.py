"""Django's WSGI application behind an ASGI server: whole body in, one thread of a fixed pool, whole body out.

Django under native ASGI hops threads in every middleware and is 3 to 8 times slower; here each pool thread keeps its
database connection, and a slow view occupies one thread, never the event loop. Bodies are bounded before Django sees
them. What the environ lacks of the request is the undecoded path: `RAW_PATH` keeps its percent-encoding.
"""

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from ocpi.errors import BodyTooLarge, OcpiError, ServerError
from ocpi.transport import envelope
from ocpi.transport.headers import MessageIds

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

log = structlog.get_logger(__name__)

_UNPREFIXED = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


class Disconnected(Exception):
    """The client went away before its request was complete."""


class WsgiBridge:
    """An ASGI application for `http` scopes that answers with a WSGI application.

    `threads` requests are worked on at once; a body of more than `max_body` bytes is HTTP 413.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]], threads: int, max_body: int) -> None:
        self._application, self._max_body = application, max_body
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self._body(scope, receive)
        except Disconnected:
            return
        except BodyTooLarge as error:
            await _send(send, *_failure(scope, error, close=True), head=False)
            return
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._pool, self._run, scope, body)
        await _send(send, *answer, head=scope["method"] == "HEAD")

    def close(self) -> None:
        """Wait for the requests at work."""
        self._pool.shutdown(wait=True)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        if declared.isdigit() and int(declared) > self._max_body:
            raise BodyTooLarge(f"the body is larger than {self._max_body} bytes")
        message = await receive()
        body = message.get("body", b"")
        while message["type"] == "http.request" and message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self._max_body:
                raise BodyTooLarge(f"the body is larger than {self._max_body} bytes")
        if message["type"] == "http.disconnect":
            raise Disconnected
        return bytes(body)

    def _run(self, scope: Scope, body: bytes) -> tuple[int, Headers, bytes]:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            started[:] = [
                int(status[:3]),
                [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            ]

        try:
            chunks = self._application(environ(scope, body), start_response)
            try:
                content = b"".join(chunks)
            finally:
                if hasattr(chunks, "close"):
                    chunks.close()
        except Exception:
            log.exception("the application failed", path=scope["path"])
            return _failure(scope, ServerError())
        return started[0], started[1], content


def environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """The WSGI environ of an ASGI request (PEP 3333): text is latin-1, repeated headers are joined by commas."""
    server, client = scope.get("server") or ("localhost", 80), scope.get("client") or ("", 0)
    found: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "RAW_PATH": (scope.get("raw_path") or b"").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if name == b"content-length" or b"_" in name:  # an underscore could pass for another header
            continue
        key = _UNPREFIXED.get(name) or "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        text = value.decode("latin-1")
        found[key] = f"{found[key]},{text}" if key in found else text
    return found


def _failure(scope: Scope, error: OcpiError, *, close: bool = False) -> tuple[int, Headers, bytes]:
    """The enveloped answer to a request that the application never answered, with the caller's message ids."""
    received = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    ids = MessageIds.read({name.title().replace("Id", "ID"): value for name, value in received.items()})
    headers = [(b"content-type", b"application/json"), *((k.encode(), v.encode()) for k, v in ids.headers().items())]
    if close:
        headers.append((b"connection", b"close"))
    return error.http_status, headers, envelope.wrap_error(error)


async def _send(send: Send, status: int, headers: Headers, content: bytes, *, head: bool) -> None:
    if not any(name.lower() == b"content-length" for name, _ in headers):
        headers = [*headers, (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else content})
