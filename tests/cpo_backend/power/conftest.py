"""A site with four EVSEs of one phase and 32 A, each with a charger of its own."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.utils import timezone

from cpo_backend.models import OcppNode, PowerSite
from cpo_backend.power import sites
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from tests.kit import chargers, charging
from tests.kit.commands import CAPABLE
from tests.kit.objects import connector, evse, location

PLACE, COUNT = "LOC-1", 4


def add_site(limit: int = 11_000, count: int = COUNT, *, power_type: str = "AC_1_PHASE", **changes: Any) -> PowerSite:
    """CP-1, CP-2 … at LOC-1, with one EVSE each: LOC-1-1, LOC-1-2 …"""
    charging.add_tariff()
    charging.add_token()
    uids = [f"{PLACE}-{number}" for number in range(1, count + 1)]
    for number, uid in enumerate(uids, 1):
        chargers.add_charger(f"CP-{number}", (uid,), place=PLACE)
    single = connector(power_type=power_type, tariff_ids=["TARIFF-1"])
    evses = [evse(uid=uid, evse_id=f"NL*OCP*E{uid}", capabilities=CAPABLE, connectors=[single]) for uid in uids]
    locations.put(Arrival(location(id=PLACE, evses=evses)), None)
    found = PowerSite(party="NL*OCP", location_id=PLACE, limit=Decimal(limit), **changes)
    sites.save(found)
    return found


def add_node() -> OcppNode:
    """A process that says it holds sockets, and is believed for an hour."""
    now = timezone.now()
    return OcppNode.objects.create(id=uuid4(), host="kit", started_at=now, seen_at=now + timedelta(hours=1))
