"""Django's WSGI application behind an ASGI server: whole body in, one thread of a fixed pool, whole body out.

Django under native ASGI hops threads in every middleware and is 3 to 8 times slower; here each pool thread keeps its
database connection, and a slow view occupies one thread, never the event loop. Bodies are bounded before Django sees
them. What PEP 3333 loses of the request is the undecoded path: `RAW_PATH` keeps its percent-encoding.
"""

import io
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog

from config.pool import ThreadPool
from ocpi.errors import BodyTooLarge, OcpiError, ServerError
from ocpi.transport.asgi import ClientGone, Conversation, Headers, Receive, Scope, Send
from ocpi.transport.transcripts import Transcript

log = structlog.get_logger(__name__)

_OCPI = "/ocpi/"
_CONSTANT = {
    "wsgi.version": (1, 0),
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


class WsgiBridge:
    """An ASGI application for `http` scopes that answers with a WSGI application.

    `threads` requests are worked on at once, and as many more of those that `is_slow` tells by their path; a body of
    more than `max_body` bytes is HTTP 413. `note` gets the transcripts of partners' requests that are refused here:
    the application, which notes all others, has not seen them or has failed on them.
    """

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        threads: int,
        max_body: int,
        is_slow: Callable[[str], bool] = lambda path: False,
        note: Callable[[Transcript], None] = lambda transcript: None,
    ) -> None:
        self._application, self._max_body, self._is_slow, self._note = application, max_body, is_slow, note
        self._pool = ThreadPool(threads, "request")
        self._slow_pool = ThreadPool(threads, "slow-request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        conversation = Conversation(scope, receive, send)
        try:
            body = await conversation.body(self._max_body)
        except BodyTooLarge as error:
            await self._refuse(conversation, error)
            return
        except ClientGone:
            return
        # The context is that of the thread, not a copy of ours: Django keeps its connections in it.
        pool = self._slow_pool if self._is_slow(scope["path"]) else self._pool
        try:
            answer = await pool.run(self._run, scope, body)
        except Exception:
            log.exception("the application failed", path=scope["path"])
            await self._refuse(conversation, ServerError())
        else:
            await conversation.answer(*answer)

    def close(self) -> None:
        """Take no more requests. The server has waited for those at work; one it gave up on is not waited for."""
        for pool in (self._pool, self._slow_pool):
            pool.close()

    async def _refuse(self, conversation: Conversation, error: OcpiError) -> None:
        scope = conversation.scope
        if not scope["path"].startswith(_OCPI):
            await conversation.refuse(error)
            return
        conversation.transcript.platform_id = scope.get("ocpi.platform_id")
        await conversation.refuse(error)
        self._note(conversation.transcript)

    def _run(self, scope: Scope, body: bytes) -> tuple[int, Headers, bytes]:
        answer = _Answer()
        chunks = self._application(environ(scope, body), answer.start)
        try:
            answer.parts.extend(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return answer.finished()


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
        "ocpi.opened": scope.get("ocpi.opened", ""),
    }
    for name, value in scope["headers"]:
        if key := _key(name):
            text = value.decode("latin-1")
            separator = "; " if key == "HTTP_COOKIE" else ","
            found[key] = f"{found[key]}{separator}{text}" if key in found else text
    return found
