"""Makes what is due: Sessions while transactions go on, then one CDR each, and corrections of those that are out."""

from datetime import timedelta

import structlog
from django.db import transaction as database
from django.db.models import Q
from django.utils import timezone

from cpo_backend.billing import cdrs, sessions, showing, terms
from cpo_backend.billing.cdrs import Doubt, Hold
from cpo_backend.billing.terms import Place
from cpo_backend.models import Bill, Transaction
from cpo_backend.transactions import accounts
from cpo_backend.transactions.accounts import Account
from ocpi.store.cdrs import cdrs as stored_cdrs
from ocpi.store.corrections import Uncorrectable, correct
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival
from ocpi.types import codec, validation
from ocpi.v221.cdrs import Cdr as Shape
from ocpi.v221.tokens import AllowedType

log = structlog.get_logger(__name__)

State = Bill.State
_RETRY = timedelta(minutes=5)
_BY = "late facts of the charger"


def make_due(limit: int = 500) -> int:
    """Make what has fallen due; returns of how many transactions. One that fails is tried again later."""
    now = timezone.now()
    due = Bill.objects.filter(Q(session_due_at__lte=now) | Q(cdr_due_at__lte=now)).order_by("pk")
    found = list(due.values_list("pk", flat=True)[:limit])
    for id in found:
        try:
            make(id)
        except Exception:
            log.exception("a bill could not be made", transaction=id)
            later = timezone.now() + _RETRY
            Bill.objects.filter(pk=id).exclude(session_due_at=None).update(session_due_at=later)
            Bill.objects.filter(pk=id).exclude(cdr_due_at=None).update(cdr_due_at=later)
    return len(found)


@database.atomic
def make(id: int) -> None:
    """Make what is due of one transaction; who else wants to waits."""
    bill = Bill.objects.select_for_update().filter(pk=id).first()
    now = timezone.now()
    if bill is None:
        return
    transaction = Transaction.objects.select_related("charger").get(pk=id)
    is_final = bill.cdr_due_at is not None and bill.cdr_due_at <= now
    account, place = accounts.of(transaction, now), terms.place(transaction)
    bill.energy, bill.basis = account.wh, account.energy.basis
    bill.oddities = "\n".join(account.energy.oddities)
    if place is not None and _is_told(account):
        tariff = _tariff(bill, account, place)
        session = sessions.write(bill, account, place, tariff)
        bill.session_status, bill.session_made_at = session["status"], now
        if account.end is None:
            showing.show(bill, transaction, session)
    bill.session_due_at = None
    if is_final:
        bill.cdr_due_at = None
        _settle(bill, account, place)
    bill.save()


def _is_told(account: Account) -> bool:
    """Whether partners hear of it: not of a token that was refused, unless it has charged all the same."""
    transaction = account.transaction
    return bool(transaction.cdr_token) and (transaction.allowed == AllowedType.ALLOWED or bool(account.wh))


def _tariff(bill: Bill, account: Account, place: Place) -> Document:
    """The Tariff of the start: whoever changes it meanwhile changes it for others."""
    if not bill.tariff:
        bill.tariff = codec.encode_text(terms.tariff(place, account.begin))
    found: Document = codec.decode(bill.tariff.encode())
    return found


def _settle(bill: Bill, account: Account, place: Place | None) -> None:
    """Decide what becomes of the CDR now that the transaction is over."""
    if account.end is None or bill.state == State.DISCARDED:
        return
    is_out = bill.state == State.OUT
    if account.transaction.pruned_at is not None:
        bill.reason = "not corrected: its meter values are not kept any more"
        return
    if not account.wh and not is_out:
        bill.state, bill.reason = State.NOTHING, "no energy was delivered"
        return
    hold = cdrs.doubtful(account, place)
    if hold is not None and bill.is_released and hold.doubt is Doubt.REMOVABLE:
        hold = None
    if hold is None and place is not None:
        made = cdrs.document(bill, account, place, _tariff(bill, account, place))
        if not isinstance(made, Hold):
            _let_out(bill, made, place)
            showing.show(bill, account.transaction, made, is_final=True)
            return
        hold = made
    _hold(bill, hold, is_out=is_out)


def _hold(bill: Bill, hold: Hold | None, *, is_out: bool) -> None:
    """A CDR that is out stays as it is when what would correct it is in doubt."""
    reason = hold.reason if hold else ""
    if is_out:
        bill.reason = f"not corrected: {reason}"[:400]
        return
    bill.state, bill.reason = State.HELD, reason[:400]
    log.warning("a CDR is held", session_id=bill.session_id, reason=reason)


def _let_out(bill: Bill, made: Document, place: Place) -> None:
    digest = cdrs.fingerprint(made)
    if bill.state != State.OUT:
        stored_cdrs.add(Arrival(made, validation.check(made, Shape)), None)
        bill.state, bill.reason, bill.cdr_id, bill.fingerprint = State.OUT, "", made["id"], digest
    elif bill.fingerprint != digest:
        replacement = {name: value for name, value in made.items() if name != "id"}
        try:
            corrected = correct(place.owner, bill.cdr_id, replacement, by=_BY)
        except Uncorrectable as error:
            bill.reason = f"not corrected: {error}"[:400]
            return
        bill.cdr_id, bill.fingerprint, bill.reason = corrected.replacement["id"], digest, "corrected"
