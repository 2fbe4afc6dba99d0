"""Stops of OCPP 1.6 whose transaction cannot be made out: parked, until a person assigns or dismisses them."""

from django.db import transaction as database
from django.utils import timezone

from cpo_backend.alarms import sounding
from cpo_backend.models import Alarm, Charger, OrphanStop, Transaction
from cpo_backend.ocpp.wire.v16.actions import FROM_CHARGER
from cpo_backend.transactions import readings, stopping
from cpo_backend.transactions.facts import Arrival, Stop


class Unassignable(ValueError):
    """Why a stop cannot be assigned, in words."""


@database.atomic
def assign(orphan: OrphanStop, transaction_id: int, by: str) -> None:
    """Staff say whose stop it is; raises Unassignable."""
    charger = Charger.objects.select_for_update().get(pk=orphan.charger_id)
    found = Transaction.objects.filter(pk=transaction_id, charger=charger, told_id=None).first()
    if found is None:
        raise Unassignable(f"{charger} has no transaction {transaction_id}")
    if found.closed_by == Transaction.ClosedBy.CHARGER:
        raise Unassignable(f"transaction {transaction_id} has a stop of its own")
    _settle(orphan, by, found)
    request = FROM_CHARGER["StopTransaction"].read_request(orphan.payload.encode())
    arrival = Arrival(charger.pk, "StopTransaction", orphan.payload, orphan.received_at)
    stopping.take(found, charger, arrival, Stop.of(request), readings.of_v16(request.transactionData or ()))


@database.atomic
def dismiss(orphan: OrphanStop, by: str) -> None:
    """Staff say that it is nobody's; raises Unassignable."""
    _settle(orphan, by, None)


def _settle(orphan: OrphanStop, by: str, found: Transaction | None) -> None:
    settled = {"settled_at": timezone.now(), "settled_by": by[:150], "transaction": found}
    if not OrphanStop.objects.filter(pk=orphan.pk, settled_at=None).update(**settled):
        raise Unassignable("it was settled before")
    sounding.clear(orphan.charger_id, Alarm.Kind.ORPHAN_STOP, subject=orphan.told_id)
