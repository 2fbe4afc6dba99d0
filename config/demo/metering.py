"""What a charge point would have told of a session: the demo's meter, its states, and what follows from them.

The car charges at falling power, is full after an hour and a quarter, and stays for fifteen minutes more.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ocpi.pricing.periods.generating import Generated, cdr_figures
from ocpi.pricing.periods.history import Change, History, Sample, State
from ocpi.store.documents import Document
from ocpi.types import times

MINUTES = 90
_FULL = 75
_REGISTER = Decimal("48211.306")  # kWh on the meter before
_ENERGY = {0: "0", 15: "2.604", 30: "5.187", 45: "7.702", 60: "10.033", 75: "12.345", 90: "12.345"}  # minutes: kWh


def read(start: datetime, location: Document, tariff: Document) -> Generated:
    """Periods, totals and costs of the session that began then."""
    return cdr_figures(
        History(
            start=start,
            end=start + timedelta(minutes=MINUTES),
            zone=location["time_zone"],
            tariff=tariff,
            samples=[
                Sample(start + timedelta(minutes=minute), register=_REGISTER + Decimal(kwh))
                for minute, kwh in _ENERGY.items()
            ],
            changes=[Change(start + timedelta(minutes=_FULL), State.SUSPENDED_EV)],
        )
    )


def session(location: Document, token: Document, tariff: Document, *, number: int, hours_ago: int = 0) -> Document:
    """A Session that has just ended, or so many hours ago, at the first Connector of a Location."""
    ended = times.parse(times.now()) - timedelta(hours=hours_ago)
    start = ended - timedelta(minutes=MINUTES)
    figures: dict[str, Any] = read(start, location, tariff).members
    evse = location["evses"][0]
    kept = ("country_code", "party_id", "uid", "type", "contract_id")
    return {
        **{name: location[name] for name in ("country_code", "party_id")},
        "id": f"SESSION-{number}",
        **{name: figures[name] for name in ("start_date_time", "end_date_time")},
        "kwh": figures["total_energy"],
        "cdr_token": {name: token[name] for name in kept},
        "auth_method": "WHITELIST",
        "location_id": location["id"],
        "evse_uid": evse["uid"],
        "connector_id": evse["connectors"][0]["id"],
        "currency": figures["currency"],
        "charging_periods": figures["charging_periods"],
        "total_cost": figures["total_cost"],
        "status": "COMPLETED",
        "last_updated": times.now(),
    }


def begun(session: Document) -> Document:
    """The same Session when it had just begun."""
    ended = ("end_date_time", "charging_periods", "total_cost")
    kept = {name: value for name, value in session.items() if name not in ended}
    return {**kept, "kwh": Decimal("0.000"), "status": "ACTIVE", "last_updated": times.now()}


def cdr(session: Document, location: Document, tariff: Document, *, number: int) -> Document:
    """The CDR of a Session."""
    evse = location["evses"][0]
    connector: Any = evse["connectors"][0]
    place = {name: location[name] for name in ("id", "address", "city", "postal_code", "country", "coordinates")}
    kept = ("country_code", "party_id", "cdr_token", "auth_method", "authorization_reference")
    return {
        **{name: session[name] for name in kept if name in session},
        "id": f"CDR-{number}",
        **read(times.parse(session["start_date_time"]), location, tariff).members,
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
        "last_updated": times.now(),
    }
