"""Ways through the hub: what all messages between the same two parties to the same interface have in common.

A way is found once and remembered (`roaming/hub/memory.py`); from then on it costs a message a look into a dictionary.
"""

from typing import NoReturn

from msgspec import Struct

from ocpi.client import http1, url_policy
from ocpi.errors import HubError
from ocpi.transport.asgi import Headers, encoded
from ocpi.transport.headers import RoutingHeaders
from ocpi.transport.transcripts import Transcript
from roaming.directory import Peer, Picture
from roaming.hub import callbacks
from roaming.hub.addresses import Passage, Place
from roaming.hub.routing import Route


class Way(Struct, frozen=True):
    """To a module of a platform of the receiver's, and why it is the way: headers of every request on it, as lines
    (`ocpi/client/http1.py`), and of every answer.

    `peer` is None when no platform of the receiver's has the interface. `wants_result`: messages may carry a
    response_url. `origin` is that of the endpoint, empty when we do not call there.
    """

    routing: RoutingHeaders
    reply: Headers
    module: str = ""
    interface: str = ""
    peer: Peer | None = None
    sent: str = ""
    endpoint: str = ""
    origin: str = ""
    route: str = ""
    reason: str = ""
    wants_result: bool = False

    @classmethod
    def back(cls, peer: Peer, routing: RoutingHeaders) -> "Way":
        """To who waits for a result."""
        return cls(routing, _reply(routing), peer=peer, sent=_sent(peer, routing))

    @classmethod
    def find(cls, picture: Picture, place: Place, routing: RoutingHeaders, route: Route) -> "Way":
        """For messages to a place."""
        assert routing.to is not None, "a direct message names its receiver"
        found, at = None, ""
        for peer in picture.platforms_of(routing.to):
            if peer.connected and (endpoint := peer.endpoint(place.module, place.interface)):
                found, at = peer, endpoint
                break
        return cls(
            routing,
            _reply(routing),
            place.module,
            place.interface.value,
            found,
            sent=_sent(found, routing) if found else "",
            endpoint=at.rstrip("/"),
            origin=_origin(at),
            route=route.kind.name,
            reason=route.reason,
            wants_result=callbacks.wants_result(place),
        )

    def note(self, transcript: Transcript) -> None:
        """Keep the decision with the exchange, and what it is about."""
        transcript.routing, transcript.route, transcript.reason = self.routing, self.route, self.reason
        transcript.module, transcript.interface = self.module, self.interface

    def no_receiver(self, place: Place) -> NoReturn:
        """Raises HubError."""
        raise HubError(f"{self.routing.to} has no {place.interface} endpoint of {place.module}")

    def target(self, place: Place, query: str) -> str:
        """Where the receiver has what our URL names; raises InvalidParameters for a seal that is not ours."""
        return self.passage(place).target(query) if query else self.endpoint + place.below

    def passage(self, place: Place) -> Passage:
        """What a place on this way stands for; raises HubError when the receiver has no such endpoint."""
        return Passage(place, self.peer or self.no_receiver(place), self.endpoint)


def _origin(url: str) -> str:
    try:
        return url_policy.check_url(url)
    except url_policy.ForbiddenUrl:
        return ""


def _sent(peer: Peer, routing: RoutingHeaders) -> str:
    return http1.lines({"Authorization": peer.presented.header(), "Accept": "application/json", **routing.headers()})


def _reply(routing: RoutingHeaders) -> Headers:
    return encoded(routing.reply().headers())
