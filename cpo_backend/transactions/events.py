"""Takes in the events of OCPP 2.0.1, in whatever order they come: each once, by its number in the sequence.

There are chargers that do not count, or begin again when they restart: where events of different kinds share a number,
those of that transaction that cannot be told by it are told by what they say.

Any event begins a transaction, Ended ends it, and what comes after that fills its gaps. While there are gaps, the CDR
waits for what is missing, and the charger is asked whether it still has it.
"""

from datetime import timedelta

import structlog
from django.db import transaction as database
from django.db.models import Count, Max, Min
from django.utils import timezone

from cpo_backend.billing import dues
from cpo_backend.models import Charger, Transaction, TransactionMessage
from cpo_backend.power import waking
from cpo_backend.status import publishing
from cpo_backend.transactions import asking, lost, metering, starting
from cpo_backend.transactions.facts import Arrival, Event, Permit
from cpo_backend.transactions.readings import Values
from ocpi.types import codec
from ocpi.v221.tokens import AllowedType

log = structlog.get_logger(__name__)

STARTED, ENDED = "Started", "Ended"
GAP_PATIENCE = timedelta(minutes=10)
CHARGER = Transaction.ClosedBy.CHARGER
_AGAIN = "a repetition"
_TWICE = "another event with a number that was used before: not counted"
_UNCOUNTED = "the charger does not count the events of this transaction: they are told apart by what they say"
_ENDED_TWICE = "another end of a transaction that its charger had ended before: not counted"


def decided(charger_id: int, event: Event) -> Permit | None:
    """What was decided of the token of an event before; who ends a transaction is not asked about."""
    row = Transaction.objects.filter(charger_id=charger_id, told_id=event.told_id).exclude(allowed="").first()
    if row is None or (row.id_tag != event.id_tag and event.kind != ENDED):
        return None
    return Permit(
        allowed=AllowedType(row.allowed),
        cdr_token=row.cdr_token,
        auth_method=row.auth_method,
        reference=row.authorization_reference,
        reserved_since=row.reserved_since,
    )


def take(arrival: Arrival, event: Event, values: Values, permit: Permit | None) -> None:
    """Take an event in; never refuses, for a charger that is refused tries again for ever."""
    try:
        _take(arrival, event, values, permit)
    except Exception as error:
        log.exception("an event is kept without its effect", charger_id=arrival.charger_id)
        metering.keep(arrival, None, f"{type(error).__name__}: {error}", kind=event.kind)


@database.atomic
def _take(arrival: Arrival, event: Event, values: Values, permit: Permit | None) -> None:
    charger = Charger.objects.select_for_update().get(pk=arrival.charger_id)
    found = Transaction.objects.filter(charger=charger, told_id=event.told_id).first()
    if found is None:
        found = _new(charger, arrival, event, permit)
    seq_no, odd = _number(found, arrival, event)
    if odd == _TWICE:
        metering.keep(arrival, found, odd, kind=event.kind)
    if odd in (_TWICE, _AGAIN):
        return
    is_another_end = event.kind == ENDED and found.closed_by == CHARGER
    if is_another_end:
        odd = _ENDED_TWICE
    elif values.unread:
        odd = f"{values.unread} meter values could not be read"
    metering.keep(arrival, found, odd, kind=event.kind, seq_no=seq_no)
    metering.store(found.pk, values, arrival.received_at)
    _learn(found, arrival, event, permit)
    if event.number is not None and found.number is None:
        _place(found, charger, event, arrival)
        waking.after_commit([charger.pk])
    if event.state:
        metering.change(found, event.state, event.told_at, arrival.received_at)
    _conclude(found, arrival, event, is_end=event.kind == ENDED and not is_another_end)
    publishing.judge_after_commit(charger.pk)


