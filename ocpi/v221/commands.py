"""Commands and their answers, now and later (§mod_commands_commands_module)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import auto

from ocpi.types.scalars import Broken, CiString36, DateTime, Members, OpenEnum, Url, Wire
from ocpi.v221.common import DisplayText
from ocpi.v221.tokens import Token


class StartSession(Wire):
    """Starts a session with a Token the eMSP has authorized (§mod_commands_startsession_object)."""

    response_url: Url
    token: Token
    location_id: CiString36
    evse_uid: CiString36 | None = None
    connector_id: CiString36 | None = None
    authorization_reference: CiString36 | None = None

    @staticmethod
    def rules(members: Members) -> Iterator[Broken]:
        if members.get("connector_id") is not None and members.get("evse_uid") is None:
            yield Broken("/evse_uid", "is required when connector_id is set", fatal=True)


class StopSession(Wire):
    """Stops a session (§mod_commands_stopsession_object)."""

    response_url: Url
    session_id: CiString36


class ReserveNow(Wire):
    """Reserves an EVSE; the same id replaces the reservation (§mod_commands_reservenow_object)."""

    response_url: Url
    token: Token
    expiry_date: DateTime
    reservation_id: CiString36
    location_id: CiString36
    evse_uid: CiString36 | None = None
    authorization_reference: CiString36 | None = None


class CancelReservation(Wire):
    """Ends a reservation (§mod_commands_cancelreservation_object)."""

    response_url: Url
    reservation_id: CiString36


class UnlockConnector(Wire):
    """Releases a stuck plug (§mod_commands_unlockconnector_object)."""

    response_url: Url
    location_id: CiString36
    evse_uid: CiString36
    connector_id: CiString36


class CommandResponse(Wire):
    """The CPO's answer now: whether the command is on its way (§mod_commands_commandresponse_object)."""

    result: CommandResponseType
    timeout: int
    message: list[DisplayText] | DisplayText | None = None  # E29: peers send a single one


class CommandResult(Wire):
    """The Charge Point's answer later, to `response_url` (§mod_commands_commandresult_object)."""

    result: CommandResultType
    message: list[DisplayText] | DisplayText | None = None  # E29: peers send a single one


class CommandType(OpenEnum):
    """The command, as named in the URL (§mod_commands_commandtype_enum)."""

    CANCEL_RESERVATION = auto()
    RESERVE_NOW = auto()
    START_SESSION = auto()
    STOP_SESSION = auto()
    UNLOCK_CONNECTOR = auto()


class CommandResponseType(OpenEnum):
    """Outcomes a CommandResponse knows (§mod_commands_commandresponsetype_enum)."""

    NOT_SUPPORTED = auto()
    REJECTED = auto()
    ACCEPTED = auto()
    UNKNOWN_SESSION = auto()


class CommandResultType(OpenEnum):
    """Outcomes a CommandResult knows (§mod_commands_commandresulttype_enum)."""

    ACCEPTED = auto()
    CANCELED_RESERVATION = auto()
    EVSE_OCCUPIED = auto()
    EVSE_INOPERATIVE = auto()
    FAILED = auto()
    NOT_SUPPORTED = auto()
    REJECTED = auto()
    TIMEOUT = auto()
    UNKNOWN_RESERVATION = auto()
