"""What the outcome of a CALL means for the partner who asked for it. Pure (notes 7)."""

from collections.abc import Mapping
from typing import NamedTuple

from cpo_backend.models import OcppCommand
from ocpi.ports import Command
from ocpi.v221.charging_profiles import ChargingProfileResultType as Profile
from ocpi.v221.commands import CommandResultType as Result

Status = OcppCommand.Status

_ANSWERS: dict[Command, Mapping[str, Result | Profile]] = {
    Command.START_SESSION: {"Accepted": Result.ACCEPTED},
    Command.STOP_SESSION: {"Accepted": Result.ACCEPTED},
    Command.UNLOCK_CONNECTOR: {
        "Unlocked": Result.ACCEPTED,
        "UnlockFailed": Result.FAILED,
        "NotSupported": Result.NOT_SUPPORTED,
    },
    Command.RESERVE_NOW: {
        "Accepted": Result.ACCEPTED,
        "Occupied": Result.EVSE_OCCUPIED,
        "Faulted": Result.EVSE_INOPERATIVE,
        "Unavailable": Result.EVSE_INOPERATIVE,
    },
    Command.CANCEL_RESERVATION: {"Accepted": Result.ACCEPTED, "Rejected": Result.UNKNOWN_RESERVATION},
    Command.SET_CHARGING_PROFILE: {"Accepted": Profile.ACCEPTED},
    Command.CLEAR_CHARGING_PROFILE: {"Accepted": Profile.ACCEPTED, "Unknown": Profile.UNKNOWN},
    Command.ACTIVE_CHARGING_PROFILE: {"Accepted": Profile.ACCEPTED},
}
_PROFILES = frozenset({Command.SET_CHARGING_PROFILE, Command.CLEAR_CHARGING_PROFILE, Command.ACTIVE_CHARGING_PROFILE})
# What both versions call what they cannot do.
_CANNOT = frozenset({"NotSupported", "NotImplemented"})


class Outcome(NamedTuple):
    """The result as OCPI names it, and words for whoever reads it."""

    result: Result | Profile
    message: str = ""

    @property
    def is_accepted(self) -> bool:
        return self.result == Result.ACCEPTED


def outcome(command: Command, status: str, answer: str = "", error_code: str = "") -> Outcome:
    """The result of a command by the status of its CALL, the charger's answer and the code of its error."""
    if status == Status.OK:
        known = _ANSWERS[command].get(answer)
        return Outcome(known, "" if known == Result.ACCEPTED else _said(answer)) if known else _rejected(answer)
    if status == Status.TIMEOUT:
        return Outcome(_or_rejected(command, Result.TIMEOUT), "the charge point did not answer in time")
    if status == Status.OFFLINE:
        return Outcome(_or_rejected(command, Result.FAILED), "the charge point is not connected")
    result = Result.NOT_SUPPORTED if error_code in _CANNOT else Result.FAILED
    return Outcome(_or_rejected(command, result), f"the charge point answered with the error {error_code}")


def _said(answer: str) -> str:
    return f"the charge point answered {answer}"


def _rejected(answer: str) -> Outcome:
    return Outcome(Result.REJECTED, _said(answer))


def _or_rejected(command: Command, result: Result) -> Result | Profile:
    """Charging profiles know no reasons (§mod_charging_profiles_resulttype_enum)."""
    return Profile.REJECTED if command in _PROFILES else result
