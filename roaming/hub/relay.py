"""The hub's pass-through in front of Django: what is for another platform goes there as it came.

Only what is plainly for somebody else is taken: everything else, and whatever is wrong with a request, is left to the
application behind. Nothing here waits for the database but what has to be written or looked up there first, and that
in threads of its own.
"""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
import structlog
from django.db import close_old_connections

from ocpi import ports
from ocpi.client import http1
from ocpi.client.http1 import Response
from ocpi.errors import InvalidParameters, MalformedBody, OcpiError, ReceiverNotConnected
from ocpi.kept import kept
from ocpi.ports import Caller
from ocpi.transport.asgi import Application, ClientGone, Conversation, Headers, Receive, Scope, Send, encoded
from ocpi.transport.headers import ROUTING, RoutingHeaders
from ocpi.transport.transcripts import Transcript
from ocpi.v221.versions import ModuleID
from roaming.agreements import next_change
from roaming.directory import Directory, Peer, Picture
from roaming.hub import callbacks, opening
from roaming.hub.addresses import Passage, Place
from roaming.hub.callbacks import Parties
from roaming.hub.gateway import speaking
from roaming.hub.receivers import Receivers
from roaming.hub.routing import Asked, Kind, Route, decide
from roaming.hub.ways import Way

log = structlog.get_logger(__name__)

_METHODS = frozenset({"GET", "PUT", "PATCH", "POST", "DELETE"})
_CALLBACKS = callbacks.PREFIX.encode()
_THREADS = 2
_syntax = msgspec.json.Decoder(msgspec.Raw)
# What of a receiver's answer is for the requester; its ids and routing headers are not, it has its own.
_PASSED_ON = frozenset({"x-total-count", "x-limit", "retry-after"})
_LEADING = frozenset({"link", "location"})
_JSON = (b"content-type", b"application/json")


