"""Which charger a command is for."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from cpo_backend.models import Charger, ChargerEvse, RemoteStart
from cpo_backend.ocpp import fencing
from ocpi.ids import PartyId
from ocpi.store import documents
from ocpi.store.documents import Document
from ocpi.v221.locations import Capability, Status

_UNDER_WAY = (RemoteStart.State.WAITING, RemoteStart.State.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Target:
    """An EVSE of a charger; `number` is what the charger calls it, `connector` that of its Connector."""

    charger: Charger
    number: int
    evse: Document
    connector: int = 1


def target(owner: PartyId, location_id: str, evse: Document, connector_id: str | None = None) -> Target | None:
    """The charger that this EVSE is at; None when none is registered for it."""
    place = "/".join((owner, location_id, str(evse["uid"]))).lower()
    found = _evses().filter(place=place).first()
    return Target(found.charger, found.number, evse, _connector(evse, connector_id)) if found else None


def free(owner: PartyId, location: Document, capability: Capability) -> Target | None:
    """An EVSE of the Location that is AVAILABLE, capable and connected, and at which nothing is about to begin."""
    uids = {
        str(evse["uid"]).lower(): evse
        for evse in documents.objects(location, "evses")
        if capability in documents.items(evse, "capabilities")
    }
    busy = set(
        RemoteStart.objects.filter(state__in=_UNDER_WAY, expires_at__gt=timezone.now()).values_list(
            "charger_id", "number"
        )
    )
    prefix = f"{owner}/{location['id']}/".lower()
    available = _evses().filter(place__startswith=prefix, published_status=Status.AVAILABLE)
    online = set(Charger.objects.filter(fencing.online()).values_list("pk", flat=True))
    for found in available.order_by("charger", "number"):
        evse = uids.get(found.evse_uid.lower())
        if evse and found.charger_id in online and (found.charger_id, found.number) not in busy:
            return Target(found.charger, found.number, evse)
    return None


def _evses() -> "QuerySet[ChargerEvse]":
    return ChargerEvse.objects.select_related("charger").filter(charger__state=Charger.State.ACCEPTED)


def _connector(evse: Document, id: str | None) -> int:
    """What a charger of OCPP 2.0.1 calls a Connector: its id where that is a number, else its place in the list."""
    ids = [str(connector.get("id")).lower() for connector in documents.objects(evse, "connectors")]
    if id is None or id.lower() not in ids:
        return 1
    return int(id) if id.isdecimal() and 0 < int(id) <= len(ids) else ids.index(id.lower()) + 1
