"""Takes in what meters and connectors tell while a transaction goes on, each fact once."""

import hashlib
from datetime import datetime

from django.db import transaction as database

from cpo_backend.billing import dues
from cpo_backend.models import MeterSample, SignedReading, StateChange, Transaction, TransactionMessage
from cpo_backend.transactions.facts import Arrival
from cpo_backend.transactions.readings import Reading, Signed, Values
from ocpi.pricing.periods.history import State

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


def meter_values(arrival: Arrival, number: int, transaction_id: int | None, values: Values) -> None:
    """Samples of a MeterValues; those of a connector where nothing goes on are in the log of messages only."""
    with database.atomic():
        found = of(arrival.charger_id, number, transaction_id)
        if found is not None:
            store(found, values, arrival.received_at)
            dues.metered(found)
        if (found is None and transaction_id) or values.unread:
            keep(arrival, found, _odd(found, transaction_id, values))


def _odd(found: Transaction | None, transaction_id: int | None, values: Values) -> str:
    if found is None:
        return f"meter values of transaction {transaction_id}, which this charger does not have"
    return f"{values.unread} meter values could not be read"


def of(charger_id: int, number: int, transaction_id: int | None = None) -> Transaction | None:
    """The transaction that a charger means: by its id, else the one that is open at the connector."""
    rows = Transaction.objects.filter(charger_id=charger_id)
    if transaction_id and transaction_id > 0 and (found := rows.filter(pk=transaction_id, told_id=None).first()):
        return found
    opened = rows.filter(closed_by="")
    if number:
        return opened.filter(number=number).first()
    several = list(opened[:2])
    return several[0] if len(several) == 1 else None


def store(transaction: Transaction, values: Values, received_at: datetime) -> None:
    """Keep samples and signed values; what is kept already is not kept again."""
    MeterSample.objects.bulk_create(
        [_sample(transaction, reading, received_at) for reading in values.readings], ignore_conflicts=True
    )
    if values.signed:
        SignedReading.objects.bulk_create(
            [_signed(transaction, signed, received_at) for signed in values.signed], ignore_conflicts=True
        )
    Transaction.objects.filter(pk=transaction.pk).update(heard_at=received_at)


def _sample(transaction: Transaction, reading: Reading, received_at: datetime) -> MeterSample:
    return MeterSample(
        transaction=transaction,
        told_at=reading.told_at or received_at,
        received_at=received_at,
        measurand=reading.measurand,
        phase=reading.phase,
        location=reading.location,
        context=reading.context,
        value=reading.value,
        is_bare=reading.is_bare,
    )


def _signed(transaction: Transaction, signed: Signed, received_at: datetime) -> SignedReading:
    return SignedReading(
        transaction=transaction,
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
    """What a connector says of itself, for the transaction that is open there."""
    found = Transaction.objects.filter(charger_id=charger_id, number=number, closed_by="").first()
    if found is None:
        return
    if word == _FREE:
        Transaction.objects.filter(pk=found.pk, free_since=None).update(free_since=received_at)
    elif word in STATES:
        Transaction.objects.filter(pk=found.pk).exclude(free_since=None).update(free_since=None)
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
