"""How long what chargers told of transactions is kept: until long after it has been billed, and never less.

First go the meter values between begin and end, of which there are thousands; the bill follows from them no more, for
the window of late facts is over. What came word for word goes later. Transactions themselves, signed values and the
readings at begin and end are kept for good.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction as database
from django.utils import timezone

from cpo_backend import pruning
from cpo_backend.models import Bill, MeterSample, Transaction, TransactionMessage
from cpo_backend.transactions.readings import BEGIN, END, REGISTER

_AT_ONCE = 200
_OVER = (Bill.State.OUT, Bill.State.NOTHING, Bill.State.DISCARDED)


def prune_samples(most: int = 5000) -> int:
    """Forget the meter values of transactions that were billed OCPP_SAMPLE_DAYS ago; returns of how many.

    0 days: they are kept for good.
    """
    if not settings.OCPP_SAMPLE_DAYS:
        return 0
    done = 0
    while done < most and (found := _billed(_before(settings.OCPP_SAMPLE_DAYS), min(_AT_ONCE, most - done))):
        for pk in found:
            _prune(pk)
        done += len(found)
    return done


def _before(days: int) -> datetime:
    """Never within the window in which late facts may change a bill."""
    window = timedelta(seconds=settings.OCPP_LATE_FACTS) + timedelta(days=1)
    return timezone.now() - max(timedelta(days=days), window)


def _billed(before: datetime, limit: int) -> list[int]:
    rows = Transaction.objects.filter(pruned_at=None, closed_at__lt=before, bill__state__in=_OVER)
    rows = rows.filter(bill__cdr_due_at=None, bill__session_due_at=None)
    return list(rows.order_by("closed_at").values_list("pk", flat=True)[:limit])


@database.atomic
def _prune(pk: int) -> None:
    """Under the lock of its bill, which nobody makes anew meanwhile."""
    Bill.objects.select_for_update().get(pk=pk)
    samples = MeterSample.objects.filter(transaction=pk)
    samples.exclude(context__in=(BEGIN, END)).exclude(pk__in=list(_ends(pk))).delete()
    Transaction.objects.filter(pk=pk).update(pruned_at=timezone.now())


def _ends(pk: int) -> Iterator[int]:
    """The first and the last reading of the register."""
    registers = MeterSample.objects.filter(transaction=pk, measurand=REGISTER)
    for order in (("told_at", "pk"), ("-told_at", "-pk")):
        yield from registers.order_by(*order).values_list("pk", flat=True)[:1]


def prune_messages() -> int:
    """Forget what was told word for word of such transactions, and of none, OCPP_EVIDENCE_DAYS ago; how many."""
    if not settings.OCPP_EVIDENCE_DAYS:
        return 0
    old = TransactionMessage.objects.filter(received_at__lt=_before(settings.OCPP_EVIDENCE_DAYS))
    pruned = old.filter(transaction__pruned_at__isnull=False)
    return pruning.delete(pruned) + pruning.delete(old.filter(transaction=None))
