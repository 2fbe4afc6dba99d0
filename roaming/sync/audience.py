"""Who should hear of which objects, and under which names.

A node sends its own Locations to every platform with a party that consumes them; a hub sends everybody's, in its own
name (§transport_and_format_message_routing_broadcast_push), but never back to the platform they came from.
"""

from dataclasses import dataclass

from ocpi.ids import PartyId
from ocpi.store.scope import Scope
from ocpi.transport.headers import RoutingHeaders
from ocpi.v221.common import Role
from ocpi.v221.versions import InterfaceRole, ModuleID
from roaming.directory import Peer, Picture

# Roles on the Receiver side of a module. OTHER counts as an eMSP type of role.
CONSUMERS: dict[ModuleID, tuple[Role, ...]] = {
    ModuleID.LOCATIONS: (Role.EMSP, Role.NSP, Role.NAP, Role.OTHER, Role.SCSP),
}
# Roles that own a module's objects.
OWNERS: dict[ModuleID, tuple[Role, ...]] = {ModuleID.LOCATIONS: (Role.CPO,)}


@dataclass(frozen=True, slots=True)
class Audience:
    """One platform's interest in one module: where to send, which objects, in whose name."""

    url: str
    scope: Scope
    receiver: PartyId
    sender: PartyId | None  # None: the owner of each object

    def routing(self, owner: PartyId) -> RoutingHeaders:
        return RoutingHeaders(to=self.receiver, from_=self.sender or owner)


def audience(picture: Picture, peer: Peer, module: ModuleID) -> Audience | None:
    """What this platform is sent of this module; None when nothing."""
    url = peer.endpoint(module, InterfaceRole.RECEIVER)
    receiver = peer.hub_party or peer.party_in(CONSUMERS[module])
    if not peer.connected or url is None or receiver is None:
        return None
    if picture.hub_party is not None and peer.hub_party is None:
        return Audience(url, Scope.all_but(peer.parties), receiver, picture.hub_party)
    owned = [party for role, party in picture.own if role in OWNERS[module]]
    return Audience(url, Scope.only(owned), receiver, None) if owned else None
