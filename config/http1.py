"""HTTP/1.1 at the front door: uvicorn's connections with a shorter way from a request to its answer.

uvicorn looks at every header of an answer with two regular expressions, writes its head and its body apart, sets a
timer anew for every request, and looks for a proxy's headers in each: nearly half of what a request costs it. Parsing,
upgrades, flow control and shutdown are uvicorn's. There is no access log, no root path and no limit of concurrency
here: limits are `roaming/hub/turnstile.py`.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ocpi.transport.asgi import HEAD_AT_MOST, SHORTCUT, Application, Headers, Message, Scope

_ASGI = {"version": "3.0", "spec_version": "2.3"}
_EXPECT = (b"expect", b"100-continue")
_PROXIED = (b"x-forwarded-for", b"x-forwarded-proto")
_RARE = frozenset({b"expect", *_PROXIED})
_BODILESS = (204, 304)
_CHUNKED = b"transfer-encoding: chunked\r\n"
_CLOSE = b"connection: close\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_FAILED: Headers = [(b"content-type", b"text/plain"), (b"content-length", b"21"), (b"connection", b"close")]


class FrontDoor(HttpToolsProtocol):
    """One connection of a client's: `uvicorn --http config.http1:FrontDoor`."""

    cycle: "_Exchange | None"  # type: ignore[assignment]  # the newest of those that are under way
    pipeline: Any  # those whose turn has not come
    _asked: "_Exchange | None" = None  # the one whose request is being read
    _idle_since: float | None = None
    _coming = 0  # bytes that are being parsed
    _came = 0  # bytes since a request began, and those that came with its first

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._unproxied: Any = self.app.app if isinstance(self.app, ProxyHeadersMiddleware) else self.app

    # --- called by the parser ---------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self.url, self.headers, self._rare, self._came = b"", [], False, self._coming

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in _RARE:
            self._rare = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        parser, version = self.parser, self.parser.get_http_version()
        raw_path, query = _parted(self.url)
        path = raw_path.decode("ascii")
        scope: Any = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": "",
            "method": parser.get_method().decode("ascii"),
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": self.headers,
            "state": self.app_state.copy(),
            HEAD_AT_MOST: self._came,
        }
        self.scope = scope
        self._asked = None
        if parser.should_upgrade() and self._should_upgrade():
            return
        before, exchange = self.cycle, _Exchange(self, scope["method"])
        self.cycle = self._asked = scope[SHORTCUT] = exchange
        exchange.keep_alive = version != "1.0" and parser.should_keep_alive()
        if self._rare:
            exchange.is_awaited = any((name, value.lower()) == _EXPECT for name, value in self.headers)
            exchange.is_proxied = any(name in _PROXIED for name, _ in self.headers)
        if before is None or before.response_complete:
            self._start(exchange, scope)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((exchange, scope))

    def on_body(self, body: bytes) -> None:
        exchange = self._asked
        if exchange is None or exchange.response_complete:
            return
        exchange.body += body
        if len(exchange.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        exchange.tell()

    def on_message_complete(self) -> None:
        if self._asked is not None:
            self._asked.more_body = False
            self._asked.tell()

    # ----------------------------------------------------------------------------------------------------------------

    def _start(self, exchange: "_Exchange", scope: Scope) -> None:
        application = self.app if exchange.is_proxied else self._unproxied
        exchange.task = self.loop.create_task(exchange.run(application, scope))
        self.tasks.add(exchange.task)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_again_in(self.timeout_keep_alive)

    def data_received(self, data: bytes) -> None:
        self._idle_since, self._coming = None, len(data)
        self._came += self._coming
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()

    def timeout_keep_alive_handler(self) -> None:
        """One timer serves all requests of a connection: it is not set anew for each, but looks when it is due."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None or self.transport.is_closing():
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_again_in(left)
        else:
            self.transport.close()

    def _look_again_in(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self)
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.tell()
        self.flow.resume_writing()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        self.parser = None  # type: ignore[assignment]  # it knows us


class _Exchange:
    """A request and its answer, whose head goes out together with what first follows it."""

    task: asyncio.Task[None]
    keep_alive = True
    is_awaited = False  # whether the client sends its body only when it is told to
    is_proxied = False  # whether there is a header that a proxy may have set
    body, more_body = b"", True
    disconnected = response_started = response_complete = False
    _is_news = False
    _waiting: asyncio.Future[None] | None = None
    _head = b""
    _is_chunked = False
    _left = 0  # of the body, as the answer's Content-Length says

    def __init__(self, door: FrontDoor, method: str) -> None:
        self._door, self._is_head = door, method == "HEAD"

    async def run(self, application: Application, scope: Scope) -> None:
        """Let the application answer; an answer that it does not give is a 500."""
        try:
            await application(scope, self.receive, self.send)
            if not self.response_complete and not self.disconnected:
                raise RuntimeError("the answer is not complete")
        except BaseException as error:
            self._door.logger.error("Exception in ASGI application\n", exc_info=error)
            if self.response_started:
                self._door.transport.close()
            else:
                await self.send({"type": "http.response.start", "status": 500, "headers": _FAILED})
                await self.send({"type": "http.response.body", "body": b"Internal Server Error"})
        finally:
            self._door.tasks.discard(self.task)

    def tell(self) -> None:
        """There is news for who receives."""
        self._is_news = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def receive(self) -> Message:
        door = self._door
        if self.is_awaited and not self.response_started and not door.transport.is_closing():
            door.transport.write(_CONTINUE)
            self.is_awaited = False
        if not (self.disconnected or self.response_complete):
            door.flow.resume_reading()
            if not self._is_news:
                self._waiting = door.loop.create_future()
                await self._waiting
        self._is_news = False
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self.body = self.body, b""
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    def taken(self) -> bytes | None:
        if self.more_body or self.disconnected or not self._is_news:
            return None
        self._is_news = False
        body, self.body = self.body, b""
        return body

    def given(self, status: int, headers: Headers, body: bytes) -> bool:
        door = self._door
        if self.response_started or self._is_head or not self.keep_alive or door.flow.write_paused:
            return False
        if (b"content-length", b"%d" % len(body)) not in headers:
            return False
        if not self.disconnected:
            lines = [*map(_line, door.server_state.default_headers), *map(_line, headers), b"\r\n"]
            head = b"\r\n".join(lines)
            _check(head, len(lines))
            self.response_started = True
            door.transport.writelines([STATUS_LINE[status] + head, body])
            self._complete()
        return True

    async def send(self, message: Message) -> None:
        flow = self._door.flow
        if flow.write_paused and not self.disconnected:
            await flow.drain()
        if self.disconnected:
            return
        kind = message["type"]
        if kind == "http.response.start" and not self.response_started:
            self.response_started = True
            headers = [*self._door.server_state.default_headers, *message.get("headers", ())]
            self._head = self._headed(message["status"], headers)
        elif kind == "http.response.body" and self.response_started and not self.response_complete:
            self._write(message.get("body", b""), is_last=not message.get("more_body", False))
        else:
            raise RuntimeError(f"{kind} is out of turn")

    def _headed(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        """The head of the answer, whose header names are in lower case; raises RuntimeError for a line break in it."""
        lines = [STATUS_LINE[status], *[b"%b: %b\r\n" % header for header in headers]]
        given = dict(headers)
        if (length := given.get(b"content-length")) is not None:
            self._left = int(length)
        elif not self._is_head and status not in _BODILESS:
            self._is_chunked = True
            lines.append(_CHUNKED)
        if given.get(b"connection") == b"close":
            self.keep_alive = False
        elif not self.keep_alive:
            lines.append(_CLOSE)
        head = b"".join(lines)
        _check(head, len(lines))
        return head + b"\r\n"

    def _write(self, body: bytes, *, is_last: bool) -> None:
        transport = self._door.transport
        if self._is_head:
            body = b""
        elif self._is_chunked:
            body = _chunk(body, is_last=is_last)
        else:
            self._left -= len(body)
            if self._left < 0 or (is_last and self._left):
                raise RuntimeError("the answer is not as long as its Content-Length says")
        transport.writelines([self._head, body] if self._head else [body])
        self._head = b""
        if is_last:
            self._complete()

    def _complete(self) -> None:
        self.response_complete = True
        self.tell()
        if not self.keep_alive:
            self._door.transport.close()
        self._door.on_response_complete()


_line = b": ".join


def _check(head: bytes, lines: int) -> None:
    """Raises RuntimeError for a line break within a header."""
    if len(head) - len(head.translate(None, b"\r\n\0")) != 2 * lines:
        raise RuntimeError("a header with a line break")


def _parted(url: bytes) -> tuple[bytes, bytes]:
    """Path and query."""
    if url.startswith(b"/") and b"#" not in url:
        path, _, query = url.partition(b"?")
        return path, query
    parsed = httptools.parse_url(url)
    return parsed.path, parsed.query or b""


def _chunk(body: bytes, *, is_last: bool) -> bytes:
    last = b"0\r\n\r\n" if is_last else b""
    return b"%x\r\n%b\r\n%b" % (len(body), body, last) if body else last
