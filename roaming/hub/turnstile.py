"""The first thing a partner's request meets: limits on headers, on how often, and on how much at once.

Whoever is over a limit is told before any work is done, with HTTP 429 and when to come again. A request without a
token that is known and in use is nobody's: it passes, and is refused by what is behind. An authenticated request is
also a sign of life (`roaming/sightings.py`).
"""

import asyncio
import math
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import structlog
from django.conf import settings
from django.db import close_old_connections

from ocpi import ports
from ocpi.errors import HeadersTooLarge, OcpiError, TooManyRequests
from ocpi.transport.asgi import HEAD_AT_MOST, Application, AsgiHeaders, Conversation, Headers, Receive, Scope, Send
from roaming.directory import Directory
from roaming.hub.limits import Buckets, Busy, Places, class_of, rates
from roaming.sightings import sightings

log = structlog.get_logger(__name__)

MAX_HEADERS = 32 * 1024
_PREFIX = b"/ocpi/"
# A caller may have this many times NODE_IN_FLIGHT requests under way: one receiver that hangs does not take them all.
_RECEIVERS_AT_ONCE = 2


class Turnstile:
    """An ASGI application for `http` scopes around another."""

    def __init__(self, behind: Application, directory: Directory) -> None:
        self._behind, self._directory = behind, directory
        self._buckets = Buckets(rates(settings.NODE_RATES))
        self._places = Places(settings.NODE_IN_FLIGHT * _RECEIVERS_AT_ONCE)
        self._clerk = ThreadPoolExecutor(1, thread_name_prefix="sightings")

    def _count(self, platform_id: int, name: str) -> None:
        """Raises TooManyRequests."""
        if wait := self._buckets.take(platform_id, name):
            raise TooManyRequests(f"more {name} requests than allowed", retry_after=math.ceil(wait))

    def close(self) -> None:
        self._clerk.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, platform_id = scope.get("raw_path") or scope["path"].encode(), 0
        try:
            if scope.get(HEAD_AT_MOST, sys.maxsize) > MAX_HEADERS:
                _check_size(scope)
            header = AsgiHeaders.of(scope).get("Authorization", "")
            caller = self._directory.known.caller(header) if path.startswith(_PREFIX) else None
            if caller is None:
                await self._behind(scope, receive, send)
                return
            platform_id = scope["ocpi.platform_id"] = caller.platform_id
            scope["ocpi.caller"] = caller
            if sightings.note(platform_id):
                asyncio.get_running_loop().run_in_executor(self._clerk, _write_sightings)
            if self._buckets.rates:
                self._count(platform_id, class_of(scope["method"], path))
            place = self._places.at(platform_id)
            if not place.take():
                await place.wait()
            try:
                await self._behind(scope, receive, send)
            finally:
                place.leave()
        except Busy:
            error = TooManyRequests("too many of your requests are under way", retry_after=1)
            await _refuse(Conversation(scope, receive, send), platform_id, error)
        except (TooManyRequests, HeadersTooLarge) as error:
            await _refuse(Conversation(scope, receive, send), platform_id, error)


def _write_sightings() -> None:
    close_old_connections()
    try:
        sightings.write()
    except Exception:
        log.exception("signs of life were not written")
    finally:
        close_old_connections()


def _check_size(scope: Scope) -> None:
    """Raises HeadersTooLarge."""
    headers: Headers = scope["headers"]
    if len(b"".join(chain.from_iterable(headers))) > MAX_HEADERS:
        raise HeadersTooLarge(f"the headers are larger than {MAX_HEADERS} bytes")


async def _refuse(conversation: Conversation, platform_id: int, error: OcpiError) -> None:
    headers = []
    if isinstance(error, TooManyRequests):
        headers.append((b"retry-after", b"%d" % error.retry_after))
    log.info("refused at the door", error=error.message, path=conversation.scope["path"])
    conversation.transcript.platform_id = platform_id or None
    await conversation.refuse(error, headers)
    if platform_id:
        ports.exchange_log().note(conversation.transcript)
