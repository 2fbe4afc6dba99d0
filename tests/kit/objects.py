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


def price(excl_vat: str, incl_vat: str | None = None) -> Document:
    """An amount with as many digits as written."""
    return {"excl_vat": Decimal(excl_vat)} | ({"incl_vat": Decimal(incl_vat)} if incl_vat else {})


def tariff(**changes: Any) -> Document:
    return {
        "country_code": "NL",
        "party_id": "OCP",
        "id": "TARIFF-1",
        "currency": "EUR",
        "type": "REGULAR",
        "elements": [
            {
                "price_components": [
                    {"type": "ENERGY", "price": Decimal("0.2500"), "vat": Decimal("21.0"), "step_size": 1},
                    {"type": "FLAT", "price": Decimal("0.50"), "step_size": 1},
                ],
            }
        ],
        "last_updated": NOON,
        **changes,
    }


def token(**changes: Any) -> Document:
    """A card of our own party NL*OSP, to be authorized in real time."""
    return {
        "country_code": "NL",
        "party_id": "OSP",
        "uid": "04A1B2C3D4",
        "type": "RFID",
        "contract_id": "NL-OSP-C0000001-5",
        "visual_number": "NL-OSP-0000001",
        "issuer": "Example Mobility",
        "valid": True,
        "whitelist": "NEVER",
        "language": "nl",
        "last_updated": NOON,
        **changes,
    }


def cdr_token(**changes: Any) -> Document:
    """A Token as Sessions and CDRs name it; its owner is the eMSP DE*MSP."""
    return {
        "country_code": "DE",
        "party_id": "MSP",
        "uid": "04A1B2C3D4",
        "type": "RFID",
        "contract_id": "DE-MSP-C0000001-5",
        **changes,
    }


def charging_period(energy: str = "1.2500", **changes: Any) -> Document:
    return {
        "start_date_time": NOON,
        "dimensions": [{"type": "ENERGY", "volume": Decimal(energy)}, {"type": "TIME", "volume": Decimal("0.25")}],
        "tariff_id": "TARIFF-1",
        **changes,
    }


def session(**changes: Any) -> Document:
    """A Session that goes on at EVSE-1 of LOC-1, of a driver of DE*MSP."""
    return {
        "country_code": "NL",
        "party_id": "OCP",
        "id": "SESSION-1",
        "start_date_time": NOON,
        "kwh": Decimal("1.2500"),
        "cdr_token": cdr_token(),
        "auth_method": "WHITELIST",
        "location_id": "LOC-1",
        "evse_uid": "EVSE-1",
        "connector_id": "1",
        "currency": "EUR",
        "charging_periods": [charging_period()],
        "total_cost": price("0.8125", "0.9831"),
        "status": "ACTIVE",
        "last_updated": NOON,
        **changes,
    }


def cdr(**changes: Any) -> Document:
    """The CDR of SESSION-1."""
    return {
        "country_code": "NL",
        "party_id": "OCP",
        "id": "CDR-1",
        "start_date_time": NOON,
        "end_date_time": minutes_after_noon(15),
        "session_id": "SESSION-1",
        "cdr_token": cdr_token(),
        "auth_method": "WHITELIST",
        "cdr_location": {
            "id": "LOC-1",
            "address": "Quay 12",
            "city": "Veldstad",
            "country": "NLD",
            "coordinates": {"latitude": "52.123456", "longitude": "5.654321"},
            "evse_uid": "EVSE-1",
            "evse_id": "NL*OCP*E000001",
            "connector_id": "1",
            "connector_standard": "IEC_62196_T2",
            "connector_format": "SOCKET",
            "connector_power_type": "AC_3_PHASE",
        },
        "currency": "EUR",
        "charging_periods": [charging_period()],
        "total_cost": price("0.8125", "0.9831"),
        "total_energy": Decimal("1.2500"),
        "total_time": Decimal("0.2500"),
        "last_updated": minutes_after_noon(20),
        **changes,
    }


def credit_cdr(**changes: Any) -> Document:
    """The CDR that takes CDR-1 back."""
    credited = {"id": "CDR-1-C", "credit": True, "credit_reference_id": "CDR-1", "last_updated": minutes_after_noon(30)}
    return cdr(**{**credited, "total_cost": price("-0.8125", "-0.9831"), **changes})


def client_info(**changes: Any) -> Document:
    return {
        "party_id": "MSP",
        "country_code": "DE",
        "role": "EMSP",
        "status": "CONNECTED",
        "last_updated": NOON,
        **changes,
    }
