"""Implements `ocpi.ports.Gateway`: checks who speaks, decides the route, and says what the request may see."""

from datetime import UTC, datetime

from django.utils import timezone

from ocpi.errors import HubError, InvalidParameters
from ocpi.ids import PartyId
from ocpi.ports import Admission, Caller
from ocpi.store.scope import Scope
from ocpi.transport.headers import RoutingHeaders
from ocpi.v221.common import Role
from ocpi.v221.versions import InterfaceRole, ModuleID
from roaming.agreements import next_change, within
from roaming.directory import Picture, directory
from roaming.hub.routing import Asked, Kind, Route, decide
from roaming.sync.audience import CONSUMERS, OWNERS, PRIVATE, clients


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
        picture, now = directory.picture(), datetime.now(UTC)
        kind = (Admission, caller.roles, method, module, interface, routing, is_list)
        admission: Admission | None = picture.memory.known(kind, now.timestamp())
        if admission is None:
            asked = Asked(method, module, interface, routing.to, speaking(caller, routing), is_list, now)
            readers = _readers(caller, routing)
            admission = _admission(picture, caller, readers, asked)
            picture.memory.keep(kind, admission, next_change(picture.table.agreements, readers, now))
        return admission

    def clients(self, caller: Caller) -> Scope:
        return clients(directory.picture(), caller.parties, timezone.now())


gateway = Gateway()


def _admission(picture: Picture, caller: Caller, readers: frozenset[PartyId], asked: Asked) -> Admission:
    route = decide(asked, picture.table)
    if route.error is not None:
        raise route.error
    if route.kind is Kind.DIRECT:
        raise HubError(f"{route.reason}, but this process has no relay in front of it (config/asgi.py)")
    return Admission(
        reply=RoutingHeaders(to=asked.speaker, from_=route.party or _default_party(picture)),
        scope=_scope(picture, caller, readers, route, asked),
        route=route.kind.name,
        reason=route.reason,
    )


def speaking(caller: Caller, routing: RoutingHeaders) -> PartyId | None:
    """The requesting party: the one in the FROM headers if the caller's platform holds it, or fronts it as a hub."""
    if routing.from_ is None:
        return min(caller.parties, default=None)
    if routing.from_ in caller.parties or caller.is_hub:
        return routing.from_
    raise InvalidParameters(f"OCPI-from-*: {routing.from_} is not a party of the calling platform")


def _default_party(picture: Picture) -> PartyId | None:
    return picture.hub_party or min(picture.own_parties, default=None)


def _readers(caller: Caller, routing: RoutingHeaders) -> frozenset[PartyId]:
    """Who reads: the party that the FROM headers name, or else any of the caller's."""
    return caller.parties if routing.from_ is None else frozenset({routing.from_})


def _scope(picture: Picture, caller: Caller, readers: frozenset[PartyId], route: Route, asked: Asked) -> Scope:
    """A hub shows everybody's objects but the caller's own; any other node shows its own, of one party if named.

    A hub shows a module to readers in a role that consumes it, and to hubs, whose readers it does not know; nobody is
    shown objects of an owner without the agreement it takes. Of our own only parties in a role that owns such objects
    are named: with one owner a page comes straight from an index. Sessions and CDRs are shown to the eMSP whose driver
    charged, and to hubs.
    """
    module = ModuleID(asked.module)
    if route.party is None:
        scope = Scope.only({party for role, party in picture.own if role in OWNERS.get(module, ())})
    elif route.party != picture.hub_party:
        scope = Scope.only([route.party])
    elif _consumes(caller, readers, module):
        scope = Scope.all_but(caller.parties)
    else:
        scope = Scope.only([])
    scope = within(picture.table.agreements, scope, readers, module, asked.at)
    return scope.with_tokens_of(caller.parties) if module in PRIVATE and not caller.is_hub else scope


def _consumes(caller: Caller, readers: frozenset[PartyId], module: ModuleID) -> bool:
    consumers = CONSUMERS.get(module)
    return consumers is None or any(
        role is Role.HUB or (role in consumers and party in readers) for role, party in caller.roles
    )
