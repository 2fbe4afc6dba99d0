"""Who should hear of which objects, and under which names.

A node sends its own Locations to every platform with a party that consumes them; a hub sends everybody's, in its own
name (§transport_and_format_message_routing_broadcast_push), but never back to the platform they came from. Sessions
and CDRs go to the eMSP whose driver charged, and to nobody else. Agreements keep from a platform the objects of owners
that none of its consuming parties may exchange the module with.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import timezone

from ocpi.ids import CONFIGURATION_MODULES, PartyId
from ocpi.store.scope import Scope
from ocpi.transport.headers import RoutingHeaders
from ocpi.v221.common import Role
from ocpi.v221.versions import InterfaceRole, ModuleID
from roaming.agreements import within
from roaming.directory import Peer, Picture

_DRIVERS = (Role.EMSP, Role.OTHER)  # OTHER counts as an eMSP type of role
_ANYBODY = tuple(Role)

# Roles on the Receiver side of a module.
CONSUMERS: dict[ModuleID, tuple[Role, ...]] = {
    ModuleID.LOCATIONS: (Role.EMSP, Role.NSP, Role.NAP, Role.OTHER, Role.SCSP),
    ModuleID.TARIFFS: (Role.EMSP, Role.NSP, Role.OTHER),
    ModuleID.TOKENS: (Role.CPO,),
    ModuleID.SESSIONS: (*_DRIVERS, Role.SCSP),
    ModuleID.CDRS: _DRIVERS,
    ModuleID.HUB_CLIENT_INFO: _ANYBODY,
}
# Roles that own a module's objects, or are commanded by it.
OWNERS: dict[ModuleID, tuple[Role, ...]] = {
    ModuleID.LOCATIONS: (Role.CPO,),
    ModuleID.TARIFFS: (Role.CPO,),
    ModuleID.TOKENS: _DRIVERS,
    ModuleID.SESSIONS: (Role.CPO,),
    ModuleID.CDRS: (Role.CPO,),
    ModuleID.HUB_CLIENT_INFO: (Role.HUB,),
    ModuleID.COMMANDS: (Role.CPO,),
    ModuleID.CHARGING_PROFILES: (Role.CPO,),
}
# Only the eMSP whose driver charged may see them, and hubs (§transport_and_format_message_routing_broadcast_push).
PRIVATE = frozenset({ModuleID.SESSIONS, ModuleID.CDRS})


def asking(picture: Picture, peer: Peer, module: ModuleID, to: PartyId | None = None) -> RoutingHeaders:
    """In whose name a module's objects are asked for, and of whom: one owner, or whoever lists them all."""
    if module in CONFIGURATION_MODULES:
        return RoutingHeaders()
    receiver = to or peer.hub_party or peer.party_in(OWNERS[module])
    return RoutingHeaders(to=receiver, from_=picture.own_party(*CONSUMERS[module]) or picture.hub_party)


@dataclass(frozen=True, slots=True)
class Audience:
    """One platform's interest in one module: where to send, which objects, in whose name."""

    url: str
    scope: Scope
    receiver: PartyId | None  # None: the eMSP whose driver charged
    sender: PartyId | None  # None: the owner of each object
    is_routed: bool = True

    def routing(self, owner: PartyId, token_owner: PartyId | None) -> RoutingHeaders:
        """The routing headers for an object of `owner`, and of the Token it is about, if any."""
        if not self.is_routed:
            return RoutingHeaders()
        return RoutingHeaders(to=self.receiver or token_owner, from_=self.sender or owner)


def clients(picture: Picture, readers: Iterable[PartyId], at: datetime) -> Scope:
    """The ClientInfos of ours for a platform of these parties: of those they may exchange something with.

    Where no agreement is required that is everybody: an agreement restricts modules, not who is known.
    """
    scope = replace(Scope.all_but([]), local=True)
    agreements = picture.table.agreements
    return within(agreements, scope, readers, None, at) if agreements.required else scope


def audience(picture: Picture, peer: Peer, module: ModuleID) -> Audience | None:
    """What this platform is sent of this module now; None when nothing."""
    url = peer.endpoint(module, InterfaceRole.RECEIVER)
    receiver = peer.hub_party or peer.party_in(CONSUMERS[module])
    if not peer.connected or url is None or receiver is None:
        return None
    if module == ModuleID.HUB_CLIENT_INFO:
        told = clients(picture, peer.parties, timezone.now())
        return Audience(url, told, receiver, picture.hub_party, is_routed=False) if picture.hub_party else None
    sender, scope = None, Scope.only(party for role, party in picture.own if role in OWNERS[module])
    if picture.hub_party is not None and peer.hub_party is None:
        sender, scope = picture.hub_party, Scope.all_but(peer.parties)
    readers = peer.parties if peer.hub_party else peer.parties_in(CONSUMERS[module])
    scope = within(picture.table.agreements, scope, readers, module, timezone.now())
    if not scope.owners and not scope.inverted:
        return None
    if module not in PRIVATE:
        return Audience(url, scope, receiver, sender)
    if peer.hub_party is None:
        scope = scope.with_tokens_of(peer.parties)
    return Audience(url, scope, None, sender)
