"""What the protocol needs to know of the world, bound by dotted path in `settings.OCPI`; tests bind others.

`roaming` implements who calls (PlatformDirectory), who may register (Registrar), where a request belongs (Gateway),
what becomes of commands (Commands), who may charge (Authorizer) and what is remembered of every request (ExchangeLog);
`cpo_backend` what charge points do (ChargePoints). `ocpi` imports neither.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto
from functools import cache
from typing import Any, Protocol, cast

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from ocpi.ids import PartyId
from ocpi.store.documents import Document
from ocpi.store.scope import Scope
from ocpi.store.tokens import Terms
from ocpi.transport.headers import RoutingHeaders
from ocpi.transport.transcripts import Transcript
from ocpi.v221.charging_profiles import ChargingProfileResponseType
from ocpi.v221.commands import CommandResponseType
from ocpi.v221.common import Role, TokenType
from ocpi.v221.sessions import ChargingPreferencesResponse
from ocpi.v221.tokens import AllowedType
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
    """A request that may be handled here: the headers of its answer, what it may see, its route and why."""

    reply: RoutingHeaders
    scope: Scope
    route: str
    reason: str


class PlatformDirectory(Protocol):
    """Who is connected."""

    def caller(self, header: str) -> Caller | None:
        """The platform that the token in an Authorization header identifies, or None."""

    def remembered(self, header: str) -> Caller | None:
        """The same without the database; None also when that would have to be asked."""

    def may_write(self, caller: Caller, owner: PartyId) -> bool:
        """Whether objects of `owner` may arrive from this platform."""

    def roles(self) -> list[dict[str, Any]]:
        """The CredentialsRole documents of our own parties."""

    def business_details(self, party: PartyId, role: Role) -> Document:
        """The BusinessDetails in the credentials of a party, ours or connected; empty when we do not know it."""


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

    def clients(self, caller: Caller) -> Scope:
        """Which of our ClientInfos the caller may see; HubClientInfo is not routed."""


class Command(StrEnum):
    """What another party can ask of a charge point: the five of Commands, and the three of ChargingProfiles."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:
        return name

    CANCEL_RESERVATION = auto()
    RESERVE_NOW = auto()
    START_SESSION = auto()
    STOP_SESSION = auto()
    UNLOCK_CONNECTOR = auto()
    ACTIVE_CHARGING_PROFILE = auto()
    SET_CHARGING_PROFILE = auto()
    CLEAR_CHARGING_PROFILE = auto()


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command for a charge point of one of our parties, well-formed, with the objects of ours that it is about.

    `document` is the body, or the parameters of a GET or DELETE; with `session_id` where that is in the URL.
    """

    command: Command
    party: PartyId
    commander: PartyId
    document: Document
    location: Document | None = None
    evse: Document | None = None
    session: Document | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer now. Of an accepted command, `timeout` says how many seconds its charge point may take."""

    result: CommandResponseType | ChargingProfileResponseType
    timeout: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent a command, under which correlation id, and where its result goes."""

    platform_id: int
    correlation_id: str
    response_url: str


class ChargePoints(Protocol):
    """The charge points of our own parties."""

    def command(self, command_id: int, request: CommandRequest) -> Verdict:
        """Whether the command is on its way. Called inside the transaction that writes the command down.

        Nothing may go out before that commits. Who answers ACCEPTED calls `commands().resolve(command_id, …)` when the
        charge point has answered; when it does not in time, that is done with TIMEOUT.
        """

    def charging_preferences(
        self, owner: PartyId, session: Document, preferences: Document
    ) -> ChargingPreferencesResponse:
        """The answer to a driver's preferences for a Session that goes on at an EVSE of ours with that capability."""