def _new(charger: Charger, arrival: Arrival, event: Event, permit: Permit | None) -> Transaction:
    """It has no place before there is room for it."""
    made = Transaction.objects.create(
        charger=charger,
        told_id=event.told_id,
        start_received_at=arrival.received_at,
        heard_at=arrival.received_at,
    )
    dues.opened(made, permit.session_id if permit else "")
    return made


def _number(found: Transaction, arrival: Arrival, event: Event) -> tuple[int | None, str]:
    """The number under which an event counts, None for one that does not number it, and what is odd about it."""
    earlier = found.messages.filter(seq_no=event.seq_no).first()
    if earlier is None:
        return event.seq_no, ""
    if _is_same(earlier, arrival) or found.messages.filter(payload=arrival.payload).exists():
        return None, _AGAIN
    is_known = found.messages.filter(needs_attention=_UNCOUNTED).exists()
    if is_known or earlier.kind != event.kind:
        return None, "" if is_known else _UNCOUNTED
    return None, _TWICE


def _is_same(earlier: TransactionMessage, arrival: Arrival) -> bool:
    """Whether two messages say the same, whatever their spelling."""
    if earlier.payload == arrival.payload:
        return True
    one, other = (codec.decode(text.encode()) for text in (earlier.payload, arrival.payload))
    return bool(one == other)


def _learn(found: Transaction, arrival: Arrival, event: Event, permit: Permit | None) -> None:
    """What the event says of the transaction as a whole. The token of the start is the one that pays."""
    found.heard_at = arrival.received_at
    if arrival.offset_seconds is not None:
        found.clock_offset = arrival.offset_seconds
    is_start = event.kind == STARTED and not found.start_told
    if is_start:
        found.start_told, found.start_told_at = event.told[:64], event.told_at
        found.start_received_at = arrival.received_at
    if event.connector is not None:
        found.connector = event.connector
    found.reservation_id = event.reservation_id or found.reservation_id
    found.remote_start_id = event.remote_start_id or found.remote_start_id
    if permit is not None and (not found.id_tag or is_start):
        found.id_tag, found.token_type = event.id_tag[:255], event.token_type[:20]
        for name, value in starting.columns(permit).items():
            setattr(found, name, value)
        dues.changed(found)
    found.save()


def _place(found: Transaction, charger: Charger, event: Event, arrival: Arrival) -> None:
    """It is at this EVSE: whatever was open there has ended, unless that began later."""
    assert event.number is not None
    began_at = found.start_told_at or event.told_at or arrival.received_at
    has_room = lost.make_room(charger, event.number, began_at, None)
    is_lost = found.is_open and not has_room and event.kind != ENDED
    if is_lost or event.kind == ENDED:
        found.closed_by = found.closed_by or Transaction.ClosedBy.SYSTEM
    found.number = event.number
    found.save()
    if is_lost:
        lost.close(found, lost.NEXT)


def _conclude(found: Transaction, arrival: Arrival, event: Event, *, is_end: bool) -> None:
    """The end, or a late fact; in both cases with patience for what is missing."""
    if is_end:
        found.stop_told, found.stop_told_at = event.told[:64], event.told_at
        found.stop_received_at, found.stop_reason = arrival.received_at, event.reason[:40]
    elif found.closed_by != CHARGER:
        if not found.is_open:
            dues.late(found)
        return
    is_whole = _is_whole(found)
    if is_end:
        lost.end(found, CHARGER, patience=None if is_whole else GAP_PATIENCE)
        if not is_whole:
            asking.ask(found)
    elif is_whole and not dues.is_too_late(found, timezone.now()):
        dues.ended(found)


def _is_whole(found: Transaction) -> bool:
    """Whether every event from Started to the last is here."""
    events = found.messages.exclude(seq_no=None)
    ends = events.aggregate(first=Min("seq_no"), last=Max("seq_no"), count=Count("pk"))
    return bool(ends["last"] - ends["first"] + 1 == ends["count"]) and events.filter(kind=STARTED).exists()
