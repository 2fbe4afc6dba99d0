"""Django's WSGI application behind an ASGI server: whole body in, one thread of a fixed pool, whole body out.

Django under native ASGI hops threads in every middleware and is 3 to 8 times slower; here each pool thread keeps its
database connection, and a slow view occupies one thread, never the event loop. Bodies are bounded before Django sees
them. What PEP 3333 loses of the request is the undecoded path: `RAW_PATH` keeps its percent-encoding.
"""

import asyncio
import contextlib
import io
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog

from ocpi.errors import BodyTooLarge, OcpiError, ServerError
from ocpi.transport import envelope
from ocpi.transport.headers import CORRELATION_ID, REQUEST_ID, MessageIds

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

log = structlog.get_logger(__name__)

LINGER_SECONDS = 5
_CONSTANT = {
    "wsgi.version": (1, 0),
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


class WsgiBridge:
    """An ASGI application for `http` scopes that answers with a WSGI application.

    `threads` requests are worked on at once, and as many more of those that `is_slow` tells by their path; a body of
    more than `max_body` bytes is HTTP 413.
    """

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        threads: int,
        max_body: int,
        is_slow: Callable[[str], bool] = lambda path: False,
    ) -> None:
        self._application, self._max_body, self._is_slow = application, max_body, is_slow
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._slow_pool = ThreadPoolExecutor(threads, thread_name_prefix="slow-request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self._body(scope, receive, send)
        if body is None:
            return
        # The context is not copied, as asyncio.to_thread would: Django keeps its connections in that of the thread.
        loop = asyncio.get_running_loop()
        pool = self._slow_pool if self._is_slow(scope["path"]) else self._pool
        status, headers, content = await loop.run_in_executor(pool, self._run, scope, body)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})

    def close(self) -> None:
        """Take no more requests. The server has waited for those at work; one it gave up on is not waited for."""
        for pool in (self._pool, self._slow_pool):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _body(self, scope: Scope, receive: Receive, send: Send) -> bytes | None:
        """The whole body; None when the client went away, or has been told that its body is too large."""
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        if declared.isdigit() and int(declared) > self._max_body:
            await self._refuse(scope, receive, send, unread=True)
            return None
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            more = message.get("more_body", False)
            parts.append(part := message.get("body", b""))
            size += len(part)
            if size > self._max_body:
                await self._refuse(scope, receive, send, unread=more)
                return None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, *, unread: bool) -> None:
        """Answer 413, then swallow what is still coming for a while.

        A connection that is closed on unread data is reset, and clients that read last lose the answer with it.
        """
        error = BodyTooLarge(f"the body is larger than {self._max_body} bytes")
        status, headers, content = _failure(scope, error)
        content = b"" if scope["method"] == "HEAD" else content
        await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"connection", b"close")]})
        await send({"type": "http.response.body", "body": content, "more_body": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while unread:
                    unread = (await receive()).get("more_body", False)
        await send({"type": "http.response.body", "body": b""})

    def _run(self, scope: Scope, body: bytes) -> tuple[int, Headers, bytes]:
        answer = _Answer()
        try:
            chunks = self._application(environ(scope, body), answer.start)
            try:
                answer.parts.extend(chunks)
            finally:
                if hasattr(chunks, "close"):
                    chunks.close()
            return answer.finished()
        except Exception:
            log.exception("the application failed", path=scope["path"])
            return _failure(scope, ServerError())


class _Answer:
    """What the application answers. Nothing is sent before it is whole, so a second start can replace the first."""

    __slots__ = ("headers", "parts", "status")

    def __init__(self) -> None:
        self.status, self.headers, self.parts = "", list[tuple[str, str]](), list[bytes]()

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        """PEP 3333's start_response."""
        if self.status and not exc_info:
            raise RuntimeError("start_response was called twice")
        self.status, self.headers = status, headers
        return self.parts.append

    def finished(self) -> tuple[int, Headers, bytes]:
        code, content = int(self.status[:3]), b"".join(self.parts)
        headers = [(_header(name), value.encode("latin-1")) for name, value in self.headers]
        # 204 and 304 have no body, and no length either (RFC 9110, section 8.6).
        if code not in (204, 304) and not any(name == b"content-length" for name, _ in headers):
            headers.append((b"content-length", b"%d" % len(content)))
        return code, headers, content


@lru_cache(256)
def _header(name: str) -> bytes:
    return name.lower().encode("latin-1")


@lru_cache(256)
def _key(name: bytes) -> str:
    """The environ's key for a header; empty for one that is left out."""
    # An underscore could pass for a hyphen and so for another header; the body has a length now, chunked or not.
    if b"_" in name or name in (b"content-length", b"transfer-encoding"):
        return ""
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key == "CONTENT_TYPE" else f"HTTP_{key}"


def environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """The WSGI environ of an ASGI request (PEP 3333): text is latin-1, repeated headers are joined."""
    raw_path = scope.get("raw_path") or scope["path"].encode()
    path = unquote_to_bytes(raw_path).decode("latin-1") if b"%" in raw_path else raw_path.decode("latin-1")
    mount = scope.get("root_path", "").encode().decode("latin-1")
    (server, port), (client, client_port) = scope.get("server") or ("localhost", 80), scope.get("client") or ("", "")
    found: dict[str, Any] = {
        **_CONSTANT,
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": mount,
        "PATH_INFO": path.removeprefix(mount) if mount else path,
        "RAW_PATH": raw_path.decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server,
        "SERVER_PORT": str(port or ""),  # a Unix socket has none
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client,
        "REMOTE_PORT": str(client_port),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    for name, value in scope["headers"]:
        if key := _key(name):
            text = value.decode("latin-1")
            separator = "; " if key == "HTTP_COOKIE" else ","
            found[key] = f"{found[key]}{separator}{text}" if key in found else text
    return found


def _failure(scope: Scope, error: OcpiError) -> tuple[int, Headers, bytes]:
    """The enveloped answer to a request that the application never answered, with the caller's message ids."""
    received = {name: value.decode("latin-1") for name, value in scope["headers"]}
    ids = MessageIds.read({name: received.get(_header(name), "") for name in (REQUEST_ID, CORRELATION_ID)})
    answer = _Answer()
    answer.start(str(error.http_status), [("Content-Type", "application/json"), *ids.headers().items()])
    answer.parts.append(envelope.wrap_error(error))
    return answer.finished()
