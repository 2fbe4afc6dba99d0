"""Through which platform a party is reached: its own, or a hub that it is behind."""

from ocpi.ids import PartyId
from ocpi.models import ClientInfo
from ocpi.v221.common import Role
from roaming.directory import Peer, Picture


def reach(picture: Picture, party: PartyId, role: Role, through: int | None = None) -> Peer | None:
    """The connected platform of a party, or a connected hub that it is behind in this role; None when there is none.

    `through` is the platform an object of the party came from: the first hub to try. A party that has a platform of
    its own is reached there or not at all.
    """
    direct = picture.platform_of(party)
    if direct is not None:
        return direct if direct.connected else None
    told = ClientInfo.objects.filter(owner=party, role=role).order_by("pk").values_list("source", flat=True)
    peers = (picture.peers.get(platform or 0) for platform in (through, *told))
    return next((peer for peer in peers if peer and peer.connected and peer.hub_party), None)
