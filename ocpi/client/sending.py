"""Talking to one partner about many things at once: a bounded number in flight, over connections that are kept open.

A talk is a coroutine that sends one request after the other (`Ask`); talks run side by side. All talks of a process
share one event loop in a thread of its own, so that callers may be ordinary threads (Celery's workers).
"""

import asyncio
import atexit
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import uvloop
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from django.conf import settings
from yarl import URL

from ocpi.client import url_policy
from ocpi.client.http import CONNECT_SECONDS, trust
from ocpi.client.messages import (
    Answer,
    NotOcpi,
    PartnerError,
    Presented,
    SlowDown,
    TimedOut,
    Unreachable,
    interpret,
    request_headers,
)
from ocpi.client.noting import Noted
from ocpi.transport.headers import MessageIds, RoutingHeaders
from ocpi.transport.transcripts import Transcript

MAX_ANSWER = 1024 * 1024
# Shorter than the servers that are usual keep theirs: a request on a connection that is just being closed is lost.
_KEEP_OPEN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request to send; `body` is JSON."""

    method: str
    url: str
    routing: RoutingHeaders
    body: bytes | None = None


# Sends a request and gives its answer; raises PartnerError.
Ask = Callable[[Request], Awaitable[Answer]]
# Raises a PartnerError that it does not deal with itself.
Talk = Callable[[Ask], Awaitable[None]]
# Waits until the next request may be sent.
Pace = Callable[[], Awaitable[None]]


class NotTried(PartnerError):
    """Another talk has found that the partner cannot be reached, or wants a pause."""

    def __init__(self) -> None:
        super().__init__("not tried: the partner could not be used")


async def at_once() -> None:
    """The pace without a limit."""


def hold(
    talks: Sequence[Talk], presented: Presented, ids: MessageIds, in_flight: int, pace: Pace = at_once
) -> list[PartnerError | None]:
    """Hold all talks, at most `in_flight` at a time; returns what ended each: None when it came to its end.

    After the first that finds the partner unreachable, or is asked to slow down, no further one is begun.
    """
    return asyncio.run_coroutine_threadsafe(_hold(talks, presented, ids, in_flight, pace), _loop()).result()


_starting = threading.Lock()
_running: asyncio.AbstractEventLoop | None = None


def _loop() -> asyncio.AbstractEventLoop:
    global _running
    with _starting:
        if _running is None:
            _running = uvloop.new_event_loop()
            threading.Thread(target=_running.run_forever, name="talks", daemon=True).start()
            atexit.register(_hang_up)
        return _running


_session: aiohttp.ClientSession | None = None


def _opened() -> aiohttp.ClientSession:
    """The connections of this process; to be called in the loop."""
    global _session
    if _session is None:
        connector = aiohttp.TCPConnector(limit=0, resolver=JudgedResolver(), keepalive_timeout=_KEEP_OPEN_SECONDS)
        _session = aiohttp.ClientSession(connector=connector, trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
    return _session


def _hang_up() -> None:
    if _session is not None:
        asyncio.run_coroutine_threadsafe(_session.close(), _loop()).result()


async def _hold(
    talks: Sequence[Talk], presented: Presented, ids: MessageIds, in_flight: int, pace: Pace
) -> list[PartnerError | None]:
    results: list[PartnerError | None] = [NotTried()] * len(talks)
    pending = iter(enumerate(talks))

    async def ask(request: Request) -> Answer:
        await pace()
        return await _ask(request, presented, ids)

    async def work() -> None:
        for index, talk in pending:
            try:
                await talk(ask)
                results[index] = None
            except PartnerError as error:
                results[index] = error
                if isinstance(error, Unreachable | TimedOut | SlowDown):
                    _leave_none(pending)

    await asyncio.gather(*(work() for _ in range(min(in_flight, len(talks)))))
    return results


def _leave_none(pending: Iterator[Any]) -> None:
    for _ in pending:
        pass


async def _ask(request: Request, presented: Presented, ids: MessageIds) -> Answer:
    with Noted(request.method, request.url, ids.next_hop(), request.routing, presented, request.body) as transcript:
        return await _exchange(request, presented, transcript)


async def _exchange(request: Request, presented: Presented, transcript: Transcript) -> Answer:
    headers = request_headers(presented, transcript.ids, request.routing, body=request.body is not None)
    try:
        url_policy.check_url(request.url)
        status, answered, body = await _sent(request, headers, transcript)
    except url_policy.ForbiddenUrl as error:
        raise Unreachable(f"{request.url}: {error}") from None
    except TimeoutError:
        raise TimedOut(f"{request.method} {request.url}: no answer within {settings.NODE_PARTNER_TIMEOUT} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise Unreachable(f"{request.method} {request.url}: {error or type(error).__name__}") from None
    transcript.answered(status, body)
    answer = interpret(status, answered, body)
    transcript.status_code = answer.status_code
    return answer


async def _sent(request: Request, headers: dict[str, str], transcript: Transcript) -> tuple[int, Any, bytes]:
    """HTTP status, headers and body of the answer."""
    try:
        return await _once(request, headers, transcript)
    except aiohttp.ServerDisconnectedError:
        # It closed the connection that we found open. aiohttp repeats what HTTP calls idempotent; our PATCH only sets.
        if request.method != "PATCH":
            raise
        return await _once(request, headers, transcript)


async def _once(request: Request, headers: dict[str, str], transcript: Transcript) -> tuple[int, Any, bytes]:
    async with _opened().request(
        request.method,
        URL(request.url, encoded=True),
        data=request.body,
        headers=headers,
        allow_redirects=False,
        timeout=aiohttp.ClientTimeout(total=settings.NODE_PARTNER_TIMEOUT, connect=CONNECT_SECONDS),
        ssl=trust(),
    ) as response:
        transcript.http_status = response.status
        return response.status, response.headers, await _bounded(response)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > MAX_ANSWER:
            raise NotOcpi(response.status, f"{response.url}: the answer is larger than {MAX_ANSWER} bytes")
    return bytes(body)


class JudgedResolver(AbstractResolver):
    """Resolves names, and refuses those with an address that is not public (`url_policy`)."""

    def __init__(self) -> None:
        self._threaded = ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        found = await self._threaded.resolve(host, port, family)
        for entry in found:
            url_policy.check_address(entry["host"])
        return found

    async def close(self) -> None:
        await self._threaded.close()
