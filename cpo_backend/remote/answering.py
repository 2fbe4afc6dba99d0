"""Tells partners what became of their commands: once, in the transaction that writes down what the charger said."""

from collections.abc import Callable

from django.db import transaction

from cpo_backend.models import OcppCommand, RemoteCommand
from cpo_backend.profiles import applying
from cpo_backend.remote import outcomes, starts
from cpo_backend.remote.outcomes import Outcome
from cpo_backend.reserving import holding
from ocpi import ports
from ocpi.ports import Command
from ocpi.store.documents import Document
from ocpi.types import codec
from ocpi.v221.charging_profiles import ChargingProfileResultType

Status = OcppCommand.Status


def take(call: OcppCommand) -> None:
    """The outcome of a CALL that a partner waits for."""
    row = RemoteCommand.objects.filter(pk=call.pk).first()
    if row is None:
        return
    command = Command(row.command)
    found = outcomes.outcome(command, call.status, _status(call), call.error_code)
    with transaction.atomic():
        if follow := _FOLLOWING.get(command):
            follow(row, call, found)
        ports.commands().resolve(row.command_id, *_told(row, call, found))


def _told(row: RemoteCommand, call: OcppCommand, found: Outcome) -> tuple[str, str, Document | None]:
    """The result, words, and the ActiveChargingProfile that was asked for; without one there is no such result."""
    if row.command != Command.ACTIVE_CHARGING_PROFILE or not found.is_accepted:
        return str(found.result), found.message, None
    profile = applying.told(row, call)
    return (str(found.result), "", profile) if profile else (str(ChargingProfileResultType.REJECTED), "", None)


def _status(call: OcppCommand) -> str:
    told = codec.decode(call.result.encode()) if call.result else None
    return str(told.get("status")) if isinstance(told, dict) else ""


def _started(row: RemoteCommand, call: OcppCommand, found: Outcome) -> None:
    """A charger that does not answer may begin all the same: its start stays until nobody can wait any more."""
    if call.status != Status.TIMEOUT and row.subject_id is not None:
        starts.answered(row.subject_id, is_accepted=found.is_accepted)


_FOLLOWING: dict[Command, Callable[[RemoteCommand, OcppCommand, Outcome], None]] = {
    Command.START_SESSION: _started,
    Command.RESERVE_NOW: holding.answered,
    Command.CANCEL_RESERVATION: holding.canceled,
    Command.SET_CHARGING_PROFILE: applying.applied,
    Command.CLEAR_CHARGING_PROFILE: applying.cleared,
}
