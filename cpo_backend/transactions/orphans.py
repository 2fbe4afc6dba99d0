"""Stops of OCPP 1.6 whose transaction cannot be made out: parked, until their start comes, or a person decides.

A charger that was offline may tell a stop before its start. That start was then made before the stop and told after
it: by that, by the meter and by the tag a start finds its stop again, where only one can be meant.
"""

from datetime import timedelta
from decimal import Decimal

from django.db import transaction as database
from django.utils import timezone

from cpo_backend.alarms import sounding
from cpo_backend.models import Alarm, Charger, ChargerEvse, OrphanStop, Transaction
from cpo_backend.ocpp.wire.v16.actions import FROM_CHARGER
from cpo_backend.ocpp.wire.v16.core import StopTransaction
from cpo_backend.transactions import readings, stopping
from cpo_backend.transactions.facts import Arrival, Start, Stop

# By whom a stop is said to be settled that its start has found; longer sessions are for a person to judge.
_BY_START = "its start"
_LONGEST = timedelta(hours=48)
_MOST = 100  # stops that are looked at


class Unassignable(ValueError):
    """Why a stop cannot be assigned, in words."""


def adopt(found: Transaction, start: Start) -> None:
    """End a transaction that has just begun by the stop that came before it; the caller holds the charger's lock."""
    parked = OrphanStop.objects.filter(charger=found.charger_id, settled_at=None, meter_stop__gte=start.meter)
    latest = parked.order_by("-pk")[:_MOST]
    fitting = [(stop, orphan) for orphan in latest if (stop := _read(orphan)) and _fits(start, stop, orphan)]
    fitting.sort(key=lambda pair: (pair[0].told_at, pair[1].pk))
    is_ambiguous = len(fitting) > 1 and ChargerEvse.objects.filter(charger=found.charger_id).count() > 1
    if not fitting or (is_ambiguous and not all(stop.id_tag for stop, _ in fitting)):
        return
    orphan = fitting[0][1]
    _settle(orphan, _BY_START, found)
    _take(orphan, found)


def _read(orphan: OrphanStop) -> Stop | None:
    """The stop, if it says when it was."""
    stop = Stop.of(_request(orphan))
    return stop if stop.told_at is not None else None


def _fits(start: Start, stop: Stop, orphan: OrphanStop) -> bool:
    """Whether the stop can be that of the start: later, by no more than a session lasts, and by the same meter."""
    if start.told_at is None or stop.told_at is None or stop.meter < start.meter:
        return False
    if not timedelta(0) <= stop.told_at - start.told_at <= _LONGEST:
        return False
    if stop.id_tag and stop.id_tag.lower() != start.id_tag.lower():
        return False
    return _begin(orphan) in (None, start.meter)


def _begin(orphan: OrphanStop) -> Decimal | None:
    """What a stop that brings its meter values along says of the meter at the start."""
    values = readings.of_v16(_request(orphan).transactionData or ())
    told = (one.value for one in values.readings if (one.measurand, one.context) == (readings.REGISTER, readings.BEGIN))
    return next(told, None)


def _request(orphan: OrphanStop) -> StopTransaction:
    request: StopTransaction = FROM_CHARGER["StopTransaction"].read_request(orphan.payload.encode())
    return request


def _take(orphan: OrphanStop, found: Transaction) -> None:
    request = _request(orphan)
    arrival = Arrival(found.charger_id, "StopTransaction", orphan.payload, orphan.received_at)
    values = readings.of_v16(request.transactionData or ())
    stopping.take(found, found.charger, arrival, Stop.of(request), values)


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
    _take(orphan, found)


@database.atomic
def dismiss(orphan: OrphanStop, by: str) -> None:
    """Staff say that it is nobody's; raises Unassignable."""
    _settle(orphan, by, None)


def _settle(orphan: OrphanStop, by: str, found: Transaction | None) -> None:
    settled = {"settled_at": timezone.now(), "settled_by": by[:150], "transaction": found}
    if not OrphanStop.objects.filter(pk=orphan.pk, settled_at=None).update(**settled):
        raise Unassignable("it was settled before")
    sounding.clear(orphan.charger_id, Alarm.Kind.ORPHAN_STOP, subject=orphan.told_id)
