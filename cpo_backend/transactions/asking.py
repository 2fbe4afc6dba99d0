"""Asks a charger of OCPP 2.0.1 whether a transaction goes on, and whether it still has something to tell of it."""

from datetime import timedelta

from django.utils import timezone

from cpo_backend.billing import dues
from cpo_backend.commanding import queue
from cpo_backend.models import Charger, OcppCommand, Transaction
from cpo_backend.transactions import lost
from ocpi.types import codec

TIMEOUT = 20.0


def ask(transaction: Transaction) -> None:
    """Ask after the commit, if the charger is connected."""
    request = {"transactionId": transaction.told_id}
    purpose = OcppCommand.Purpose.TRANSACTION
    queue.put(transaction.charger, "GetTransactionStatus", request, purpose=purpose, timeout=TIMEOUT)
    transaction.asked_at = timezone.now()
    transaction.save(update_fields=["asked_at"])


def take(command: OcppCommand) -> None:
    """The outcome. What goes on no more has ended; where nothing more will come, nothing more is waited for."""
    if command.status != OcppCommand.Status.OK:
        return
    Charger.objects.select_for_update().get(pk=command.charger_id)
    asked, told = codec.decode(command.payload.encode()), codec.decode(command.result.encode())
    found = Transaction.objects.filter(charger_id=command.charger_id, told_id=asked.get("transactionId")).first()
    if found is None:
        return
    if found.is_open and told.get("ongoingIndicator") is False:
        lost.close(found, lost.DENIED)
    elif not found.is_open and told.get("messagesInQueue") is False:
        dues.ended(found, timedelta(0))
