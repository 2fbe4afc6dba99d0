"""What a session costs, on the display of its charger, taxes included: while it goes on and when its CDR is made.

OCPP 2.0.1 only, for chargers that say in which currency they show it (TariffCostCtrlr.Currency). The price is ours, by
the Tariff; what the driver's eMSP makes of it nobody knows here.
"""

from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from cpo_backend.commanding import queue
from cpo_backend.models import Bill, Charger, OcppCommand, Transaction
from ocpi.store.documents import Document
from ocpi.types import codec

_EVERY = timedelta(seconds=60)
_TIMEOUT = 20.0
_CURRENCY = "TariffCostCtrlr.Currency"


def show(bill: Bill, transaction: Transaction, told: Document, *, is_final: bool = False) -> None:
    """Have the charger told what a Session or CDR says, if that is news; running costs once in a minute at most."""
    if not settings.OCPP_SHOW_COST or transaction.told_id is None:
        return
    cost, now = _with_taxes(told), timezone.now()
    if cost is None or cost == bill.shown_cost or not _shows(transaction.charger, str(told.get("currency"))):
        return
    if not is_final and bill.cost_shown_at is not None and now - bill.cost_shown_at < _EVERY:
        return
    request = {"totalCost": cost, "transactionId": transaction.told_id}
    queue.put(transaction.charger, "CostUpdated", request, purpose=OcppCommand.Purpose.COST, timeout=_TIMEOUT)
    bill.shown_cost, bill.cost_shown_at = cost, now


def _with_taxes(told: Document) -> Decimal | None:
    total = told.get("total_cost")
    found = total.get("incl_vat") if isinstance(total, dict) else None
    return Decimal(found) if isinstance(found, int | Decimal) else None


def _shows(charger: Charger, currency: str) -> bool:
    known = codec.decode(charger.configuration.encode()) if charger.configuration else {}
    told = known.get(_CURRENCY) or [None]
    return str(told[0] or "").upper() == currency.upper()


def final(charger_id: int, told_id: str) -> Decimal | None:
    """The cost of a transaction whose CDR is out, as it was shown."""
    if not settings.OCPP_SHOW_COST:
        return None
    bills = Bill.objects.filter(transaction__charger=charger_id, transaction__told_id=told_id, state=Bill.State.OUT)
    return bills.values_list("shown_cost", flat=True).first()
