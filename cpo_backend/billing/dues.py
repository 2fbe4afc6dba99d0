"""What is to be made of a transaction, and when: rows first, a wake-up after the commit."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import transaction as database
from django.utils import timezone

from cpo_backend.billing.wake import wake
from cpo_backend.models import Bill, Transaction

State = Bill.State
# What a late fact may still change: a CDR that is out is corrected, one that is held is made anew.
_MADE = (State.OUT, State.HELD, State.NOTHING)


def opened(transaction: Transaction, session_id: str = "") -> None:
    """A Session begins; `session_id` if a command has made it already."""
    id = session_id or uuid4().hex
    Bill.objects.create(transaction=transaction, session_id=id, session_due_at=timezone.now())
    database.on_commit(wake)


def metered(transaction: Transaction) -> None:
    """Meter values came: the Session follows after a while, so that many of them are one update."""
    if not transaction.is_open:
        late(transaction)
        return
    if transaction.bill.session_due_at is None:
        follow([transaction.pk])


def follow(transaction_ids: Collection[int]) -> None:
    """The Sessions of these transactions, which go on, follow after a while where that is not due yet."""
    due_at = timezone.now() + timedelta(seconds=settings.OCPP_SESSION_EVERY)
    Bill.objects.filter(pk__in=transaction_ids, session_due_at=None).update(session_due_at=due_at)


def changed(transaction: Transaction) -> None:
    """The state or the token changed: the Session follows at once."""
    if not transaction.is_open:
        late(transaction)
        return
    Bill.objects.filter(pk=transaction.pk).update(session_due_at=timezone.now())
    database.on_commit(wake)


def ended(transaction: Transaction, patience: timedelta | None = None) -> None:
    """The transaction is over: its CDR is made soon, or when what is missing had its time to come."""
    now = timezone.now()
    delay = timedelta(seconds=settings.OCPP_CDR_DELAY) if patience is None else patience
    Bill.objects.filter(pk=transaction.pk).exclude(state=State.DISCARDED).update(cdr_due_at=now + delay)
    Bill.objects.filter(pk=transaction.pk, session_due_at=None).update(session_due_at=now)
    database.on_commit(wake)


def late(transaction: Transaction) -> None:
    """Something about a closed transaction: its CDR is looked at again, unless that was too long ago."""
    if not is_too_late(transaction, timezone.now()):
        due_at = timezone.now() + timedelta(seconds=settings.OCPP_CDR_DELAY)
        Bill.objects.filter(pk=transaction.pk, state__in=_MADE, cdr_due_at=None).update(cdr_due_at=due_at)
        database.on_commit(wake)


def is_too_late(transaction: Transaction, now: datetime) -> bool:
    """Whether the window is over within which facts about a closed transaction still change its bill."""
    window = timedelta(seconds=settings.OCPP_LATE_FACTS)
    return transaction.closed_at is not None and now - transaction.closed_at > window
