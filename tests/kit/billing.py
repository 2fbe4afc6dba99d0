"""CDRs of DE*CPO to be paid: an hour at 0.25 per kWh and 20% VAT, as others send them or as we make them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ocpi.models import Cdr
from ocpi.store.catalogue import STORES
from ocpi.store.objects import Arrival
from ocpi.types import codec, times
from ocpi.v221.versions import ModuleID
from tests.kit.objects import Document, cdr, price, tariff

CPO, MSP = "DE*CPO", "DE*MSP"


def component(net: str = "0.25", vat: str | None = "20", kind: str = "ENERGY") -> Document:
    found: Document = {"type": kind, "price": Decimal(net), "step_size": 1}
    return found if vat is None else found | {"vat": Decimal(vat)}


def per_kwh(*components: Document, published: datetime = datetime(2025, 1, 1, tzinfo=UTC), **changes: Any) -> Document:
    """A published Tariff; 0.25 per kWh unless told."""
    return tariff(
        country_code="DE",
        party_id="CPO",
        **{
            "last_updated": times.format(published),
            "elements": [{"price_components": list(components) or [component()]}],
            **changes,
        },
    )


def bill(begin: datetime, kwh: str = "10", cost: str = "2.50", **changes: Any) -> Document:
    """A CDR over an hour, which claims `cost` without VAT and 20% more with it."""
    net = Decimal(cost)
    dimensions = [{"type": "ENERGY", "volume": Decimal(kwh)}, {"type": "TIME", "volume": Decimal(1)}]
    start, end = times.format(begin), times.format(begin + timedelta(hours=1))
    document = cdr(
        country_code="DE",
        party_id="CPO",
        start_date_time=start,
        end_date_time=end,
        charging_periods=[{"start_date_time": start, "dimensions": dimensions, "tariff_id": "TARIFF-1"}],
        tariffs=[per_kwh()],
        total_cost=price(str(net), str(net * Decimal("1.2"))),
        total_energy=Decimal(kwh),
        total_time=Decimal(1),
        last_updated=end,
    )
    document |= {"session_id": f"S-{changes.get('id', document['id'])}"[:36]}
    return {**document, **changes}


def credit(original: Document, **changes: Any) -> Document:
    """What takes a CDR back."""
    total = {name: -amount for name, amount in original["total_cost"].items()}
    made = {"id": f"{original['id']}-C", "credit": True, "credit_reference_id": original["id"], "total_cost": total}
    return {**original, **made, **changes}


def receive(*documents: Document, source: int | None = 7) -> Cdr:
    """Store them one after the other, as others send them; the last row."""
    for document in documents:
        STORES[ModuleID.CDRS].put_many([Arrival(document)], source=source)
    row: Cdr = Cdr.objects.get(key=documents[-1]["id"].lower())
    return row


def stored(key: str) -> Document:
    document: Document = codec.decode(Cdr.objects.get(key=key).document.encode())
    return document
