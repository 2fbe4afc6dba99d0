"""Talking to one partner about many things at once: a bounded number in flight, over connections that are kept open.

A talk is a coroutine that sends one request after the other (`Ask`); talks run side by side. All talks of a process
share one event loop in a thread of its own, so that callers may be ordinary threads (Celery's workers).
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from functools import cache
from typing import Any

import uvloop
from django.conf import settings

from ocpi.client import http1, url_policy
from ocpi.client.connections import Connections
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
    talks: Sequence[Talk],
    presented: Presented,
    ids: MessageIds,
    in_flight: int,
    pace: Pace = at_once,
    meanwhile: Callable[[], None] = lambda: None,
    every: float = 5.0,
) -> list[PartnerError | None]:
    """Hold all talks, at most `in_flight` at a time; returns what ended each: None when it came to its end.

    After the first that finds the partner unreachable, or is asked to slow down, no further one is begun. As long as
    they last `meanwhile` is called `every` so many seconds; what it raises ends them.
    """
    future = asyncio.run_coroutine_threadsafe(_hold(talks, presented, ids, in_flight, pace), _loop())
    try:
        while not wait([future], every).done:
            meanwhile()
        return future.result()
    finally:
        future.cancel()


_starting = threading.Lock()
_running: asyncio.AbstractEventLoop | None = None


def _loop() -> asyncio.AbstractEventLoop:
    global _running
    with _starting:
        if _running is None:
            _running = uvloop.new_event_loop()
            threading.Thread(target=_running.run_forever, name="talks", daemon=True).start()
        return _running


@cache
def _connections() -> Connections:
    """Those of the loop; called in it alone."""
    return Connections()


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
    seconds = settings.NODE_PARTNER_TIMEOUT
    try:
        lines = http1.lines(headers)
        response = await _connections().send(request.method, request.url, lines, request.body, seconds, MAX_ANSWER)
    except url_policy.ForbiddenUrl as error:
        raise Unreachable(f"{request.url}: {error}") from None
    except TimeoutError:
        raise TimedOut(f"{request.method} {request.url}: no answer within {seconds} s") from None
    except (OSError, ValueError) as error:
        raise Unreachable(f"{request.method} {request.url}: {error or type(error).__name__}") from None
    transcript.answered(response.status, response.body)
    if response.is_cut:
        raise NotOcpi(response.status, f"{request.url}: the answer is larger than {MAX_ANSWER} bytes")
    answer = interpret(response.status, response.headers, response.body)
    transcript.status_code = answer.status_code
    return answer
