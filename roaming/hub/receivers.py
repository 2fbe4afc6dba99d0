"""Receivers as the relay calls them: only those that can be used now, a bounded number of requests at once, and what
becomes of each counts for the breaker and as a sign of life. Never waits for the database.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from ocpi.client.connections import Connections
from ocpi.client.http import MAX_RESPONSE
from ocpi.client.http1 import Response
from ocpi.errors import HubError, OcpiError, ReceiverNotConnected
from ocpi.kept import kept
from ocpi.transport.transcripts import Transcript
from roaming import breaker
from roaming.directory import Peer
from roaming.hub.forwarding import ServerFailure, no_answer, status_of
from roaming.hub.limits import Busy, Places
from roaming.sightings import sightings

InThread = Callable[..., Awaitable[Any]]
_BODILESS = frozenset({"GET", "DELETE"})


class Receivers:
    """One for each event loop; `in_thread` runs what needs the database. Connections to receivers stay open."""

    def __init__(self, in_thread: InThread) -> None:
        self._connections, self._in_thread = Connections(), in_thread
        self._places = Places(settings.NODE_IN_FLIGHT)
        self._writing: set[asyncio.Future[Any]] = set()

    def close(self) -> None:
        self._connections.close()

    async def send(self, peer: Peer, transcript: Transcript, headers: str, body: bytes, origin: str = "") -> Response:
        """One request and its answer, bytes as they come; `headers` are lines (`ocpi/client/http1.py`), `origin` is
        that of the URL when it has been checked.

        Raises HubError, ReceiverTimeout or ReceiverNotConnected.
        """
        if peer.offline_since:
            raise ReceiverNotConnected(breaker.outage(peer))
        method, url, seconds = transcript.method, transcript.url, kept.NODE_PARTNER_TIMEOUT
        content = body if body or method not in _BODILESS else None
        place = self._places.at(peer.id)
        try:
            if not place.take():
                await place.wait()
            try:
                response = await self._connections.send(method, url, headers, content, seconds, MAX_RESPONSE, origin)
            finally:
                place.leave()
            transcript.answered(response.status, response.body)
            transcript.status_code = status_of(peer.name, response)
        except Busy:
            raise HubError(f"{peer.name} is busy: {settings.NODE_IN_FLIGHT} requests to it are under way") from None
        except (OSError, ValueError) as error:
            failure = no_answer(peer.name, error)
            self._failed(peer, url, failure)
            raise failure from None
        except ServerFailure as error:
            self._failed(peer, url, error)
            raise
        except HubError:
            self._answered(peer.id)  # not well, but it is there
            raise
        self._answered(peer.id)
        return response

    def _failed(self, peer: Peer, url: str, error: OcpiError) -> None:
        if breaker.concerns(peer, url) and breaker.strikes.failed(peer.id):
            self._later(breaker.trip, peer.id, error.message)

    def _answered(self, platform_id: int) -> None:
        breaker.strikes.answered(platform_id)
        if sightings.note(platform_id):
            self._later(sightings.write)

    def _later(self, function: Callable[..., Any], *arguments: Any) -> None:
        writing = asyncio.ensure_future(self._in_thread(function, *arguments))
        self._writing.add(writing)  # the loop itself keeps no hold of it
        writing.add_done_callback(self._writing.discard)
