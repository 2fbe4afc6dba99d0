"""Ways through the hub: what all messages between the same two parties to the same interface have in common.

A way is found once and remembered (`roaming/hub/memory.py`); from then on it costs a message a look into a dictionary.
"""

from msgspec import Struct

from ocpi.client import http1
from ocpi.errors import HubError
from ocpi.transport.asgi import Headers, encoded
from ocpi.transport.headers import RoutingHeaders
from roaming.directory import Peer, Picture
from roaming.hub.addresses import Passage, Place


class Way(Struct, frozen=True):
    """To a platform of the receiver's: headers of every request on it, as lines, and of every answer.

    `peer` is None when no platform of the receiver's has the interface.
    """

    routing: RoutingHeaders
    peer: Peer | None
    endpoint: str
    sent: str
    reply: Headers

    @classmethod
    def to(cls, peer: Peer | None, routing: RoutingHeaders, endpoint: str = "") -> "Way":
        authorization = {"Authorization": peer.presented.header()} if peer else {}
        sent = http1.lines({**authorization, "Accept": "application/json", **routing.headers()})
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
