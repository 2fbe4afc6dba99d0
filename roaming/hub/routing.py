"""Where a request to a functional module belongs: one pure function, refusing what is no scenario of OCPI.

| TO header             | what is asked                             | route                                       |
|-----------------------|-------------------------------------------|---------------------------------------------|
| a party but our hub   | what no agreement allows                  | Refuse: 4001, whether we know it or not     |
| a party of ours       | anything                                  | Local                                       |
| our hub party         | GET of a Sender's list                    | GetAll                                      |
| our hub party         | GET of one object                         | Local: what the hub itself holds            |
| our hub party         | an object pushed to a Receiver            | Broadcast                                   |
| our hub party         | what asks one party to do something       | Refuse: name it, or leave TO out            |
| another party         | anything, we being a hub                  | Direct                                      |
| absent, we are no hub | anything                                  | Local: a single-party peer needs no headers |
| absent, we are a hub  | GET of a list                             | Refuse: Open Routing is not for GET All     |
| absent, we are a hub  | anything else                             | Open: the content decides                   |
| anything else         |                                           | Refuse                                      |

Sources: §transport_and_format_message_routing and the sections below it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from django.utils import timezone

from ocpi.errors import InvalidParameters, OcpiError, ReceiverNotConnected, UnknownReceiver
from ocpi.ids import PartyId
from ocpi.v221.versions import InterfaceRole, ModuleID
from roaming.agreements import Agreements, may_exchange

# The modules whose objects an owner pushes; what else is sent to a Receiver asks one party to do something.
PUSHED = frozenset({ModuleID.LOCATIONS, ModuleID.SESSIONS, ModuleID.CDRS, ModuleID.TARIFFS, ModuleID.TOKENS})


class Kind(Enum):
    LOCAL = auto()
    DIRECT = auto()
    BROADCAST = auto()
    GET_ALL = auto()
    OPEN = auto()
    REFUSE = auto()


@dataclass(frozen=True, slots=True)
class Route:
    """A decision and its reason; a refusal carries the error that answers it."""

    kind: Kind
    reason: str
    party: PartyId | None = None
    error: OcpiError | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, by whom, of whom. `module` may be one that only its parties know."""

    method: str
    module: str
    interface: InterfaceRole
    to: PartyId | None
    speaker: PartyId | None
    is_list: bool
    at: datetime = field(default_factory=timezone.now)

    @property
    def is_read(self) -> bool:
        return self.method in ("GET", "HEAD")

    @property
    def is_push(self) -> bool:
        """Whether an owner tells of its object."""
        return not self.is_read and self.interface == InterfaceRole.RECEIVER and self.module in PUSHED


@dataclass(frozen=True, slots=True)
class Table:
    """What the decision needs to know: our parties, our hub party, who is connected or known, who may exchange."""

    own: frozenset[PartyId] = frozenset()
    hub: PartyId | None = None
    connected: frozenset[PartyId] = frozenset()
    known: frozenset[PartyId] = frozenset()
    agreements: Agreements = field(default_factory=Agreements)


def decide(asked: Asked, table: Table) -> Route:
    """The route of one request."""
    to = asked.to
    if to is None:
        return _without_receiver(asked, table)
    if to == table.hub:
        return _to_hub(asked, to)
    if table.hub is not None and to == asked.speaker:
        return _refuse(InvalidParameters(f"OCPI-to-*: {to} sends this to itself"))
    if not _agreed(asked, to, table):
        return _refuse(
            UnknownReceiver(f"OCPI-to-*: no agreement lets {asked.speaker} exchange {asked.module} with {to}")
        )
    if to in table.own:
        return Route(Kind.LOCAL, f"{to} is a party of this node", to)
    if table.hub is None:
        return _refuse(UnknownReceiver(f"{to} is not a party of this node"))
    if to in table.connected:
        return Route(Kind.DIRECT, f"{to} is connected to this hub", to)
    if to in table.known:
        return _refuse(ReceiverNotConnected(f"{to} is known to this hub, but not connected"))
    return _refuse(UnknownReceiver(f"{to} is not known to this hub"))


def _to_hub(asked: Asked, hub: PartyId) -> Route:
    if asked.is_push:
        return Route(Kind.BROADCAST, f"{asked.method} addressed to the hub {hub} is a Broadcast Push", hub)
    if not asked.is_read:
        return _refuse(
            InvalidParameters(
                f"OCPI-to-*: {asked.module} is for one party, not for the hub {hub}: name the party, "
                "or leave the headers out and the hub finds it (Open Routing)"
            )
        )
    if asked.is_list and asked.interface == InterfaceRole.SENDER:
        return Route(Kind.GET_ALL, f"GET of a list addressed to the hub {hub} is a GET All", hub)
    return Route(Kind.LOCAL, f"GET of one object addressed to the hub {hub}: what the hub holds", hub)


def _without_receiver(asked: Asked, table: Table) -> Route:
    if table.hub is None:
        if table.own and not any(_agreed(asked, party, table) for party in table.own):
            return _refuse(UnknownReceiver(f"no agreement lets {asked.speaker} exchange {asked.module} with us"))
        return Route(Kind.LOCAL, "no receiver named; this node is no hub")
    if asked.is_list and asked.is_read:
        return _refuse(
            InvalidParameters(f"a list needs a receiver: name the hub {table.hub} in OCPI-to-* for GET All, or a party")
        )
    return Route(Kind.OPEN, "no receiver named: Open Routing", table.hub)


def _agreed(asked: Asked, party: PartyId, table: Table) -> bool:
    return may_exchange(table.agreements, asked.speaker or PartyId(), party, asked.module, asked.at)


def _refuse(error: OcpiError) -> Route:
    return Route(Kind.REFUSE, error.message, error=error)
