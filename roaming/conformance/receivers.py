"""The Receiver interfaces of a platform: asked for an object of ours that there is not."""

from ocpi.transport.headers import RoutingHeaders, new_id
from ocpi.v221.versions import ModuleID
from roaming.conformance.asking import Asker
from roaming.conformance.report import Report
from roaming.conformance.rules import Rule
from roaming.directory import Peer, Picture
from roaming.sync.audience import CONSUMERS, OWNERS

KEPT = (ModuleID.LOCATIONS, ModuleID.TARIFFS, ModuleID.TOKENS, ModuleID.SESSIONS)
"""Modules whose Receivers tell by GET what they have."""


def receiver(asker: Asker, report: Report, picture: Picture, peer: Peer, module: ModuleID, url: str) -> None:
    """An owner of ours asks for what nobody has pushed; a node without such an owner has nothing to ask."""
    owner = picture.own_party(*OWNERS[module])
    if owner is None:
        return
    routing = RoutingHeaders(to=peer.hub_party or peer.party_in(CONSUMERS[module]), from_=owner)
    missing = asker.ask(f"{url.rstrip('/')}/{owner.country_code}/{owner.party_id}/{new_id()}", None, routing)
    if missing is not None:
        report.judge(Rule.UNKNOWN_OBJECT, missing.is_missing, missing.url, missing.told)
