"""What the protocol needs to know of the world, bound by dotted path in `settings.OCPI`; tests bind others.

`roaming` implements all three today: who calls (PlatformDirectory), who may register (Registrar), where a request
belongs (Gateway). `ocpi` imports neither `roaming` nor `cpo_backend`.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol, cast

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from ocpi.ids import PartyId
from ocpi.store.scope import Scope
from ocpi.transport.headers import RoutingHeaders
from ocpi.v221.common import Role
from ocpi.v221.versions import InterfaceRole, ModuleID


@dataclass(frozen=True, slots=True)
class Caller:
    """The platform that presented a valid credentials token. `roles` are its parties; the token stays out of `repr`."""

    platform_id: int
    name: str
    registered: bool
    roles: frozenset[tuple[Role, PartyId]] = frozenset()
    token: str = field(default="", repr=False, compare=False)

    # What DRF asks of a user.
    is_authenticated = True

    @property
    def parties(self) -> frozenset[PartyId]:
        return frozenset(party for _, party in self.roles)

    @property
    def is_hub(self) -> bool:
        return any(role is Role.HUB for role, _ in self.roles)


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that may be handled here: the headers of its answer, what it may see, and why it was routed so."""

    reply: RoutingHeaders
    scope: Scope
    reason: str


class PlatformDirectory(Protocol):
    """Who is connected."""

    def authenticate(self, token: str) -> Caller | None:
        """The platform that this token identifies, or None."""

    def may_write(self, caller: Caller, owner: PartyId) -> bool:
        """Whether objects of `owner` may arrive from this platform."""

    def roles(self) -> list[dict[str, Any]]:
        """The CredentialsRole documents of our own parties."""


class Registrar(Protocol):
    """The receiving half of the credentials handshake; raises OcpiError and then has changed nothing."""

    def register(self, caller: Caller, credentials: dict[str, Any]) -> str:
        """POST: returns the new credentials token for the caller."""

    def update(self, caller: Caller, credentials: dict[str, Any]) -> str:
        """PUT: returns the new credentials token for the caller."""

    def unregister(self, caller: Caller) -> None:
        """DELETE."""


class Gateway(Protocol):
    """Where a request to a functional module belongs."""

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
        """Decide the route; raises OcpiError with the specification's advice when there is none."""


@cache
def _bound(name: str) -> Any:
    return import_string(settings.OCPI[name])


def _rebind(*, setting: str, **_: Any) -> None:
    if setting == "OCPI":
        _bound.cache_clear()


setting_changed.connect(_rebind)


def directory() -> PlatformDirectory:
    return cast(PlatformDirectory, _bound("directory"))


def registrar() -> Registrar:
    return cast(Registrar, _bound("registrar"))


def gateway() -> Gateway:
    return cast(Gateway, _bound("gateway"))
