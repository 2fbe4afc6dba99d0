"""Who is connected: an immutable picture of platforms, tokens, endpoints and parties, kept in memory.

Every process holds one picture and swaps it whole when `DirectoryVersion` says that something changed: at once in the
process that made the change, within a second elsewhere, and before a token is called unknown. Requests read it
without touching the database.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from ocpi.client.messages import Presented
from ocpi.ids import PartyId
from ocpi.ports import Caller
from ocpi.transport import authorization
from ocpi.v221.common import Role
from ocpi.v221.versions import InterfaceRole
from roaming import agreements, events, secrets
from roaming.hub.memory import Memory
from roaming.hub.routing import Table
from roaming.models import CredentialsToken, DirectoryVersion, Endpoint, Party, Platform

RECHECK_SECONDS = 1.0
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Peer:
    """A platform as the routing and delivery code sees it."""

    id: int
    name: str
    connected: bool
    roles: frozenset[tuple[Role, PartyId]]
    endpoints: dict[tuple[str, str], str]
    presented: Presented = field(default_factory=lambda: Presented(""))
    offline_since: datetime | None = None  # by roaming/breaker.py
    bases: tuple[tuple[str, str, str], ...] = field(init=False, repr=False, compare=False)
    """What URLs begin with, longest first, and the module and interface it is of."""

    def __post_init__(self) -> None:
        bases = ((url.rstrip("/"), module, str(role)) for (module, role), url in self.endpoints.items())
        object.__setattr__(self, "bases", tuple(sorted(bases, key=lambda base: -len(base[0]))))

    @property
    def is_usable(self) -> bool:
        """Whether it may be called: connected, and not OFFLINE."""
        return self.connected and self.offline_since is None

    @property
    def parties(self) -> frozenset[PartyId]:
        return frozenset(party for _, party in self.roles)

    @property
    def hub_party(self) -> PartyId | None:
        return next((party for role, party in sorted(self.roles) if role == Role.HUB), None)

    def party_in(self, roles: Iterable[Role]) -> PartyId | None:
        """The platform's first party in one of these roles."""
        return next((party for role, party in sorted(self.roles) if role in set(roles)), None)

    def parties_in(self, roles: Iterable[Role]) -> frozenset[PartyId]:
        """The platform's parties in any of these roles."""
        return frozenset(party for role, party in self.roles if role in set(roles))

    def endpoint(self, module: str, interface: InterfaceRole) -> str | None:
        return self.endpoints.get((module, interface))


@dataclass(frozen=True, slots=True)
class _Key:
    """What a token opens."""

    caller: Caller
    token_id: int
    unused: bool
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything at one version; never changed, only replaced."""

    version: int = 0
    keys: dict[str, _Key] = field(default_factory=dict)
    peers: dict[int, Peer] = field(default_factory=dict)
    own: frozenset[tuple[Role, PartyId]] = frozenset()
    own_roles: tuple[dict[str, Any], ...] = ()
    table: Table = field(default_factory=Table)
    seats: dict[PartyId, tuple[int, ...]] = field(default_factory=dict)  # where a party is
    callers: dict[str, Caller] = field(default_factory=dict, repr=False)
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)

    @property
    def own_parties(self) -> frozenset[PartyId]:
        return self.table.own

    @property
    def hub_party(self) -> PartyId | None:
        """Our own party in the HUB role, if this node is a hub."""
        return self.table.hub

    def caller(self, header: str) -> Caller | None:
        """Who calls, by an Authorization header whose token is in use for good; of any other the database is asked.

        Remembered by header: to hash a token would cost a relayed message as much as all other decisions about it.
        """
        if known := self.callers.get(header):
            return known
        for token in authorization.decode(header):
            for digest in secrets.digests(token):
                key = self.keys.get(digest)
                if key and not key.unused and key.expires_at is None:
                    caller = replace(key.caller, token=token)
                    if len(self.callers) < _REMEMBERED:  # one token can be written in several ways
                        self.callers[header] = caller
                    return caller
        return None

    def own_party(self, *roles: Role) -> PartyId | None:
        return next((party for role, party in sorted(self.own) if role in roles), None)

    def platform_of(self, party: PartyId) -> Peer | None:
        return next(self.platforms_of(party), None)

    def platforms_of(self, party: PartyId) -> Iterator[Peer]:
        """All platforms that a party is on: in several roles it may be on several."""
        return (self.peers[platform] for platform in self.seats.get(party, ()))


def _read(version: int) -> Picture:
    roles: dict[int | None, set[tuple[Role, PartyId]]] = {}
    own_roles = []
    for row in Party.objects.order_by("id"):
        party = PartyId(row.party)
        roles.setdefault(row.platform_id, set()).add((Role(row.role), party))
        if row.platform_id is None:
            own_roles.append(
                {
                    "role": row.role,
                    "business_details": row.business_details or {"name": row.name},
                    "party_id": party.party_id,
                    "country_code": party.country_code,
                }
            )
    endpoints: dict[int, dict[tuple[str, str], str]] = {}
    for endpoint in Endpoint.objects.all():
        endpoints.setdefault(endpoint.platform_id, {})[endpoint.module, endpoint.role] = endpoint.url
    peers = {
        platform.pk: Peer(
            platform.pk,
            platform.name,
            platform.state == Platform.State.CONNECTED,
            frozenset(roles.get(platform.pk, ())),
            endpoints.get(platform.pk, {}),
            platform.presented,
            platform.offline_since,
        )
        for platform in Platform.objects.all()
    }
    own = frozenset(roles.get(None, ()))
    seats: dict[PartyId, tuple[int, ...]] = {}
    for peer in peers.values():
        for party in peer.parties:
            seats[party] = (*seats.get(party, ()), peer.id)
    return Picture(version, _keys(peers), peers, own, tuple(own_roles), _table(own, peers), seats)


def _keys(peers: dict[int, Peer]) -> dict[str, _Key]:
    """What each token opens, by its digest; a suspended platform's opens nothing."""
    keys = {}
    for token in CredentialsToken.objects.exclude(platform__state=Platform.State.SUSPENDED):
        peer = peers[token.platform_id]
        registered = token.kind == CredentialsToken.Kind.INBOUND
        caller = Caller(peer.id, peer.name, registered=registered, roles=peer.roles)
        keys[token.digest] = _Key(caller, token.pk, token.used_at is None, token.expires_at)
    return keys


