"""Takes in what meters and connectors tell while a transaction goes on, each fact once."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import structlog
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
_RUNNING = f"""
    SELECT running.id, running.charger_id, bill.session_due_at FROM {Transaction._meta.db_table} AS running
    JOIN {Bill._meta.db_table} AS bill ON bill.transaction_id = running.id
    WHERE running.told_id IS NULL AND running.closed_by = ''
"""  # noqa: S608


class Told(NamedTuple):
    """A MeterValues: of the station where `number` is 0, of whatever goes on there without `transaction_id`."""

    arrival: Arrival
    number: int
    transaction_id: int | None
    values: Values


def of_many(told: Sequence[Told]) -> list[bool]:
    """Keep what belongs to transactions that go on, of many chargers at once; tells of each whether that was done.

    The rest is for `meter_values`, one by one; and all of it when the database refuses some, which raises.
    """
    plain = {
        one.transaction_id
        for one in told
        if one.transaction_id is not None and one.transaction_id > 0 and not one.values.unread
    }
    with database.atomic():
        running = _running(plain)
        done = [not one.values.unread and running.get(one.transaction_id) == one.arrival.charger_id for one in told]
        _store(
            (one.transaction_id or 0, one.values, one.arrival.received_at)
            for one, is_done in zip(told, done, strict=True)
            if is_done
        )
    return done


def _running(ids: Collection[int | None]) -> dict[int | None, int]:
    """The chargers of those among the transactions that go on; their Sessions follow after a while."""
    if not ids:
        return {}
    condition, parameter = writing.any_of("running.id", ids)
    rows = writing.fetch(f"{_RUNNING} AND {condition}", [parameter])
    if undue := [id for id, _, due_at in rows if due_at is None]:
        dues.follow(undue)
    return {id: charger_id for id, charger_id, _ in rows}


def meter_values(told: Told) -> None:
    """Samples of a MeterValues; those of a connector where nothing goes on are in the log of messages only.

    Never refuses: where keeping them fails, the message is kept for a person to look at.
    """
    try:
        with database.atomic():
            _take(*told)
    except Exception as error:
        log.exception("meter values are kept as they came", charger_id=told.arrival.charger_id)
        keep(told.arrival, None, f"{type(error).__name__}: {error}")


def _take(arrival: Arrival, number: int, transaction_id: int | None, values: Values) -> None:
    found = of(arrival.charger_id, number, transaction_id)
    if found is not None:
        store(found.pk, values, arrival.received_at)
        dues.metered(found)
    if (found is None and transaction_id) or values.unread:
        keep(arrival, found, _odd(found, transaction_id, values))


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
    _store([(transaction_id, values, received_at)])


def _store(told: Iterable[tuple[int, Values, datetime]]) -> None:
    samples: list[dict[str, Any]] = []
    signed: list[SignedReading] = []
    for transaction_id, values, received_at in told:
        samples += (_sample(transaction_id, reading, received_at) for reading in values.readings)
        signed += (_signed(transaction_id, one, received_at) for one in values.signed)
    if samples:
        writing.insert_new(MeterSample, samples)
    if signed:
        SignedReading.objects.bulk_create(signed, ignore_conflicts=True)


def _sample(transaction_id: int, reading: Reading, received_at: datetime) -> dict[str, Any]:
    return {
        "transaction_id": transaction_id,
        "told_at": writing.adapted(reading.told_at or received_at),
        "received_at": writing.adapted(received_at),
        "measurand": reading.measurand,
        "phase": reading.phase,
        "location": reading.location,
        "context": reading.context,
        "value": reading.value,
        "is_bare": reading.is_bare,
    }


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
