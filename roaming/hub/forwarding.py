"""Bringing a message to another platform: the bytes as they came, over connections that stay open.

Raises what a hub has to say of a failure (§status_codes_4xxx_hub_errors): ReceiverTimeout, ReceiverNotConnected,
HubError.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import aiohttp
import msgspec
from django.conf import settings
from yarl import URL

from ocpi.client import url_policy
from ocpi.client.http import CONNECT_SECONDS, MAX_RESPONSE, trust
from ocpi.client.resolving import JudgedResolver
from ocpi.errors import HubError, ReceiverNotConnected, ReceiverTimeout
from ocpi.transport.transcripts import Transcript

IN_FLIGHT = 2000  # connections in all; `Receivers` bounds those to each platform


class ServerFailure(HubError):
    """A web server's own error page: nobody who speaks OCPI is there."""


class Envelope(msgspec.Struct):
    """What must be there for an answer to be one of OCPI; decoding it checks the syntax of all."""

    status_code: int


_envelope = msgspec.json.Decoder(Envelope)


class Forwarded(NamedTuple):
    """An answer as the receiver gave it."""

    http_status: int
    headers: Mapping[str, str]
    body: bytes
    status_code: int


class Forwarder:
    """One for each event loop."""

    @cached_property
    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=IN_FLIGHT,
                resolver=JudgedResolver(),
                ssl=trust(),
                keepalive_timeout=30,
            ),
            timeout=aiohttp.ClientTimeout(total=settings.NODE_PARTNER_TIMEOUT, sock_connect=CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            trust_env=False,
        )

    async def close(self) -> None:
        if "_session" in vars(self):
            await self._session.close()

    async def send(self, name: str, transcript: Transcript, headers: Mapping[str, str], body: bytes) -> Forwarded:
        """One request to the platform of this name, and its answer."""
        url = transcript.url
        try:
            url_policy.check_url(url)
            async with self._session.request(
                transcript.method, URL(url, encoded=True), data=body or None, headers=headers, allow_redirects=False
            ) as response:
                transcript.http_status = response.status
                found = await _bounded(name, response)
                transcript.answered(response.status, found)
                answer = _judged(name, response, found)
                transcript.status_code = answer.status_code
                return answer
        except url_policy.ForbiddenUrl as error:
            raise ReceiverNotConnected(f"{name} cannot be reached: {error}") from None
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            raise ReceiverNotConnected(f"{name} cannot be reached: {_reason(error)}") from None
        except TimeoutError:
            raise ReceiverTimeout(f"{name} did not answer within {settings.NODE_PARTNER_TIMEOUT} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ReceiverNotConnected(f"{name} closed the connection: {_reason(error)}") from None


def _judged(name: str, response: aiohttp.ClientResponse, body: bytes) -> Forwarded:
    """The answer, when it is one of OCPI that is meant for the requester; raises HubError otherwise."""
    status = response.status
    try:
        code = _envelope.decode(body).status_code
    except (msgspec.DecodeError, UnicodeDecodeError):
        failure = ServerFailure if status >= 500 else HubError
        raise failure(f"{name} answered HTTP {status} without an OCPI envelope") from None
    if status in (401, 403):  # it is our token that it does not accept
        raise HubError(f"{name} refused the hub: HTTP {status}, OCPI {code}")
    return Forwarded(status, response.headers, body, code)


async def _bounded(name: str, response: aiohttp.ClientResponse) -> bytes:
    body = await response.content.read(MAX_RESPONSE + 1)
    while len(body) <= MAX_RESPONSE and (piece := await response.content.readany()):
        body += piece
    if len(body) > MAX_RESPONSE:
        raise HubError(f"the answer of {name} is larger than {MAX_RESPONSE} bytes")
    return body


def _reason(error: Exception) -> str:
    return str(error)[:200] or type(error).__name__
