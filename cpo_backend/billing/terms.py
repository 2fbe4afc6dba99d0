"""Where a transaction took place and what it costs: the Connector of OCPI, and its Tariff as it was at the start."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from cpo_backend.models import Charger, ChargerEvse, Transaction
from ocpi.ids import PartyId
from ocpi.store import documents
from ocpi.store.documents import Document
from ocpi.store.locations import Path, locations
from ocpi.store.tariffs import tariffs
from ocpi.types import codec, times
from ocpi.v221.tariffs import TariffType

FREE = "FREE"
_CURRENCY = "EUR"
_ORDINARY = (None, TariffType.REGULAR)
_PHASES = {"AC_3_PHASE": 3, "AC_2_PHASE": 2, "AC_2_PHASE_SPLIT": 2}
# Members of a Location that a CDR repeats (§mod_cdrs_cdr_location_class).
_OF_LOCATION = ("id", "name", "address", "city", "postal_code", "state", "country", "coordinates")
_NO_EVSE_ID = "#NA"


@dataclass(frozen=True, slots=True)
class Place:
    """The Connector that was used, with all that it is part of."""

    owner: PartyId
    location: Document
    evse: Document
    connector: Document

    @property
    def zone(self) -> str:
        return str(self.location.get("time_zone") or "UTC")

    @property
    def most_power(self) -> Decimal | None:
        """What the Connector can deliver, in W."""
        return power(self.connector)

    def cdr_location(self) -> Document:
        """As a CDR names it (§mod_cdrs_cdr_location_class)."""
        found = {name: self.location[name] for name in _OF_LOCATION if self.location.get(name) is not None}
        return found | {
            "evse_uid": self.evse["uid"],
            "evse_id": self.evse.get("evse_id") or _NO_EVSE_ID,
            "connector_id": self.connector["id"],
            "connector_standard": self.connector["standard"],
            "connector_format": self.connector["format"],
            "connector_power_type": self.connector["power_type"],
        }


def power(connector: Document) -> Decimal | None:
    """What a Connector can deliver, in W; voltages are those of one phase."""
    told = connector.get("max_electric_power")
    if isinstance(told, int | Decimal) and told > 0:
        return Decimal(told)
    amounts = [connector.get(name) for name in ("max_voltage", "max_amperage")]
    if not all(isinstance(amount, int | Decimal) and amount > 0 for amount in amounts):
        return None
    voltage, amperage = (Decimal(str(amount)) for amount in amounts)
    return voltage * amperage * _PHASES.get(str(connector.get("power_type")), 1)


def place(transaction: Transaction) -> Place | None:
    """None when no EVSE is mapped to its number, or the Location has no such EVSE any more."""
    return place_at(transaction.charger, transaction.number, transaction.connector)


def place_at(charger: Charger, number: int | None, connector: int) -> Place | None:
    """The same for what a charger calls its EVSE and its connector."""
    if number is None or not charger.party:
        return None
    mapped = ChargerEvse.objects.filter(charger=charger, number=number).first()
    if mapped is None:
        return None
    owner = PartyId(charger.party)
    text = locations.find_part(Path(owner, charger.location_id))
    location: Document = codec.decode(text.encode()) if text else {}
    evse = documents.child(location, "evses", "uid", mapped.evse_uid)
    connectors = documents.objects(evse, "connectors") if evse else []
    if evse is None or not connectors:
        return None
    return Place(owner, location, evse, connector_of(connectors, connector))


def connector_of(connectors: list[Document], number: int) -> Document:
    """That with this id, else that in this place, else the first."""
    named = next((one for one in connectors if str(one.get("id")) == str(number)), None)
    return named or (connectors[number - 1] if 1 <= number <= len(connectors) else connectors[0])


def tariff(place: Place, at: datetime) -> Document:
    """The Tariff of the Connector that is valid then: one for everybody, before those of a profile; else a free one."""
    found = [document for document in _named(place) if _is_valid(document, at)]
    found.sort(key=lambda document: document.get("type") not in _ORDINARY)
    return found[0] if found else _free(place.owner, at)


def _named(place: Place) -> Iterator[Document]:
    for id in documents.items(place.connector, "tariff_ids"):
        if text := tariffs.find(place.owner, str(id)):
            yield codec.decode(text.encode())


def _is_valid(document: Document, at: datetime) -> bool:
    begin, end = _time(document.get("start_date_time")), _time(document.get("end_date_time"))
    return (begin is None or begin <= at) and (end is None or at < end)


def _time(value: Any) -> datetime | None:
    try:
        return times.parse(value)
    except (TypeError, ValueError):
        return None


def _free(owner: PartyId, at: datetime) -> Document:
    """Where no Tariff is set, nothing is to be paid; a CDR says so by a Tariff, or nobody could check it."""
    price = {"type": "ENERGY", "price": Decimal("0.0000"), "step_size": 1}
    return {
        "country_code": owner.country_code,
        "party_id": owner.party_id,
        "id": FREE,
        "currency": _CURRENCY,
        "elements": [{"price_components": [price]}],
        "last_updated": times.format(at),
    }
