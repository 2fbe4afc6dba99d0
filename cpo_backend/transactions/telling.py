"""Transactions as `ocppctl state` prints them: in the order they began, energy in Wh."""

from decimal import Decimal
from typing import Any

from django.utils import timezone

from cpo_backend.models import Charger, Transaction
from cpo_backend.transactions import accounts
from ocpi.types import times
from ocpi.v221.tokens import AllowedType

_MOST = 100


def told(charger: Charger) -> list[dict[str, Any]]:
    """The latest hundred."""
    latest = Transaction.objects.filter(charger=charger).order_by("-pk")[:_MOST]
    found = [(accounts.of(transaction, timezone.now()), transaction) for transaction in latest]
    found.sort(key=lambda pair: (pair[0].start, pair[1].pk))
    return [_document(account) for account, _ in found]


def _document(account: accounts.Account) -> dict[str, Any]:
    transaction = account.transaction
    return {
        "id": transaction.pk if transaction.told_id is None else transaction.told_id,
        "connector": transaction.number,
        "id_tag": transaction.id_tag,
        "meter_start": _number(account.meter_start),
        "meter_stop": _number(account.meter_stop),
        "energy_wh": _number(account.energy.wh),
        "status": _status(account),
        "stop_time": None if account.end is None else times.format(account.end),
        "stop_reason": _reason(transaction),
    }


def _status(account: accounts.Account) -> str:
    if account.end is None:
        return "active"
    is_allowed = account.transaction.allowed == AllowedType.ALLOWED
    return "completed" if is_allowed or account.energy.wh else "invalid"


def _reason(transaction: Transaction) -> str | None:
    """As the charger told it; none is Local."""
    if transaction.closed_by == Transaction.ClosedBy.CHARGER:
        return transaction.stop_reason or "Local"
    return transaction.closed_why or None


def _number(wh: Decimal | None) -> int | Decimal | None:
    """Without digits that say nothing."""
    if wh is None:
        return None
    return int(wh) if wh == wh.to_integral_value() else wh.normalize()
