"""Valid OCPI documents with invented, unchanging values. `changes` replace members; `without` removes them.

location(id="HARBOUR", evses=[evse(uid="H-1", status="CHARGING")])
"""

from decimal import Decimal
from typing import Any

from ocpi.v221.versions import InterfaceRole

Document = dict[str, Any]

NOON = "2026-03-01T12:00:00Z"


def minutes_after_noon(minutes: int, spelling: str = "Z") -> str:
    """A later moment of the same day, as OCPI writes it."""
    return f"2026-03-01T{12 + minutes // 60}:{minutes % 60:02}:00{spelling}"


def without(document: Document, *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}


def connector(**changes: Any) -> Document:
    return {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "last_updated": NOON,
        **changes,
    }


def evse(**changes: Any) -> Document:
    return {
        "uid": "EVSE-1",
        "evse_id": "NL*OCP*E000001",
        "status": "AVAILABLE",
        "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE"],
        "connectors": [connector()],
        "last_updated": NOON,
        **changes,
    }


def location(**changes: Any) -> Document:
    return {
        "country_code": "NL",
        "party_id": "OCP",
        "id": "LOC-1",
        "publish": True,
        "name": "Harbour car park",
        "address": "Quay 12",
        "city": "Veldstad",
        "postal_code": "1234 AB",
        "country": "NLD",
        "coordinates": {"latitude": "52.123456", "longitude": "5.654321"},
        "evses": [evse()],
        "time_zone": "Europe/Amsterdam",
        "last_updated": NOON,
        **changes,
    }


def odd_location(**changes: Any) -> Document:
    """A valid Location with everything that must survive storage: unknown members and values, exact numbers, null."""
    return location(
        **{
            "evses": [evse(capabilities=["RFID_READER", "PLUG_AND_CHARGE"], future_flag=None)],
            "energy_mix": {
                "is_green_energy": True,
                "energy_sources": [{"source": "WATER", "percentage": Decimal("33.3300")}],
                "environ_impact": [{"category": "CARBON_DIOXIDE", "amount": Decimal("0.1000")}],
            },
            "parking_type": "ON_THE_MOON",
            "facilities": [],
            "vendor_extension": {"big": 9007199254740993, "exact": Decimal("1234567.8901"), "empty": {}, "none": None},
            "name": "Straße der Öl-Mühle ⚡",
            **changes,
        }
    )


def credentials_role(**changes: Any) -> Document:
    return {
        "role": "EMSP",
        "business_details": {"name": "Example Mobility"},
        "party_id": "MSP",
        "country_code": "NL",
        **changes,
    }


def credentials(**changes: Any) -> Document:
    return {
        "token": "token-b-of-the-partner-0123456789",
        "url": "https://partner.example/ocpi/versions",
        "roles": [credentials_role()],
        **changes,
    }


def endpoint(module: str, url: str, role: str = InterfaceRole.SENDER) -> Document:
    return {"identifier": module, "role": role, "url": url}
