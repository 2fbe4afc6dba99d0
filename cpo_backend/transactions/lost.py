"""Ends transactions whose stop never came: their end is the last that is known of them (`accounts`), also what comes
to be known later. A real stop corrects it.
"""

from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.conf import settings
from django.db import transaction as database
from django.utils import timezone

from cpo_backend.alarms import sounding
from cpo_backend.billing import dues
from cpo_backend.models import Alarm, Charger, MeterSample, Transaction
from cpo_backend.power import waking
from cpo_backend.status import publishing
from cpo_backend.transactions.readings import REGISTER

log = structlog.get_logger(__name__)

STUCK = timedelta(hours=48)
NEXT, FREE, DENIED = "another one began at its connector", "its connector is free", "the charger does not have it"


def close(transaction: Transaction, why: str, register: Decimal | None = None) -> None:
    """End an open transaction; the caller holds the charger's lock.

    `register` is what the meter shows as the next transaction begins: up to there this one has charged, if the
    register goes on from its last reading.
    """
    last = _last_register(transaction)
    known = last if last is not None else transaction.meter_start
    is_continued = register is not None and known is not None and register >= known
    transaction.meter_stop = register if is_continued else None
    transaction.stop_received_at = transaction.heard_at
    end(transaction, Transaction.ClosedBy.SYSTEM, why)


def end(transaction: Transaction, by: Transaction.ClosedBy, why: str = "", patience: timedelta | None = None) -> None:
    """Write down that it is over, and that its CDR is due."""
    transaction.closed_by, transaction.closed_at, transaction.closed_why = by, timezone.now(), why
    transaction.free_since = None
    transaction.save()
    dues.ended(transaction, patience)
    sounding.clear(transaction.charger_id, Alarm.Kind.TRANSACTION, subject=transaction.ocpp_id)
    waking.after_commit([transaction.charger_id])
    if by is Transaction.ClosedBy.SYSTEM:
        log.warning("a stop is lost", charger_id=transaction.charger_id, transaction=transaction.ocpp_id, why=why)


def make_room(charger: Charger, number: int, began_at: datetime, register: Decimal | None) -> bool:
    """Before a transaction begins at a connector: end the one that is open there, whose stop was lost.

    False when that one began later: then it is the new one whose stop was lost. The caller holds the charger's lock.
    """
    there = Transaction.objects.filter(charger=charger, number=number, closed_by="").first()
    if there is None:
        return True
    if (there.start_told_at or there.start_received_at) > began_at:
        return False
    close(there, NEXT, register)
    return True


def _last_register(transaction: Transaction) -> Decimal | None:
    rows = MeterSample.objects.filter(transaction=transaction, measurand=REGISTER, phase="")
    return rows.order_by("-told_at", "-pk").values_list("value", flat=True).first()


def sweep() -> int:
    """End transactions whose connector has been free for longer than the grace; alarm about those that never end."""
    now = timezone.now()
    free = Transaction.objects.filter(closed_by="", free_since__lt=now - timedelta(seconds=settings.OCPP_FREE_GRACE))
    ended = [_close_free(*found) for found in free.values_list("charger_id", "pk")]
    stuck = Transaction.objects.filter(closed_by="", start_received_at__lt=now - STUCK)
    for transaction in stuck:
        told = f"since {transaction.start_received_at:%F %T} UTC at connector {transaction.number}"
        sounding.sound_once(transaction.charger_id, Alarm.Kind.TRANSACTION, transaction.ocpp_id, told)
    return sum(ended)


@database.atomic
def _close_free(charger_id: int, id: int) -> bool:
    Charger.objects.select_for_update().get(pk=charger_id)
    found = Transaction.objects.filter(pk=id, closed_by="", free_since__isnull=False).first()
    if found is None:
        return False
    close(found, FREE)
    publishing.judge_after_commit(charger_id)
    return True
