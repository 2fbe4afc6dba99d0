"""Asks a charger what its charging profiles come to."""

from cpo_backend.commanding import queue
from cpo_backend.models import OcppCommand, Transaction
from ocpi.store.documents import Document

# How far ahead partners are told what applies: seconds (5 to 60 minutes: §mod_charging_profiles_module).
AHEAD = 1800
_PURPOSE = OcppCommand.Purpose.PROFILE


def request(transaction: Transaction, seconds: int) -> Document:
    """The payload of GetCompositeSchedule."""
    number = "connectorId" if transaction.charger.version == "1.6" else "evseId"
    return {number: transaction.number, "duration": seconds}


def ask(transaction: Transaction) -> None:
    """What applies now may have changed: whoever set the profile is told."""
    queue.put(transaction.charger, "GetCompositeSchedule", request(transaction, AHEAD), purpose=_PURPOSE)
