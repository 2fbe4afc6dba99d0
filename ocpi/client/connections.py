"""Connections to partners that many requests share: kept open, bounded in time and size, to judged addresses only.

pyreqwest, for it costs half of aiohttp's CPU for each request; hidden here, for it is young. A host's addresses are
judged (`url_policy`) when it is first called and every minute from then on, and the connections go to the judged one.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import NetworkError, PyreqwestError

from ocpi.client import url_policy
from ocpi.client.http import CONNECT_SECONDS

_JUDGED_SECONDS = 60.0
# Shorter than the servers that are usual keep theirs: a request on a connection that is just being closed is lost.
_KEEP_OPEN = timedelta(seconds=2)
_CONNECT = timedelta(seconds=CONNECT_SECONDS)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer as it came; `is_cut` when there was more of it than allowed."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool


@dataclass(frozen=True, slots=True)
class _Kept:
    client: Client
    address: str  # empty: the URL names it
    judged_at: float


class Connections:
    """For one event loop."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, bool], _Kept] = {}

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float, most: int
    ) -> Response:
        """Send a request; its answer may take `seconds` in all and have `most` bytes.

        A request that met a connection just closed is sent once more, unless it is a POST: all others may be repeated.
        Raises TimeoutError, ForbiddenUrl, and OSError for everything else that went wrong.
        """
        client = await self._client(url)
        for is_last in (method == "POST", True):
            try:
                return await _once(client, method, url, headers, body, seconds, most)
            except TimeoutError:
                raise
            except NetworkError as error:
                if is_last:
                    raise OSError(_reason(error)) from None
            except PyreqwestError as error:
                raise OSError(_reason(error)) from None
        raise AssertionError("unreachable")

    async def _client(self, url: str) -> Client:
        """The client for the host of a URL; raises ForbiddenUrl, or OSError when the name cannot be resolved."""
        url_policy.check_url(url)
        parts = urlsplit(url)
        key = (f"{parts.scheme}://{parts.netloc}", bool(settings.NODE_ALLOW_PRIVATE_URLS))
        kept = self._kept.get(key)
        if kept is None or time.monotonic() - kept.judged_at > _JUDGED_SECONDS:
            kept = self._kept[key] = await _judged(parts.hostname or "", parts.port, parts.scheme, kept)
        return kept.client


async def _judged(host: str, port: int | None, scheme: str, before: _Kept | None) -> _Kept:
    number = port or (443 if scheme == "https" else 80)
    address = await asyncio.to_thread(url_policy.resolve, host, number)
    if before is not None and before.address == address:
        return _Kept(before.client, address, time.monotonic())
    builder = ClientBuilder().no_proxy().follow_redirects(False).http1_only().resolve(host, address, number)
    for decompressing in (builder.gzip, builder.brotli, builder.zstd, builder.deflate):
        decompressing(False)  # a small answer could become a very large one
    client = builder.connect_timeout(_CONNECT).pool_idle_timeout(_KEEP_OPEN).build()
    return _Kept(client, address, time.monotonic())


async def _once(
    client: Client, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float, most: int
) -> Response:
    request = client.request(method, url).headers(headers).timeout(timedelta(seconds=seconds))
    if body is not None:
        request = request.body_bytes(body)
    async with request.build_streamed() as response:
        content = bytes(await response.body_reader.read(most) or b"")
        is_cut = len(content) == most and await response.body_reader.read(1) is not None
        return Response(response.status, response.headers, content, is_cut)


def _reason(error: PyreqwestError) -> str:
    """The innermost cause, which says most."""
    causes = getattr(error, "details", {}).get("causes") or []
    return str(causes[-1]["message"]) if causes else error.message
