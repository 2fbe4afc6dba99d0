"""Ends transactions of OCPP 1.6: each once, by the stop of its own charger. A stop of nobody's is parked."""

import structlog
from django.db import transaction as database

from cpo_backend.alarms import sounding
from cpo_backend.billing import dues
from cpo_backend.models import Alarm, Charger, OrphanStop, Transaction
from cpo_backend.status import publishing
from cpo_backend.transactions import lost, metering
from cpo_backend.transactions.facts import Arrival, Stop
from cpo_backend.transactions.readings import Values

log = structlog.get_logger(__name__)

CHARGER = Transaction.ClosedBy.CHARGER
_ANOTHER = "another stop of a transaction that its charger had stopped before: not counted"


def stop(arrival: Arrival, stop: Stop, values: Values) -> None:
    """End the transaction; never refuses, for a charger that is refused tries again for ever."""
    try:
        _stop(arrival, stop, values)
    except Exception as error:
        log.exception("a stop is kept without its effect", charger_id=arrival.charger_id)
        metering.keep(arrival, None, f"{type(error).__name__}: {error}")


@database.atomic
def _stop(arrival: Arrival, stop: Stop, values: Values) -> None:
    charger = Charger.objects.select_for_update().get(pk=arrival.charger_id)
    found = _named(charger, stop)
    if found is None and _was_adopted(charger, stop):
        return
    if found is None and (found := _only_open(charger, stop)) is None:
        _park(charger, arrival, stop)
        return
    take(found, charger, arrival, stop, values)


def take(found: Transaction, charger: Charger, arrival: Arrival, stop: Stop, values: Values) -> None:
    """This stop is that of the transaction; the caller holds the charger's lock."""
    metering.store(found.pk, values, arrival.received_at)
    if found.closed_by == CHARGER:
        is_same = (found.stop_told, found.meter_stop) == (stop.told[:64], stop.meter)
        metering.keep(arrival, found, "" if is_same else _ANOTHER)
        dues.late(found)
        return
    metering.keep(arrival, found, f"{values.unread} meter values could not be read" if values.unread else "")
    found.heard_at = found.stop_received_at = arrival.received_at
    found.stop_told, found.stop_told_at, found.meter_stop = stop.told[:64], stop.told_at, stop.meter
    found.stop_reason = stop.reason[:40]
    if arrival.offset_seconds is not None:
        found.clock_offset = arrival.offset_seconds
    lost.end(found, CHARGER)
    publishing.judge_after_commit(charger.pk)


def _named(charger: Charger, stop: Stop) -> Transaction | None:
    if stop.transaction_id <= 0:
        return None
    return Transaction.objects.filter(pk=stop.transaction_id, charger=charger, told_id=None).first()


def _was_adopted(charger: Charger, stop: Stop) -> bool:
    """Whether this stop, of no transaction that is known by its number, has ended one before."""
    rows = Transaction.objects.filter(charger=charger, told_id=None, closed_by=CHARGER)
    return rows.filter(stop_told=stop.told[:64], meter_stop=stop.meter).exists()


def _only_open(charger: Charger, stop: Stop) -> Transaction | None:
    """The one open transaction of the charger, if time and meter fit."""
    several = list(Transaction.objects.filter(charger=charger, told_id=None, closed_by="")[:2])
    if len(several) != 1:
        return None
    [found] = several
    is_after = stop.told_at is None or found.start_told_at is None or stop.told_at >= found.start_told_at
    is_above = found.meter_start is None or stop.meter >= found.meter_start
    return found if is_after and is_above else None


def _park(charger: Charger, arrival: Arrival, stop: Stop) -> None:
    """Keep a stop of nobody's, once, for staff to assign (`orphans`)."""
    orphan = OrphanStop(
        charger=charger,
        told_id=str(stop.transaction_id),
        stop_told=stop.told[:64],
        meter_stop=stop.meter,
        id_tag=stop.id_tag[:255],
        reason=stop.reason[:40],
        payload=arrival.payload,
        received_at=arrival.received_at,
    )
    OrphanStop.objects.bulk_create([orphan], ignore_conflicts=True)
    told = f"stopped at {stop.told}, meter {stop.meter.normalize():f} Wh"
    sounding.sound_once(charger.pk, Alarm.Kind.ORPHAN_STOP, str(stop.transaction_id), told)
