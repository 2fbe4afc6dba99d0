"""Calling a partner, one request after the other: handshake, pulls, probes. Deliveries in parallel: `sending.py`.

No redirects, bounded time and size, addresses judged when connecting (`url_policy`). The transport can be injected.
"""

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

import httpcore
import httpx
from django.conf import settings

from ocpi.client import url_policy
from ocpi.client.messages import (
    Answer,
    NotOcpi,
    Presented,
    TimedOut,
    Unreachable,
    interpret,
    request_headers,
)
from ocpi.client.noting import Noted
from ocpi.transport.headers import MessageIds, RoutingHeaders
from ocpi.transport.transcripts import Transcript
from ocpi.types import codec

CONNECT_SECONDS = 3.0
MAX_RESPONSE = 64 * 1024 * 1024


class _JudgedBackend(httpcore.SyncBackend):
    """Connects only to addresses that `url_policy` has judged."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            address = url_policy.resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"cannot resolve {host}") from error
        return super().connect_tcp(address, port, timeout, local_address, socket_options)


@cache
def trust() -> ssl.SSLContext:
    """The certificates we trust, read once: that costs more than a request."""
    return ssl.create_default_context()


class JudgedTransport(httpx.HTTPTransport):
    """httpx's transport over connections that `_JudgedBackend` makes; httpx has no public way to hand one over."""

    def __init__(self) -> None:
        context = trust()
        super().__init__(verify=context)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, max_connections=20, keepalive_expiry=30, network_backend=_JudgedBackend()
        )


@dataclass(frozen=True, slots=True)
class Heard:
    """A response as it came, whatever it says, and the ids of its request."""

    ids: MessageIds
    http_status: int
    headers: Mapping[str, str]
    body: bytes


class OcpiClient:
    """Requests to one platform, with one token, under one correlation id. A context manager."""

    def __init__(
        self,
        presented: Presented,
        routing: RoutingHeaders = RoutingHeaders(),  # noqa: B008  (immutable)
        ids: MessageIds | None = None,
        transport: httpx.BaseTransport | None = None,
        seconds: float | None = None,
    ) -> None:
        """`seconds` is how long one exchange may take: NODE_PARTNER_TIMEOUT unless told otherwise."""
        self._presented, self._routing, self._ids = presented, routing, ids or MessageIds()
        self._seconds: float = settings.NODE_PARTNER_TIMEOUT if seconds is None else seconds
        timeout = httpx.Timeout(self._seconds, connect=min(CONNECT_SECONDS, self._seconds))
        self._http = httpx.Client(
            transport=transport or JudgedTransport(), timeout=timeout, follow_redirects=False, trust_env=False
        )

    def __enter__(self) -> "OcpiClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, url: str, params: Mapping[str, str] | None = None) -> Answer:
        return self.request("GET", url, params=params)

    def request(self, method: str, url: str, body: Any = None, params: Mapping[str, str] | None = None) -> Answer:
        """One exchange, which is noted; raises PartnerError and nothing else."""
        content = None if body is None else codec.encode(body)
        with self._noted(method, _asked(url, params), content) as transcript:
            heard = self._exchange(transcript, url, content, params)
            answer = interpret(heard.http_status, heard.headers, heard.body)
            transcript.status_code = answer.status_code
            return answer

    def hear(self, url: str, params: Mapping[str, str] | None = None) -> Heard:
        """GET, and what came back, not judged; raises PartnerError where there is no response that can be read."""
        with self._noted("GET", _asked(url, params), None) as transcript:
            return self._exchange(transcript, url, None, params)

    def _noted(self, method: str, asked: str, content: bytes | None) -> Noted:
        return Noted(method, asked, self._ids.next_hop(), self._routing, self._presented, content)

    def _exchange(
        self, transcript: Transcript, url: str, body: bytes | None, params: Mapping[str, str] | None
    ) -> Heard:
        method = transcript.method
        try:
            url_policy.check_url(url)
            return self._sent(transcript, url, body, params)
        except url_policy.ForbiddenUrl as error:
            raise Unreachable(f"{url}: {error}") from None
        except httpx.TimeoutException as error:
            raise TimedOut(f"{method} {url}: {type(error).__name__}") from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            raise Unreachable(f"{method} {url}: {error or type(error).__name__}") from None

    def _sent(self, transcript: Transcript, url: str, body: bytes | None, params: Mapping[str, str] | None) -> Heard:
        headers = request_headers(self._presented, transcript.ids, self._routing, body=body is not None)
        deadline = time.monotonic() + self._seconds
        with self._http.stream(transcript.method, url, content=body, headers=headers, params=params) as response:
            transcript.http_status = response.status_code
            if response.is_redirect:
                raise NotOcpi(response.status_code, f"{url} redirects; redirects are not followed")
            transcript.answered(response.status_code, _bounded(response, url, deadline))
        return Heard(transcript.ids, response.status_code, response.headers, transcript.response)


def _asked(url: str, params: Mapping[str, str] | None) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(params)}" if params else url


def _bounded(response: httpx.Response, url: str, deadline: float) -> bytes:
    """The body, unless it is too large or drips in too slowly: httpx bounds only the time between two pieces."""
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > MAX_RESPONSE:
            raise NotOcpi(response.status_code, f"{url}: the answer is larger than {MAX_RESPONSE} bytes")
        if time.monotonic() > deadline:
            raise TimedOut(f"{url}: no complete answer in time")
    return bytes(body)
