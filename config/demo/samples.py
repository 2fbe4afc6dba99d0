"""What the demo shares beside the charging sites of a register: Tariffs, Tokens, and car parks whose EVSEs change their
status all the time. Sessions and their CDRs follow from `metering`.
"""

from decimal import Decimal

from ocpi.store.documents import Document
from ocpi.types import times

HUB, CPO, MSP = "NL*HUB", "DE*CPO", "NL*MSP"
TOKENS = 100
CAR_PARKS, PLACES = 50, 4
PER_KWH, PER_HOUR_PARKED, VAT = Decimal("0.49"), Decimal("3.00"), Decimal("19")


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
        "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE"],
        "connectors": [connector],
        "last_updated": times.now(),
    }


def tariffs(cpo: str) -> list[Document]:
    """A Tariff for alternating and one for direct current; who stays when the car is full pays for the time."""
    return [
        {
            **_owner(cpo),
            "id": id,
            "currency": "EUR",
            "type": "REGULAR",
            "elements": [
                {
                    "price_components": [
                        {"type": "ENERGY", "price": price, "vat": VAT, "step_size": 1},
                        {"type": "PARKING_TIME", "price": PER_HOUR_PARKED, "vat": VAT, "step_size": 60},
                    ]
                }
            ],
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
