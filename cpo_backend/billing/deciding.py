"""What staff decide about CDRs that are held: out with it, or never."""

from django.db import transaction as database
from django.utils import timezone

from cpo_backend.billing.wake import wake
from cpo_backend.models import Bill

State = Bill.State


class Undecidable(ValueError):
    """Why nothing is to be decided, in words."""


@database.atomic
def release(id: int, by: str, reason: str) -> None:
    """Let the CDR out although it looks implausible; raises Undecidable.

    What cannot be billed at all, such as a token that nobody knows, is held again for that.
    """
    bill = _held(id)
    bill.is_released, bill.cdr_due_at = True, timezone.now()
    _decide(bill, by, reason)
    database.on_commit(wake)


@database.atomic
def discard(id: int, by: str, reason: str) -> None:
    """Never make a CDR of it; raises Undecidable."""
    bill = _held(id)
    bill.state, bill.cdr_due_at = State.DISCARDED, None
    _decide(bill, by, reason)


def _held(id: int) -> Bill:
    bill = Bill.objects.select_for_update().get(pk=id)
    if bill.state != State.HELD:
        raise Undecidable(f"it is not held: {bill.get_state_display()}")
    return bill


def _decide(bill: Bill, by: str, reason: str) -> None:
    if not reason.strip():
        raise Undecidable("say why")
    bill.decided_by, bill.decision = by[:150], reason.strip()[:400]
    bill.save()