class Relay:
    """An ASGI application for `http` scopes around another."""

    def __init__(self, behind: Application, directory: Directory) -> None:
        self._behind, self._directory = behind, directory
        self._receivers = Receivers(self._in_thread)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="relay")
        self._checking: asyncio.Task[None] | None = None

    def close(self) -> None:
        self._receivers.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._directory.is_stale:
            await self._renewed()
        picture = self._directory.known
        if picture.table.hub:
            conversation = Conversation(scope, receive, send)
            if await self._taken(picture, conversation):
                ports.exchange_log().note(conversation.transcript)
                return
            receive = conversation.receive
        await self._behind(scope, receive, send)

    async def _taken(self, picture: Picture, conversation: Conversation) -> bool:
        """Whether the request was for somebody else, and has been answered."""
        scope, headers = conversation.scope, conversation.headers
        if (method := scope["method"]) not in _METHODS:
            return False
        path = scope.get("raw_path") or scope["path"].encode()
        place = Place.read(path)
        if place is None and not path.startswith(_CALLBACKS):
            return False
        caller: Caller | None = scope.get("ocpi.caller")
        if caller is None:
            caller = await self._in_thread(self._directory.caller, headers.get("Authorization", ""))
        if caller is None or not caller.registered:
            return False
        transcript = conversation.transcript
        transcript.platform_id = caller.platform_id
        if place is None:
            await self._return(picture, conversation, path[len(_CALLBACKS) :].decode("latin-1"), caller)
            return True
        parties = headers.raws(ROUTING)
        kind = (Way, caller.platform_id, method, place.interface, place.module, place.is_list, parties)
        way: Way | None = picture.memory.known(kind, transcript.at)
        if way is None:
            return await self._first(picture, conversation, place, caller, kind)
        await self._relay(conversation, place, caller, way)
        return True

    async def _first(
        self, picture: Picture, conversation: Conversation, place: Place, caller: Caller, kind: Hashable
    ) -> bool:
        """Decide where the first message of its kind goes; the decision is remembered where it holds for all of them.

        The answer is that of `_taken`.
        """
        method, now = conversation.scope["method"], datetime.fromtimestamp(conversation.transcript.at, UTC)
        try:
            routing = RoutingHeaders.read(conversation.headers)
            speaker = speaking(caller, routing)
        except InvalidParameters:
            return False
        asked = Asked(method, place.module, place.interface, routing.to, speaker, place.is_list, now)
        route = decide(asked, picture.table)
        if route.kind is Kind.OPEN and not opening.is_plain(asked):
            return await self._open(picture, conversation, place, caller, asked)
        if route.kind is not Kind.DIRECT:
            return await self._unknown(conversation, place, caller, asked, route)
        way = Way.find(picture, place, _between(asked), route)
        parties = [party for party in (asked.speaker, asked.to) if party]
        picture.memory.keep(kind, way, next_change(picture.table.agreements, parties, now))
        await self._relay(conversation, place, caller, way)
        return True

    async def _unknown(
        self, conversation: Conversation, place: Place, caller: Caller, asked: Asked, route: Route
    ) -> bool:
        """Refuse what belongs to no module that those behind know; False when it does, or is for them."""
        if route.error is None or ModuleID(place.module).is_known:
            return False
        await self._decline(conversation, caller, _between(asked), route, route.error)
        return True

    async def _renewed(self) -> None:
        """Wait for a picture that is not older than a second or so."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._in_thread(self._directory.picture))
        await self._checking

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run what needs the database, on a connection of its thread."""

        def run() -> Any:
            close_old_connections()
            try:
                return function(*arguments)
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._threads, run)

    async def _open(
        self, picture: Picture, conversation: Conversation, place: Place, caller: Caller, asked: Asked
    ) -> bool:
        """Find out whom a message without receiver is for; False when it is for a party of ours."""
        query = conversation.scope["query_string"].decode("latin-1")
        try:
            body = await conversation.body(kept.NODE_MAX_BODY)
            _well_formed(asked.method, body)
            route = await self._in_thread(opening.route, asked, place, query, body)
            asked = replace(asked, to=route.party)
            if route.error is None and (found := decide(asked, picture.table)).kind is not Kind.DIRECT:
                route = replace(found, reason=f"{route.reason}; {found.reason}")
        except ClientGone:
            return True
        except OcpiError as error:
            route = Route(Kind.REFUSE, error.message, error=error)
        if route.error is not None:
            await self._decline(conversation, caller, _between(asked), route, route.error)
        elif route.kind is Kind.DIRECT:
            await self._relay(conversation, place, caller, Way.find(picture, place, _between(asked), route))
        else:
            conversation.scope["headers"] = [*conversation.scope["headers"], *encoded(_to(asked))]
            conversation.scope["ocpi.opened"] = route.reason
            return False
        return True

    async def _relay(self, conversation: Conversation, place: Place, caller: Caller, way: Way) -> None:
        """Pass a message on to the party that it names, and its answer back."""
        scope, came = conversation.scope, conversation.transcript
        method, query = scope["method"], scope["query_string"].decode("latin-1")
        way.note(came)
        try:
            body = await conversation.body(kept.NODE_MAX_BODY)
            _well_formed(method, body)
            peer = way.peer or way.no_receiver(place)
            if way.wants_result:
                parties = Parties(caller.platform_id, peer.id, way.routing, came.ids.correlation_id)
                query, body = await self._in_thread(callbacks.opened, place, method, query, body, parties)
            answer = await self._send(conversation, came, peer, way, way.target(place, query), body)
        except ClientGone:
            return
        except OcpiError as error:
            await self._refuse(conversation, caller, way.routing, error)
            return
        headers = _answered(answer, came, way)
        if not _LEADING.isdisjoint(answer.headers):
            headers += _led(answer, way.passage(place))
        await conversation.answer(answer.status, headers, answer.body)

    async def _decline(
        self, conversation: Conversation, caller: Caller, routing: RoutingHeaders, route: Route, error: OcpiError
    ) -> None:
        """Refuse what no way leads to, for the reason that is kept with the exchange."""
        came = conversation.transcript
        came.routing, came.route, came.reason = routing, route.kind.name, route.reason
        await self._refuse(conversation, caller, routing, error)

    async def _refuse(
        self, conversation: Conversation, caller: Caller, routing: RoutingHeaders, error: OcpiError
    ) -> None:
        log.info("not relayed", reason=conversation.transcript.reason, error=error.message, caller=caller.name)
        await conversation.refuse(error, encoded(routing.reply().headers()))

    async def _return(self, picture: Picture, conversation: Conversation, uid: str, caller: Caller) -> None:
        """Pass the result of a command on to where its requester wants it."""
        came, reply = conversation.transcript, Headers()
        try:
            body = await conversation.body(kept.NODE_MAX_BODY)
            _well_formed("PUT", body)
            due = await self._in_thread(callbacks.due, uid, caller.platform_id, body)
            reply = encoded(due.routing.reply().headers())
            came.routing = due.routing
            peer = picture.peers.get(due.requester_id)
            if peer is None or not peer.connected:
                raise ReceiverNotConnected(f"{due.routing.to} is not connected to this hub any more")
            way = Way.back(peer, due.routing)
            answer = await self._send(conversation, came, peer, way, due.url, body)
            if 1000 <= (came.status_code or 0) < 2000:
                await self._in_thread(callbacks.passed_on, due.id, body)
        except ClientGone:
            return
        except OcpiError as error:
            log.info("result not passed on", error=error.message, caller=caller.name)
            await conversation.refuse(error, reply)
            return
        await conversation.answer(answer.status, _answered(answer, came, way), answer.body)

    async def _send(
        self, conversation: Conversation, came: Transcript, peer: Peer, way: Way, url: str, body: bytes
    ) -> Response:
        ids, token = came.ids.next_hop(), peer.presented.token
        headers = f"{way.sent}{ids.lines}"
        if body:
            headers += _typed(conversation.headers.get("Content-Type", "application/json"))
        went = came.onward = Transcript(
            "OUT", came.method, url, ids, way.routing, peer.id, token, way.module, way.interface
        )
        came.token = token  # which a careless receiver may repeat
        went.route, went.reason, went.request_size = came.route, came.reason, len(body)
        origin = "" if conversation.scope["query_string"] else way.origin  # a seal in it may lead anywhere
        if body is not conversation.received:
            went.request = body  # what came in is kept with that: once is enough
        try:
            answer = await self._receivers.send(peer, went, headers, body, origin)
        except OcpiError as error:
            went.error = error.message
            raise
        finally:
            went.end()
        went.response = b""  # as above
        came.status_code = went.status_code
        return answer


