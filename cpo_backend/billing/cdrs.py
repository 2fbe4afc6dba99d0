"""The CDR of a transaction (§mod_cdrs_cdr_object), and why it must not go out, where it must not."""

import hashlib
from decimal import Decimal
from enum import Enum, auto
from typing import NamedTuple

from cpo_backend.billing import sessions, signing
from cpo_backend.billing.terms import Place
from cpo_backend.models import Bill
from cpo_backend.transactions.accounts import Account
from ocpi.pricing.faults import BadInput
from ocpi.pricing.periods.generating import cdr_figures
from ocpi.store.documents import Document
from ocpi.types import codec, times, validation
from ocpi.v221.cdrs import Cdr as Shape
from ocpi.v221.tokens import AllowedType

_LONGEST_REMARK = 255
# A connector may deliver a little more than it is rated for, and meters are read some seconds apart.
_MARGIN, _SLACK_SECONDS = Decimal("1.2"), 60
_KWH = Decimal(1000)
# What says nothing about the session itself.
_NOT_ITS_OWN = ("id", "last_updated")


class Doubt(Enum):
    """Whether staff may let a CDR out that is held."""

    REMOVABLE = auto()
    FINAL = auto()


class Hold(NamedTuple):
    """Why a CDR is held."""

    reason: str
    doubt: Doubt


def doubtful(account: Account, place: Place | None) -> Hold | None:
    """Why this account must not be billed without a person's word."""
    transaction = account.transaction
    if not transaction.cdr_token:
        return Hold("nobody knows the token: there is no eMSP to bill", Doubt.FINAL)
    if place is None:
        return Hold(f"no EVSE is mapped to connector {transaction.number}", Doubt.FINAL)
    if transaction.allowed != AllowedType.ALLOWED:
        return Hold(f"the token was {transaction.allowed} when it began", Doubt.REMOVABLE)
    if account.lacks_end_signature:
        return Hold("the meter signed the begin and not the end", Doubt.REMOVABLE)
    seconds = Decimal((account.until - account.start).total_seconds()) + _SLACK_SECONDS
    if (power := place.most_power) and account.wh * 3600 > power * seconds * _MARGIN:
        told = f"{account.wh / _KWH:f} kWh within {seconds - _SLACK_SECONDS:.0f} s"
        return Hold(f"implausible: {told}, by a connector of {power / _KWH:f} kW", Doubt.REMOVABLE)
    return None


def document(bill: Bill, account: Account, place: Place, tariff: Document) -> Document | Hold:
    """The CDR with the id of its Session, or why there cannot be one."""
    try:
        figures = cdr_figures(sessions.history(account, place, tariff)).members
    except BadInput as fault:
        return Hold(f"it cannot be priced: {fault.pointer} {fault.message}", Doubt.FINAL)
    found = sessions.common(bill, account, place) | figures
    found |= {"id": bill.session_id, "session_id": bill.session_id, "cdr_location": place.cdr_location()}
    if signed := signing.signed_data(account.signed):
        found["signed_data"] = signed
    found |= {"remark": _remark(account), "last_updated": times.now()}
    violations = [violation for violation in validation.check(found, Shape) if violation.fatal]
    if violations:
        faults = "; ".join(f"{violation.pointer}: {violation.message}" for violation in violations[:5])
        return Hold(f"it would not be valid: {faults}", Doubt.FINAL)
    return found


def fingerprint(cdr: Document) -> str:
    """The same for two CDRs that say the same of their session."""
    told = {name: value for name, value in cdr.items() if name not in _NOT_ITS_OWN}
    return hashlib.sha256(codec.encode(told)).hexdigest()


def _remark(account: Account) -> str:
    transaction = account.transaction
    if transaction.closed_by == transaction.ClosedBy.SYSTEM:
        told = f"Ended without a stop: {transaction.closed_why}"
    else:
        told = f"Stop reason: {transaction.stop_reason or 'Local'}"
    return told[:_LONGEST_REMARK]
