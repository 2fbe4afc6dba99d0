"""One HTTP request over ASGI and its answer: a bounded body in, a whole answer out."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from functools import cache
from typing import Any, Protocol

from ocpi.errors import BodyTooLarge, OcpiError
from ocpi.transport import envelope
from ocpi.transport.headers import MessageIds
from ocpi.transport.transcripts import Transcript

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

LINGER_SECONDS = 5
HEAD_AT_MOST = "ocpi.head_at_most"
"""Where in a scope a server may say that the request's head has no more bytes than that."""
SHORTCUT = "ocpi.shortcut"
"""Where in a scope a server may offer a `Shortcut`."""


class Shortcut(Protocol):
    """What a server may do in one step where ASGI takes several: a whole request, and a whole answer."""

    def taken(self) -> bytes | None:
        """The body, when all of it has come and nothing of it has been received; None when it is to be received."""

    def given(self, status: int, headers: Headers, body: bytes) -> bool:
        """Send an answer; False when that takes more steps, and nothing is sent yet."""


class ClientGone(Exception):
    """The client went away before its request was whole."""


class AsgiHeaders(Mapping[str, str]):
    """The headers of an ASGI scope, whatever the case of a name; the first of repeated ones counts."""

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._raw = dict(reversed(raw))

    @classmethod
    def of(cls, scope: Scope) -> "AsgiHeaders":
        """Those of a request, the same for all applications that one stands behind the other."""
        raw = scope["headers"]
        known = scope.get("ocpi.headers")
        if known is None or known[0] is not raw:
            known = scope["ocpi.headers"] = raw, cls(raw)
        found: AsgiHeaders = known[1]
        return found

    def __getitem__(self, name: str) -> str:
        return self._raw[_key(name)].decode("latin-1")

    def get(self, name: str, default: Any = None) -> Any:
        found = self._raw.get(_key(name))
        return default if found is None else found.decode("latin-1")

    def raw(self, name: str) -> bytes:
        """The value as it came, empty when there is none."""
        return self._raw.get(_key(name), b"")

    def raws(self, names: Iterable[bytes]) -> tuple[bytes | None, ...]:
        """The values as they came of headers whose names are given in lower case, None for those that are not there."""
        return tuple(map(self._raw.get, names))

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._raw)

    def __len__(self) -> int:
        return len(self._raw)


@cache
def _key(name: str) -> bytes:
    return name.lower().encode("latin-1")


def encoded(headers: Mapping[str, str]) -> Headers:
    """Headers as ASGI has them."""
    return [(_key(name), value.encode("latin-1")) for name, value in headers.items()]


class Conversation:
    """A request of an `http` scope, and the way to answer it."""

    __slots__ = (
        "_body",
        "_given",
        "_ids",
        "_receive",
        "_send",
        "_shortcut",
        "_transcript",
        "_unread",
        "headers",
        "scope",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self.headers = AsgiHeaders.of(scope)
        self._shortcut: Shortcut | None = scope.get(SHORTCUT)
        self._unread = True
        self._body: bytes | None = None
        self._ids: MessageIds | None = None
        self._transcript: Transcript | None = None
        self._given = False

    @property
    def ids(self) -> MessageIds:
        """The caller's message ids, or new ones, the same each time."""
        if self._ids is None:
            self._ids = MessageIds.read(self.headers)
        return self._ids

    @property
    def transcript(self) -> Transcript:
        """What the exchange log will have of it; made when it is first asked for, and kept up from then on."""
        if self._transcript is None:
            path = self.scope.get("raw_path") or self.scope["path"].encode()
            if query := self.scope["query_string"]:
                path = b"%b?%b" % (path, query)
            self._transcript = Transcript("IN", self.scope["method"], path.decode("latin-1"), self.ids)
        return self._transcript

    @property
    def received(self) -> bytes:
        """The body, once it has been read; empty before."""
        return self._body or b""

    async def body(self, limit: int) -> bytes:
        """The whole body, however often it is asked for; raises BodyTooLarge beyond `limit` bytes, and ClientGone."""
        if self._body is not None:
            return self._body
        if self._shortcut is not None and (taken := self._shortcut.taken()) is not None:
            self._body, self._unread = taken, False
            if len(taken) > limit:
                raise BodyTooLarge(f"the body is larger than {limit} bytes")
            return taken
        declared, received, parts = int(self.headers.raw("Content-Length") or 0), 0, list[bytes]()
        while self._unread and declared <= limit >= received:
            parts.append(part := self._part(await self._receive()))
            received += len(part)
        if declared > limit or received > limit:
            raise BodyTooLarge(f"the body is larger than {limit} bytes")
        self._body = parts[0] if len(parts) == 1 else b"".join(parts)
        return self._body

    async def receive(self) -> Message:
        """What an application behind this one receives: the body, also when it has been read here."""
        if self._body is None or self._given:
            return await self._receive()
        self._given = True
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def answer(self, status: int, headers: Headers, content: bytes) -> None:
        """Send the whole answer; one to HEAD has no content."""
        self._keep(status, content)
        if self._shortcut is not None and self._shortcut.given(status, headers, content):
            return
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": self._shown(content)})

    async def refuse(self, error: OcpiError, headers: Headers | None = None) -> None:
        """The enveloped answer to a request that cannot be worked on.

        What is still coming of its body is swallowed for a while: a connection that is closed on unread data is
        reset, and clients that read last lose the answer with it.
        """
        content = envelope.wrap_error(error)
        if self._transcript is not None:
            self._transcript.status_code, self._transcript.error = int(error.status), error.message
        self._keep(error.http_status, content)
        found = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(content)),
            *encoded(self.ids.headers()),
            *(headers or ()),
        ]
        if not self._unread:
            await self.answer(error.http_status, found, content)
            return
        found.append((b"connection", b"close"))
        await self._send({"type": "http.response.start", "status": error.http_status, "headers": found})
        await self._send({"type": "http.response.body", "body": self._shown(content), "more_body": True})
        with contextlib.suppress(TimeoutError, ClientGone):
            async with asyncio.timeout(LINGER_SECONDS):
                while self._unread:
                    self._part(await self._receive())
        await self._send({"type": "http.response.body", "body": b""})

    def _keep(self, status: int, content: bytes) -> None:
        if (transcript := self._transcript) is not None:
            transcript.asked(self._body or b"")
            transcript.answered(status, content, transcript.status_code)

    def _part(self, message: Message) -> bytes:
        """What a message has of the body; raises ClientGone."""
        if message["type"] == "http.disconnect":
            raise ClientGone
        self._unread = message.get("more_body", False)
        part: bytes = message.get("body", b"")
        return part

    def _shown(self, content: bytes) -> bytes:
        return b"" if self.scope["method"] == "HEAD" else content
