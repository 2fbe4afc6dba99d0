"""Takes in what meters and connectors tell while a transaction goes on, each fact once."""

import hashlib
from datetime import datetime
from typing import Any

import structlog
from django.db import connection
from django.db import transaction as database

from cpo_backend.billing import dues
from cpo_backend.models import (
    Bill,
    MeterSample,
    ReportedStatus,
    SignedReading,
    StateChange,
    Transaction,
    TransactionMessage,
)
from cpo_backend.status import publishing
from cpo_backend.transactions.facts import Arrival
from cpo_backend.transactions.readings import Reading, Signed, Values
from ocpi.pricing.periods.history import State
from ocpi.store import writing

log = structlog.get_logger(__name__)

# What a connector says while a transaction goes on, and what that is to whoever bills it. That it is connected before
# the charging begins is the station's time, not the driver's parking.
STATES = {
    "Charging": State.CHARGING,
    "SuspendedEV": State.SUSPENDED_EV,
    "SuspendedEVSE": State.SUSPENDED_EVSE,
    "EVConnected": State.SUSPENDED_EVSE,
    "Finishing": State.FINISHING,
    "Idle": State.FINISHING,
}
_FREE = "Available"
_NOT_IN_USE = (_FREE, "Faulted", "Reserved", "Unavailable")
# Plain SQL where every sample of every charger comes by: the ORM takes longer than the database.
_SAMPLES = MeterSample._meta.db_table
_SAMPLE = ["transaction_id", "told_at", "received_at", "measurand", "phase", "location", "context", "value", "is_bare"]
_RUNNING = f"""
    SELECT 1 FROM {Transaction._meta.db_table} AS running JOIN {Bill._meta.db_table} AS bill
    ON bill.transaction_id = running.id
    WHERE running.id = %s AND running.charger_id = %s AND running.told_id IS NULL AND running.closed_by = ''
    AND bill.session_due_at IS NOT NULL
"""  # noqa: S608


def meter_values(arrival: Arrival, number: int, transaction_id: int | None, values: Values) -> None:
    """Samples of a MeterValues; those of a connector where nothing goes on are in the log of messages only.

    Never refuses: where keeping them fails, the message is kept for a person to look at.
    """
    try:
        _take(arrival, number, transaction_id, values)
    except Exception as error:
        log.exception("meter values are kept as they came", charger_id=arrival.charger_id)
        keep(arrival, None, f"{type(error).__name__}: {error}")


def _take(arrival: Arrival, number: int, transaction_id: int | None, values: Values) -> None:
    if transaction_id and not values.unread and _is_running(arrival.charger_id, transaction_id):
        store(transaction_id, values, arrival.received_at)
        return
    found = of(arrival.charger_id, number, transaction_id)
    if found is not None:
        store(found.pk, values, arrival.received_at)
        dues.metered(found)
    if (found is None and transaction_id) or values.unread:
        keep(arrival, found, _odd(found, transaction_id, values))


def _is_running(charger_id: int, id: int) -> bool:
    """Whether the transaction goes on and an update of its Session is due anyway: then there is no more to do."""
    return bool(writing.fetch(_RUNNING, [id, charger_id]))


def _odd(found: Transaction | None, transaction_id: int | None, values: Values) -> str:
    if found is None:
        return f"meter values of transaction {transaction_id}, which this charger does not have"
    return f"{values.unread} meter values could not be read"


def of(charger_id: int, number: int, transaction_id: int | None = None) -> Transaction | None:
    """The transaction that a charger means: by its id, else the one that is open at the connector."""
    rows = Transaction.objects.filter(charger_id=charger_id).select_related("bill")
    if transaction_id and transaction_id > 0 and (found := rows.filter(pk=transaction_id, told_id=None).first()):
        return found
    opened = rows.filter(closed_by="")
    if number:
        return opened.filter(number=number).first()
    several = list(opened[:2])
    return several[0] if len(several) == 1 else None


def store(transaction_id: int, values: Values, received_at: datetime) -> None:
    """Keep samples and signed values; what is kept already is not kept again."""
    if values.readings:
        rows = [_sample(transaction_id, reading, received_at) for reading in values.readings]
        marks = ", ".join([writing.marks(len(_SAMPLE))] * len(rows))
        sql = f"INSERT INTO {_SAMPLES} ({', '.join(_SAMPLE)}) VALUES {marks} ON CONFLICT DO NOTHING"  # noqa: S608
        writing.execute(sql, [value for row in rows for value in row])
    if values.signed:
        SignedReading.objects.bulk_create(
            [_signed(transaction_id, signed, received_at) for signed in values.signed], ignore_conflicts=True
        )


def _sample(transaction_id: int, reading: Reading, received_at: datetime) -> list[Any]:
    return [
        transaction_id,
        writing.adapted(reading.told_at or received_at),
        writing.adapted(received_at),
        reading.measurand,
        reading.phase,
        reading.location,
        reading.context,
        connection.ops.adapt_decimalfield_value(reading.value, 15, 3),
        reading.is_bare,
    ]


def _signed(transaction_id: int, signed: Signed, received_at: datetime) -> SignedReading:
    return SignedReading(
        transaction_id=transaction_id,
        told_at=signed.told_at or received_at,
        received_at=received_at,
        context=signed.context[:30],
        value=signed.value,
        data=signed.data,
        encoding=signed.encoding[:50],
        signing=signed.signing[:50],
        public_key=signed.public_key,
        digest=hashlib.sha256(signed.data.encode()).hexdigest(),
    )


def status(charger_id: int, number: int, word: str, told_at: datetime | None, received_at: datetime) -> None:
    """What a connector has just said of itself, for the transaction that is open there.

    The EVSE is free when none of its connectors is in use: of several, the others are Available all the while.
    """
    found = Transaction.objects.filter(charger_id=charger_id, number=number, closed_by="").first()
    if found is None:
        return
    reported = ReportedStatus.objects.filter(charger_id=charger_id, number=number, stale=False)
    is_in_use = reported.exclude(word__in=_NOT_IN_USE).exists()
    if is_in_use:
        Transaction.objects.filter(pk=found.pk).exclude(free_since=None).update(free_since=None)
    elif word == _FREE and Transaction.objects.filter(pk=found.pk, free_since=None).update(free_since=received_at):
        publishing.judge_after_commit(charger_id)
    if word in STATES:
        change(found, word, told_at, received_at)


@database.atomic
def change(transaction: Transaction, word: str, told_at: datetime | None, received_at: datetime) -> None:
    """The transaction is in another state from then on."""
    if state := STATES.get(word):
        made = StateChange(
            transaction=transaction, told_at=told_at or received_at, received_at=received_at, state=str(state)
        )
        StateChange.objects.bulk_create([made], ignore_conflicts=True)
        dues.changed(transaction)


def keep(
    arrival: Arrival,
    transaction: Transaction | None,
    needs_attention: str = "",
    *,
    kind: str = "",
    seq_no: int | None = None,
) -> TransactionMessage:
    """Keep a message as it came."""
    return TransactionMessage.objects.create(
        charger_id=arrival.charger_id,
        transaction=transaction,
        action=arrival.action,
        kind=kind[:10],
        seq_no=seq_no,
        payload=arrival.payload,
        received_at=arrival.received_at,
        needs_attention=needs_attention[:400],
    )
