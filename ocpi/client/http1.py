"""One connection to a server: a request in HTTP/1.1, its answer, then the next request. httptools parses what comes.

Ours and not a library's, for the HTTP client is the greatest part of what a delivery costs: on one thread, without an
object for each step, it takes a third (docs/decisions.md). No pipelining, no redirects, no compression.
"""

import asyncio
from collections.abc import Mapping
from typing import cast

import httptools
from msgspec import Struct

_LONGEST_HEAD = 64 * 1024
_WITHOUT_BODY = (204, 304)


class Response(Struct, frozen=True):
    """An answer as it came, the names of its headers in lower case; `is_cut` when there was more of it than allowed."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool = False


class Broken(OSError):
    """The connection ended before the answer did, or what came is no HTTP.

    `is_stale`: it had been kept open, and not a byte of an answer came.
    """

    def __init__(self, message: str, *, is_stale: bool = False) -> None:
        super().__init__(message)
        self.is_stale = is_stale


def lines(headers: Mapping[str, str]) -> str:
    """Headers as they go over the wire; raises ValueError for a line break in one."""
    found = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if found.count("\n") != len(headers) or found.count("\r") != len(headers) or "\0" in found:
        raise ValueError("a header with a line break")
    return found


def message(method: str, target: str, host: str, headers: str, body: bytes | None) -> bytes:
    """A request as it goes over the wire; `headers` are `lines`. Raises ValueError for what is not Latin-1.

    `target` and `host` are printable ASCII without blanks, as `url_policy.check_url` has seen to.
    """
    length = "" if body is None else f"Content-Length: {len(body)}\r\n"
    head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: identity\r\n{headers}{length}\r\n"
    return head.encode("latin-1") + (body or b"")


class Connection(asyncio.Protocol):
    """Used by one request at a time; `is_open` while another can follow."""

    def __init__(self) -> None:
        self.is_open = True
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[Response] | None = None
        self._asked = self._received = self._most = 0
        self._forget()

    def _forget(self) -> None:
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []
        self._size = 0
        self._is_headed = False

    async def ask(self, request: bytes, most: int) -> Response:
        """Send a request (`message`) and wait for its answer, of which `most` bytes are taken. Raises Broken."""
        if self._transport is None or not self.is_open:
            raise Broken("the connection is closed", is_stale=self._asked > 0)
        self._asked, self._received, self._most = self._asked + 1, 0, most
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._waiting
        except asyncio.CancelledError:
            self.close()  # its answer may still come, and would be taken for that of another request
            raise

    def close(self) -> None:
        """End the connection at once."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    # --- called by the event loop -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._waiting is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"the answer is no HTTP: {error}")
        if self._waiting is not None and not self._is_headed and self._received > _LONGEST_HEAD:
            self._fail("the headers of the answer are too long")
        elif self._waiting is not None and self._received > 2 * self._most + _LONGEST_HEAD:
            self._end(is_cut=True)  # all of it in very small pieces

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting is not None and self._is_headed and error is None and not self._is_measured():
            self._end()  # without a length the end of the connection is that of the answer
        else:
            reason = str(error) if error else "the connection was closed before the answer was complete"
            self._fail(reason, is_stale=self._asked > 1 and self._received == 0)
        self._transport = None

    # --- called by the parser ---------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._waiting is None:
            self.close()  # nobody has asked for this answer

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._is_headed = True

    def on_body(self, piece: bytes) -> None:
        self._parts.append(piece)
        self._size += len(piece)
        if self._size > self._most and self._waiting is not None:
            self._end(is_cut=True)

    def on_message_complete(self) -> None:
        if self._waiting is None:
            return
        if self._parser.get_status_code() < 200:
            self._forget()  # the answer proper is yet to come
        else:
            self._end()

    # ----------------------------------------------------------------------------------------------------------------

    def _is_measured(self) -> bool:
        """Whether the answer says where it ends."""
        is_bare = self._parser.get_status_code() in _WITHOUT_BODY
        return is_bare or "content-length" in self._headers or "transfer-encoding" in self._headers

    def _end(self, *, is_cut: bool = False) -> None:
        waiting, self._waiting = self._waiting, None
        body = b"".join(self._parts)[: self._most]
        response = Response(self._parser.get_status_code(), self._headers, body, is_cut)
        if is_cut or not self._is_reusable():
            self.close()
        self._forget()
        if waiting is not None and not waiting.done():
            waiting.set_result(response)

    def _is_reusable(self) -> bool:
        """Whether the server keeps the connection open, and has read all of the request that it has answered."""
        transport = self._transport
        is_sent = transport is not None and transport.get_write_buffer_size() == 0
        return is_sent and bool(self._parser.should_keep_alive())

    def _fail(self, reason: str, *, is_stale: bool = False) -> None:
        waiting, self._waiting = self._waiting, None
        self.close()
        if waiting is not None and not waiting.done():
            waiting.set_exception(Broken(reason, is_stale=is_stale))