@lru_cache(100)
def _typed(content_type: str) -> str:
    return http1.lines({"Content-Type": content_type})


def _between(asked: Asked) -> RoutingHeaders:
    return RoutingHeaders(asked.to, asked.speaker)


def _to(asked: Asked) -> dict[str, str]:
    return RoutingHeaders(to=asked.to).headers()


def _well_formed(method: str, body: bytes) -> None:
    """Raise MalformedBody for what is no JSON: it stops at the hub (§status_codes)."""
    if not body and method in ("GET", "DELETE", "POST"):
        return
    try:
        _syntax.decode(body)
        if not body.isascii():
            body.decode()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedBody(f"the body is not JSON: {error}") from None


def _answered(answer: Response, came: Transcript, way: Way) -> Headers:
    """The headers of the requester's answer but for those that lead somewhere."""
    given = answer.headers
    found = [_JSON, (b"content-length", b"%d" % len(answer.body)), *came.ids.encoded(), *way.reply]
    if not _PASSED_ON.isdisjoint(given):
        found += [(name.encode(), given[name].encode("latin-1")) for name in given.keys() & _PASSED_ON]
    return found


def _led(answer: Response, passage: Passage) -> Headers:
    """The headers that lead somewhere: the receiver's URLs are of use only through the hub."""
    found = []
    if link := answer.headers.get("link"):
        found.append((b"link", passage.link_through_hub(link).encode("latin-1")))
    if location := answer.headers.get("location"):
        found.append((b"location", passage.through_hub(location).encode("latin-1")))
    return found