def _table(own: frozenset[tuple[Role, PartyId]], peers: dict[int, Peer]) -> Table:
    """What the routing decision needs to know."""
    return Table(
        own=frozenset(party for _, party in own),
        hub=next((party for role, party in sorted(own) if role == Role.HUB), None),
        connected=frozenset(party for peer in peers.values() if peer.connected for party in peer.parties),
        known=frozenset(party for peer in peers.values() for party in peer.parties),
        agreements=agreements.read(),
    )


class Directory:
    """Implements `ocpi.ports.PlatformDirectory`, and gives the rest of `roaming` its picture."""

    def __init__(self) -> None:
        self.known = Picture()
        """The picture as it is, however old; `is_stale` says whether somebody should ask for a newer one."""
        self._checked_at = 0.0
        self._lock = threading.Lock()

    @property
    def is_stale(self) -> bool:
        return time.monotonic() - self._checked_at > RECHECK_SECONDS

    def picture(self, *, fresh: bool = False) -> Picture:
        """The current picture; `fresh` asks the database for its version first, as does the passing of a second."""
        if fresh or self.is_stale:
            self._check()
        return self.known

    def _check(self) -> None:
        with self._lock:
            version = DirectoryVersion.objects.values_list("value", flat=True).first() or 0
            if version != self.known.version or not version:
                self.known = _read(version)
            # Inside a transaction we may have read what others must not see yet, so the next reader looks again.
            self._checked_at = 0.0 if connection.in_atomic_block else time.monotonic()

    def forget(self) -> None:
        """Know nothing again, for a database that was exchanged behind our back (between two tests)."""
        with self._lock:
            self.known, self._checked_at = Picture(), 0.0

    def caller(self, header: str) -> Caller | None:
        if known := self.picture().caller(header):
            return known
        return next(filter(None, map(self.authenticate, authorization.decode(header))), None)

    def remembered(self, header: str) -> Caller | None:
        return None if self.is_stale else self.known.caller(header)

    def authenticate(self, token: str) -> Caller | None:
        """The platform that a token identifies, in use or not yet; its first use is noted."""
        digests = secrets.digests(token)
        for fresh in (False, True):
            keys = self.picture(fresh=fresh).keys
            key = next((keys[digest] for digest in digests if digest in keys), None)
            if key is not None and (key.expires_at is None or key.expires_at > timezone.now()):
                if key.unused:
                    first_use(key.token_id)
                return replace(key.caller, token=token)
        return None

    def may_write(self, caller: Caller, owner: PartyId) -> bool:
        """A platform writes for its own parties; a hub also for parties that neither we nor other platforms hold."""
        if owner in caller.parties:
            return True
        picture = self.picture()
        return caller.is_hub and owner not in picture.own_parties and picture.platform_of(owner) is None

    def roles(self) -> list[dict[str, Any]]:
        return list(self.picture().own_roles)

    def business_details(self, party: PartyId, role: Role) -> dict[str, Any]:
        found = Party.objects.filter(party=party, role=role).values_list("business_details", flat=True)
        return next(iter(found), {})


directory = Directory()


def changed() -> None:
    """Tell every process, this one first, that platforms, tokens, endpoints or parties have changed."""
    if not DirectoryVersion.objects.update(value=models.F("value") + 1):
        DirectoryVersion.objects.get_or_create(pk=1)
    transaction.on_commit(lambda: directory.picture(fresh=True) and None)
    # What others make of it does not fail what was done.
    transaction.on_commit(lambda: events.directory_changed.send(sender=Directory) and None, robust=True)


@transaction.atomic
def first_use(token_id: int) -> None:
    """The first use of a token ends the validity of the platform's older ones (docs/decisions.md, rotation)."""
    token = CredentialsToken.objects.select_for_update().filter(pk=token_id, used_at=None).first()
    if token is None:
        return
    token.used_at = timezone.now()
    token.save(update_fields=["used_at"])
    if token.kind == CredentialsToken.Kind.INBOUND:
        token.platform.tokens.exclude(pk=token_id).filter(created_at__lte=token.created_at).delete()
    changed()
