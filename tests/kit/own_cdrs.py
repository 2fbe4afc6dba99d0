"""CDRs of our own party NL*OCP for reports and statements: an hour of 10 kWh at LOC-1/EVSE-1 unless told."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from cpo_backend.reporting import following
from ocpi.models import Cdr
from ocpi.store.catalogue import STORES
from ocpi.store.objects import Arrival
from ocpi.types import times
from ocpi.v221.versions import ModuleID
from tests.kit.billing import per_kwh
from tests.kit.objects import Document, cdr, cdr_token, evse, location, price

OCP = "NL*OCP"


def ours(begin: datetime, id: str = "CDR-1", **changes: Any) -> Document:
    """A CDR with one charging period; also `hours`, `kwh`, `cost` (net, at 20% VAT), `site`, `uid`, `msp`."""
    hours, kwh, cost = (changes.pop(name, given) for name, given in (("hours", 1), ("kwh", "10"), ("cost", "2.50")))
    site, uid, msp = (
        changes.pop(name, given) for name, given in (("site", "LOC-1"), ("uid", "EVSE-1"), ("msp", "MSP"))
    )
    start, end = times.format(begin), times.format(begin + timedelta(hours=hours))
    document = cdr(
        id=id,
        session_id=f"S-{id}",
        start_date_time=start,
        end_date_time=end,
        cdr_token=cdr_token(party_id=msp),
        cdr_location={**cdr()["cdr_location"], "id": site, "evse_uid": uid},
        charging_periods=[period(begin, ENERGY=kwh, TIME=str(hours))],
        tariffs=[{**per_kwh(), "country_code": "NL", "party_id": "OCP"}],
        total_cost=price(cost, str(Decimal(cost) * Decimal("1.2"))),
        total_energy=Decimal(kwh),
        total_time=Decimal(hours),
        last_updated=end,
    )
    return {**document, **changes}


def period(begin: datetime, **volumes: str) -> Document:
    dimensions = [{"type": kind, "volume": Decimal(volume)} for kind, volume in volumes.items()]
    return {"start_date_time": times.format(begin), "dimensions": dimensions}


def store(*documents: Document, source: int | None = None) -> Cdr:
    """Store them, and have their figures read; the last row."""
    for document in documents:
        STORES[ModuleID.CDRS].put_many([Arrival(document)], source=source)
    following.follow()
    row: Cdr = Cdr.objects.get(key=documents[-1]["id"].lower())
    return row


def site(id: str = "LOC-1", *uids: str, **changes: Any) -> None:
    """A Location of ours with these EVSEs; EVSE-1 unless told."""
    evses = [evse(uid=uid) for uid in uids or ("EVSE-1",)]
    document = location(id=id, evses=evses, **changes)
    STORES[ModuleID.LOCATIONS].put_many([Arrival(document)], source=None)
