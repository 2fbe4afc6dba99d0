"""What the demo shares beside the charging sites of a register: Tariffs, Tokens, one Session and its CDR, and car parks
whose EVSEs change their status all the time. All figures are exact.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from ocpi.store.documents import Document
from ocpi.types import times

CPO, MSP = "DE*CPO", "NL*MSP"
TOKENS = 100
CAR_PARKS, PLACES = 50, 4
KWH, HOURS = Decimal("12.345"), Decimal("1.5")
PER_KWH, VAT = Decimal("0.49"), Decimal("19")


def _owner(party: str) -> Document:
    return {"country_code": party[:2], "party_id": party[3:]}


def car_parks(cpo: str) -> list[Document]:
    """Locations of some EVSEs each."""
    return [
        {
            **_owner(cpo),
            "id": f"PARK-{number}",
            "publish": True,
            "name": f"Car park {number}",
            "address": f"Ringstrasse {number}",
            "city": "Musterstadt",
            "postal_code": "12345",
            "country": "DEU",
            "coordinates": {"latitude": f"51.{number:05}", "longitude": f"7.{number:05}"},
            "evses": [_evse(cpo, number, place) for place in range(1, PLACES + 1)],
            "time_zone": "Europe/Berlin",
            "last_updated": times.now(),
        }
        for number in range(1, CAR_PARKS + 1)
    ]


def _evse(cpo: str, park: int, place: int) -> Document:
    connector = {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "tariff_ids": ["AC-DAY"],
        "last_updated": times.now(),
    }
    return {
        "uid": f"PARK-{park}-{place}",
        "evse_id": f"{cpo}*E{park:04}{place}",
        "status": "AVAILABLE",
        "connectors": [connector],
        "last_updated": times.now(),
    }


def tariffs(cpo: str) -> list[Document]:
    """A Tariff for alternating and one for direct current."""
    return [
        {
            **_owner(cpo),
            "id": id,
            "currency": "EUR",
            "type": "REGULAR",
            "tariff_alt_text": [{"language": "en", "text": f"{price} EUR per kWh, plus VAT"}],
            "elements": [{"price_components": [{"type": "ENERGY", "price": price, "vat": VAT, "step_size": 1}]}],
            "last_updated": times.now(),
        }
        for id, price in (("AC-DAY", PER_KWH), ("DC-FAST", Decimal("0.69")))
    ]


def tokens(msp: str) -> list[Document]:
    """Cards that must be authorized in real time; the second one is blocked."""
    return [
        {
            **_owner(msp),
            "uid": f"04A1B2C3D4{number:04X}",
            "type": "RFID",
            "contract_id": f"{msp[:2]}{msp[3:]}C{number:08}",
            "visual_number": f"{number:08}",
            "issuer": "Example Mobility",
            "valid": number != 1,
            "whitelist": "NEVER",
            "language": "en",
            "last_updated": times.now(),
        }
        for number in range(TOKENS)
    ]


def _cdr_token(token: Document) -> Document:
    return {name: token[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")}


def session(location: Document, token: Document, reference: str) -> Document:
    """A Session that began an hour and a half ago at the first Connector of a Location."""
    evse = location["evses"][0]
    began = times.format(times.parse(times.now()) - timedelta(hours=float(HOURS)))
    return {
        **{name: location[name] for name in ("country_code", "party_id")},
        "id": "SESSION-1",
        "start_date_time": began,
        "kwh": Decimal("0.000"),
        "cdr_token": _cdr_token(token),
        "auth_method": "AUTH_REQUEST",
        "authorization_reference": reference,
        "location_id": location["id"],
        "evse_uid": evse["uid"],
        "connector_id": evse["connectors"][0]["id"],
        "currency": "EUR",
        "status": "ACTIVE",
        "last_updated": times.now(),
    }


def completed(session: Document) -> Document:
    """The same Session after it has ended."""
    now = times.now()
    dimensions = [{"type": "ENERGY", "volume": KWH}, {"type": "TIME", "volume": HOURS}]
    period = {"start_date_time": session["start_date_time"], "dimensions": dimensions, "tariff_id": "AC-DAY"}
    return {
        **session,
        "end_date_time": now,
        "kwh": KWH,
        "charging_periods": [period],
        "total_cost": _cost(),
        "status": "COMPLETED",
        "last_updated": now,
    }


def _cost() -> dict[str, Decimal]:
    net = KWH * PER_KWH
    cent = Decimal("0.0001")
    return {"excl_vat": net.quantize(cent), "incl_vat": (net * (100 + VAT) / 100).quantize(cent)}


def cdr(session: Document, location: Document, tariffs: Sequence[Document]) -> Document:
    """The CDR of a completed Session."""
    evse = location["evses"][0]
    connector: Any = evse["connectors"][0]
    place = {name: location[name] for name in ("id", "address", "city", "postal_code", "country", "coordinates")}
    kept = ("country_code", "party_id", "start_date_time", "end_date_time", "cdr_token", "auth_method", "currency")
    return {
        **{name: session[name] for name in (*kept, "authorization_reference", "charging_periods", "total_cost")},
        "id": "CDR-1",
        "session_id": session["id"],
        "cdr_location": {
            **place,
            "evse_uid": evse["uid"],
            "evse_id": evse["evse_id"],
            "connector_id": connector["id"],
            "connector_standard": connector["standard"],
            "connector_format": connector["format"],
            "connector_power_type": connector["power_type"],
        },
        "tariffs": [tariff for tariff in tariffs if tariff["id"] == "AC-DAY"],
        "total_energy": KWH,
        "total_energy_cost": session["total_cost"],
        "total_time": HOURS,
        "last_updated": session["last_updated"],
    }
