"""Sending many requests to one partner at once, a bounded number in flight, over few connections (aiohttp).

The results come back in the order of the requests; a failure is a value, so one bad object never stops the others.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
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


def send_all(
    requests: Sequence[Request], presented: Presented, ids: MessageIds, in_flight: int
) -> list[Answer | PartnerError]:
    """Send every request; after the first that finds the partner unreachable, the rest is not tried."""
    return asyncio.run(_send_all(requests, presented, ids, in_flight))


async def _send_all(
    requests: Sequence[Request], presented: Presented, ids: MessageIds, in_flight: int
) -> list[Answer | PartnerError]:
    connector = aiohttp.TCPConnector(limit=in_flight, resolver=JudgedResolver(), ssl=trust())
    timeout = aiohttp.ClientTimeout(total=settings.NODE_PARTNER_TIMEOUT, connect=CONNECT_SECONDS)
    results: list[Answer | PartnerError] = [Unreachable("not tried: the partner is unreachable")] * len(requests)
    pending = iter(enumerate(requests))

    async def work(session: aiohttp.ClientSession) -> None:
        for index, request in pending:
            results[index] = await _attempt(session, request, presented, ids)
            if isinstance(results[index], (Unreachable, TimedOut)):
                for _ in pending:  # leave nothing for the other workers
                    pass

    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        await asyncio.gather(*(work(session) for _ in range(min(in_flight, len(requests)))))
    return results


async def _attempt(
    session: aiohttp.ClientSession, request: Request, presented: Presented, ids: MessageIds
) -> Answer | PartnerError:
    try:
        with Noted(request.method, request.url, ids.next_hop(), request.routing, presented, request.body) as transcript:
            return await _exchange(session, request, presented, transcript)
    except PartnerError as error:
        return error


async def _exchange(
    session: aiohttp.ClientSession, request: Request, presented: Presented, transcript: Transcript
) -> Answer:
    headers = request_headers(presented, transcript.ids, request.routing, body=request.body is not None)
    try:
        url_policy.check_url(request.url)
        async with session.request(
            request.method, URL(request.url, encoded=True), data=request.body, headers=headers, allow_redirects=False
        ) as response:
            transcript.http_status = response.status
            transcript.answered(response.status, await _bounded(response))
    except url_policy.ForbiddenUrl as error:
        raise Unreachable(f"{request.url}: {error}") from None
    except TimeoutError:
        raise TimedOut(f"{request.method} {request.url}: no answer within {settings.NODE_PARTNER_TIMEOUT} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise Unreachable(f"{request.method} {request.url}: {error or type(error).__name__}") from None
    answer = interpret(response.status, response.headers, transcript.response)
    transcript.status_code = answer.status_code
    return answer


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > MAX_ANSWER:
            raise NotOcpi(response.status, f"{response.url}: the answer is larger than {MAX_ANSWER} bytes")
    return bytes(body)
