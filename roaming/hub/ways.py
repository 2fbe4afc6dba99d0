"""Ways through the hub: what all messages between the same two parties to the same interface have in common.

A way is found once for each picture of the directory, and again when an agreement begins or ends; from then on it
costs a message a look into a dictionary.
"""

from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import NamedTuple

from ocpi.errors import HubError
from ocpi.ids import PartyId
from ocpi.transport.asgi import Headers, encoded
from ocpi.transport.headers import RoutingHeaders
from roaming.agreements import next_change
from roaming.directory import Peer, Picture
from roaming.hub.addresses import Passage, Place
from roaming.hub.routing import Route

_REMEMBERED = 10_000


class Way(NamedTuple):
    """To a platform of the receiver's: headers of every request on it, and of every answer.

    `peer` is None when no platform of the receiver's has the interface.
    """

    routing: RoutingHeaders
    peer: Peer | None
    endpoint: str
    sent: Mapping[str, str]
    reply: Headers

    @classmethod
    def to(cls, peer: Peer | None, routing: RoutingHeaders, endpoint: str = "") -> "Way":
        authorization = {"Authorization": peer.presented.header()} if peer else {}
        sent = {**authorization, "Accept": "application/json", **routing.headers()}
        return cls(routing, peer, endpoint, sent, encoded(routing.reply().headers()))

    @classmethod
    def find(cls, picture: Picture, place: Place, routing: RoutingHeaders) -> "Way":
        assert routing.to is not None, "a direct message names its receiver"
        for peer in picture.platforms_of(routing.to):
            if peer.connected and (endpoint := peer.endpoint(place.module, place.interface)):
                return cls.to(peer, routing, endpoint)
        return cls.to(None, routing)

    def passage(self, place: Place) -> Passage:
        """Raises HubError when the receiver has no such endpoint."""
        if self.peer is None:
            raise HubError(f"{self.routing.to} has no {place.interface} endpoint of {place.module}")
        return Passage(place, self.peer, self.endpoint)


class _Found(NamedTuple):
    route: Route
    way: Way
    until: datetime | None


class Ways:
    """The ways that were found by the picture in use, each for all messages of a kind."""

    def __init__(self) -> None:
        self._picture = Picture()
        self._found: dict[Hashable, _Found] = {}

    def known(self, picture: Picture, kind: Hashable, now: datetime) -> tuple[Route, Way] | None:
        if picture is not self._picture or len(self._found) >= _REMEMBERED:
            self._picture, self._found = picture, {}
        found = self._found.get(kind)
        if found is None or (found.until and found.until <= now):
            return None
        return found.route, found.way

    def keep(self, kind: Hashable, now: datetime, route: Route, way: Way) -> tuple[Route, Way]:
        """Keep what was found by the picture that `known` was asked with."""
        one, other = way.routing.from_ or PartyId(), way.routing.to or PartyId()
        self._found[kind] = _Found(route, way, next_change(self._picture.table.agreements, one, other, now))
        return route, way
