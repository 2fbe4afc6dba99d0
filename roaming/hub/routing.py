"""Where a request to a functional module belongs: one pure function, refusing what is no scenario of OCPI.

| TO header             | method and interface     | route                                                    |
|-----------------------|--------------------------|----------------------------------------------------------|
| a party of ours       | any                      | Local                                                    |
| our hub party         | GET list on a Sender     | GetAll (§transport_and_format_get_all_via_hubs)          |
| our hub party         | POST, PUT, PATCH, DELETE | Broadcast Push                                           |
| our hub party         | GET of one object        | Local: what the hub itself holds                         |
| absent, we are no hub | any                      | Local: a single-party peer needs no headers              |
| absent, we are a hub  | POST, PUT, PATCH, DELETE | Broadcast, as long as no receiver can be determined      |
| absent, we are a hub  | GET list                 | Refuse: Open Routing is not for GET All                  |
| absent, we are a hub  | GET of one object        | Local: what the hub itself holds                         |
| a connected party     | any                      | Direct                                                   |
| anything else         |                          | Refuse                                                   |
"""

from dataclasses import dataclass
from enum import Enum, auto

from ocpi.errors import InvalidParameters, OcpiError, UnknownReceiver
from ocpi.ids import PartyId
from ocpi.transport.headers import RoutingHeaders
from ocpi.v221.versions import InterfaceRole


class Kind(Enum):
    LOCAL = auto()
    BROADCAST = auto()
    GET_ALL = auto()
    DIRECT = auto()
    REFUSE = auto()


@dataclass(frozen=True, slots=True)
class Route:
    """A decision and its reason; a refusal carries the error that answers it."""

    kind: Kind
    reason: str
    party: PartyId | None = None
    error: OcpiError | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """What the decision needs to know: our parties, our hub party, everybody connected."""

    own: frozenset[PartyId]
    hub: PartyId | None
    connected: frozenset[PartyId]


def _refuse(error: OcpiError) -> Route:
    return Route(Kind.REFUSE, error.message, error=error)


def decide(method: str, interface: InterfaceRole, routing: RoutingHeaders, table: Table, *, is_list: bool) -> Route:
    """The route of one request."""
    to = routing.to
    method = "GET" if method == "HEAD" else method
    if to is None:
        return _open(method, table, is_list=is_list)
    if to == table.hub:
        return _to_hub(method, interface, to, is_list=is_list)
    if to in table.own:
        return Route(Kind.LOCAL, f"{to} is a party of this node", to)
    if table.hub is None:
        return _refuse(UnknownReceiver(f"{to} is not a party of this node"))
    if to in table.connected:
        return Route(Kind.DIRECT, f"{to} is connected to this hub", to)
    return _refuse(UnknownReceiver(f"{to} is not connected to this hub"))


def _to_hub(method: str, interface: InterfaceRole, hub: PartyId, *, is_list: bool) -> Route:
    if method != "GET":
        return Route(Kind.BROADCAST, f"{method} addressed to the hub {hub} is a Broadcast Push", hub)
    if is_list and interface == InterfaceRole.SENDER:
        return Route(Kind.GET_ALL, f"GET of a list addressed to the hub {hub} is a GET All", hub)
    return Route(Kind.LOCAL, f"GET of one object addressed to the hub {hub}: what the hub holds", hub)


def _open(method: str, table: Table, *, is_list: bool) -> Route:
    if table.hub is None:
        return Route(Kind.LOCAL, "no receiver named; this node is no hub")
    if is_list:
        return _refuse(
            InvalidParameters(f"a list needs a receiver: name the hub {table.hub} in OCPI-to-* for GET All, or a party")
        )
    if method == "GET":
        return Route(Kind.LOCAL, "no receiver named: what the hub holds", table.hub)
    return Route(Kind.BROADCAST, "no receiver named and none can be determined: broadcast", table.hub)
