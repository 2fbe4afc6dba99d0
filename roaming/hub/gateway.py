"""Implements `ocpi.ports.Gateway`: checks who speaks, decides the route, and says what the request may see."""

import structlog

from ocpi.errors import HubError, InvalidParameters
from ocpi.ids import PartyId
from ocpi.ports import Admission, Caller
from ocpi.store.scope import Scope
from ocpi.transport.headers import RoutingHeaders
from ocpi.v221.versions import InterfaceRole, ModuleID
from roaming.directory import Picture, directory
from roaming.hub.routing import Asked, Kind, Route, decide
from roaming.sync.audience import OWNERS, PRIVATE

log = structlog.get_logger(__name__)


class Gateway:
    def admit(
        self,
        caller: Caller,
        method: str,
        module: ModuleID,
        interface: InterfaceRole,
        routing: RoutingHeaders,
        *,
        is_list: bool,
    ) -> Admission:
        picture = directory.picture()
        speaker = speaking(caller, routing)
        route = decide(Asked(method, module, interface, routing.to, speaker, is_list), picture.table)
        log.debug("routed", kind=route.kind.name, reason=route.reason, module=module, caller=caller.name)
        if route.error is not None:
            raise route.error
        if route.kind is Kind.DIRECT:
            raise HubError(f"{route.reason}, but this hub does not relay yet")
        return Admission(
            reply=RoutingHeaders(to=speaker, from_=route.party or _default_party(picture)),
            scope=_scope(picture, caller, route, module),
            reason=route.reason,
        )


gateway = Gateway()


def speaking(caller: Caller, routing: RoutingHeaders) -> PartyId | None:
    """The requesting party: the one in the FROM headers if the caller's platform holds it, or fronts it as a hub."""
    if routing.from_ is None:
        return min(caller.parties, default=None)
    if routing.from_ in caller.parties or caller.is_hub:
        return routing.from_
    raise InvalidParameters(f"OCPI-from-*: {routing.from_} is not a party of the calling platform")


def _default_party(picture: Picture) -> PartyId | None:
    return picture.hub_party or min(picture.own_parties, default=None)


def _scope(picture: Picture, caller: Caller, route: Route, module: ModuleID) -> Scope:
    """A hub shows everybody's objects but the caller's own; any other node shows its own, of one party if named.

    Only parties in a role that owns such objects are named: with one owner a page comes straight from an index.
    Sessions and CDRs are shown to the eMSP whose driver charged, and to hubs.
    """
    if route.party is not None and route.party == picture.hub_party:
        scope = Scope.all_but(caller.parties)
    elif route.party:
        scope = Scope.only([route.party])
    else:
        scope = Scope.only({party for role, party in picture.own if role in OWNERS.get(module, ())})
    return scope.with_tokens_of(caller.parties) if module in PRIVATE and not caller.is_hub else scope
