"""What a reservation costs that nobody used, where its Tariff has a price for that (§mod_tariffs_tariff_restrictions).

It is a CDR of its own, over the time from acceptance to expiry. Without such a price its Session ends as INVALID.
"""

import structlog
from django.db import transaction
from django.utils import timezone

from cpo_backend.billing import terms
from cpo_backend.billing.terms import Place
from cpo_backend.models import Reservation
from cpo_backend.remote import sessions
from ocpi.pricing.faults import BadInput
from ocpi.pricing.periods.generating import cdr_figures
from ocpi.pricing.periods.history import Change, History, State
from ocpi.store import documents
from ocpi.store.cdrs import cdrs
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival
from ocpi.types import codec, times, validation
from ocpi.v221.cdrs import AuthMethod
from ocpi.v221.cdrs import Cdr as Shape

log = structlog.get_logger(__name__)

_EXPIRES = "RESERVATION_EXPIRES"
_REMARK = "Reservation that was not used"


def make_due(limit: int = 200) -> int:
    """Bill what has expired; returns how many reservations those are."""
    due = Reservation.objects.filter(bill_due_at__lte=timezone.now()).order_by("pk")
    found = list(due.values_list("pk", flat=True)[:limit])
    for pk in found:
        _make(pk)
    return len(found)


@transaction.atomic
def _make(pk: int) -> None:
    row = Reservation.objects.select_for_update(of=("self",)).select_related("charger").get(pk=pk)
    if row.bill_due_at is None:
        return
    row.bill_due_at = None
    row.save(update_fields=["bill_due_at"])
    made = _cdr(row)
    if made is None:
        sessions.withdraw(row.party, row.session_id)
        return
    cdrs.add(Arrival(made, validation.check(made, Shape)), None)
    kept = {name: made[name] for name in ("charging_periods", "total_cost", "currency", "end_date_time")}
    sessions.complete(row.party, row.session_id, kept)


def _cdr(row: Reservation) -> Document | None:
    """None where there is nothing to pay, or what there is cannot be told."""
    place = terms.place_at(row.charger, row.number, 1)
    if place is None or row.active_since is None or row.ended_at is None:
        return None
    tariff = terms.tariff(place, row.active_since)
    if not _has_price(tariff):
        return None
    history = History(
        start=row.active_since,
        end=max(row.ended_at, row.active_since),
        zone=place.zone,
        tariff=tariff,
        changes=[Change(row.active_since, State.RESERVED)],
    )
    try:
        figures = cdr_figures(history).members
    except BadInput as fault:
        log.warning("a reservation cannot be priced", reservation=row.pk, fault=f"{fault.pointer} {fault.message}")
        return None
    if not figures.get("total_reservation_cost"):
        return None
    return _document(row, place) | figures


def _has_price(tariff: Document) -> bool:
    restrictions = [element.get("restrictions") for element in documents.objects(tariff, "elements")]
    return any(isinstance(one, dict) and one.get("reservation") == _EXPIRES for one in restrictions)


def _document(row: Reservation, place: Place) -> Document:
    found: Document = {
        "country_code": place.owner.country_code,
        "party_id": place.owner.party_id,
        "id": row.session_id,
        "session_id": row.session_id,
        "cdr_token": codec.decode(row.cdr_token.encode()),
        "auth_method": str(AuthMethod.COMMAND),
        "cdr_location": place.cdr_location(),
        "remark": _REMARK,
        "last_updated": times.now(),
    }
    return found | ({"authorization_reference": ref} if (ref := row.authorization_reference) else {})