class Commands(Protocol):
    """Commands in both directions, written down, each with one result."""

    def receive(self, request: CommandRequest, origin: Origin, verdict: Verdict | None) -> Verdict:
        """Write down a command for us and give the answer: `verdict`, or what the charge points say.

        The answer's `timeout` is within how many seconds the result will be sent.
        """

    def resolve(self, command_id: int, result: str, message: str = "", profile: Document | None = None) -> bool:
        """Store the result of a command we accepted and send it to its response_url; False when it has one already.

        CANCELED_RESERVATION may follow an ACCEPTED ReserveNow. `profile` is the ActiveChargingProfile asked for.
        """

    def push_active_profile(self, owner: PartyId, session_id: str, profile: Document) -> int:
        """Tell those who have set a profile on a Session of ours what applies now; returns how many there are."""

    def take_result(self, platform_id: int, command: Command, uid: str, document: Document) -> None:
        """Store what came to a response_url of ours; raises NotFound when this platform was not sent that command."""

    def take_active_profile(
        self, platform_id: int, speaker: PartyId | None, session_id: str, profile: Document
    ) -> bool:
        """Store what applies to a Session that this platform sent us; True when it is the first we hear.

        Raises NotFound for any other Session. `speaker` tells Sessions of several parties of a hub apart.
        """


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A CPO's question about a Token of ours; `place` is its LocationReferences."""

    owner: PartyId
    token: Document
    terms: Terms
    platform_id: int
    cpo: PartyId | None
    correlation_id: str
    place: Document | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a Token may charge, where that comes from, and why in words that staff understand.

    `emsp` owns the Token, `token` is its document; both are None when nobody knows it. `place` is what of the
    LocationReferences asked about is allowed, `info` the eMSP's DisplayText for the driver.
    """

    allowed: AllowedType
    source: str
    reason: str
    emsp: PartyId | None = None
    token: Document | None = None
    reference: str = ""
    place: Document | None = None
    info: Document | None = None
    milliseconds: int = 0


@dataclass(frozen=True, slots=True)
class OfflineToken:
    """A card that may charge while nobody can be asked. `places`: ids of Locations, lower case; None: everywhere."""

    uid: str
    group_id: str | None = None
    expires_at: datetime | None = None
    places: frozenset[str] | None = None


class Authorizer(Protocol):
    """Who may charge. Every decision is stored with its reason."""

    def answer(self, request: AuthorizationRequest) -> Document:
        """As the eMSP: the AuthorizationInfo for a CPO."""

    def decide(
        self, cpo: PartyId, uid: str, type: TokenType = TokenType.RFID, place: Document | None = None
    ) -> Decision:
        """As the CPO: whether this Token may charge with `cpo`, a party of ours, at `place` (LocationReferences).

        Never raises for what partners do; may wait for an eMSP as long as NODE_AUTHORIZE_TIMEOUT says.
        """

    def offline(self, cpo: PartyId, most: int) -> list[OfflineToken]:
        """As the CPO: the cards that may charge with `cpo` unasked; those that matter most come first."""


class ExchangeLog(Protocol):
    """What went in and out, for staff."""

    def note(self, transcript: Transcript) -> None:
        """Keep a request and its answer. On the path of every message: never waits, never raises."""


@cache
def _bound(name: str) -> Any:
    return import_string(settings.OCPI[name])


def _rebind(*, setting: str, **_: Any) -> None:
    if setting == "OCPI":
        _bound.cache_clear()


setting_changed.connect(_rebind)


def directory() -> PlatformDirectory:
    return cast(PlatformDirectory, _bound("directory"))


def is_hub() -> bool:
    """Whether one of our own parties is a hub."""
    return any(role["role"] == Role.HUB for role in directory().roles())


def registrar() -> Registrar:
    return cast(Registrar, _bound("registrar"))


def gateway() -> Gateway:
    return cast(Gateway, _bound("gateway"))


def charge_points() -> ChargePoints:
    return cast(ChargePoints, _bound("charge_points"))


def authorizer() -> Authorizer:
    return cast(Authorizer, _bound("authorizer"))


def commands() -> Commands:
    return cast(Commands, _bound("commands"))


def exchange_log() -> ExchangeLog:
    return cast(ExchangeLog, _bound("exchange_log"))
