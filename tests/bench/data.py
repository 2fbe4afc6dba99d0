"""Locations by SQL: a million in a minute. Two EVSEs each, 1.3 kB, one owner."""

import json
from pathlib import Path
from typing import Any

import psycopg

_STAMP = "2026-01-01T00:00:00Z"
_COLUMNS = "owner, key, last_updated, stamp, document, defects, source, stale, revision, xid, received_at"


def _evse(number: int) -> dict[str, Any]:
    connector = {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "max_electric_power": 22000,
        "last_updated": _STAMP,
    }
    return {
        "uid": f"E@-{number}",
        "evse_id": f"NL*OCP*E@*{number}",
        "status": "AVAILABLE",
        "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE"],
        "connectors": [connector],
        "last_updated": _STAMP,
    }


def _template(owner: str) -> str:
    """A Location document; every `@` stands for its number."""
    document = {
        "country_code": owner[:2],
        "party_id": owner[3:],
        "id": "LOC@",
        "publish": True,
        "name": "Charging site @",
        "address": "Kade 12",
        "city": "Veldstad",
        "postal_code": "1234 AB",
        "country": "NLD",
        "coordinates": {"latitude": "52.123456", "longitude": "5.654321"},
        "evses": [_evse(1), _evse(2)],
        "operator": {"name": "Example Charging", "website": "https://charging.example"},
        "time_zone": "Europe/Amsterdam",
        "opening_times": {"twentyfourseven": True},
        "last_updated": _STAMP,
    }
    return json.dumps(document, separators=(",", ":"))


def write(path: Path, owner: str, count: int) -> None:
    """The same Locations as a JSON file."""
    template = _template(owner)
    path.write_text(f"[{','.join(template.replace('@', f'{number:07}') for number in range(1, count + 1))}]")


def fill(url: str, owner: str, count: int, *, with_evses: int, source: int | None = None) -> int:
    """Create Locations LOC0000001 … of one owner; the first `with_evses` get rows of live status.

    Returns the size of one document.
    """
    template = _template(owner)
    with psycopg.connect(url) as connection:
        connection.execute(
            f"""
            INSERT INTO ocpi_location ({_COLUMNS})
            SELECT %(owner)s, 'loc' || number, %(stamp)s::text::timestamptz, %(stamp)s::text,
                replace(%(template)s, '@', number), '',
                %(source)s::bigint, false, nextval('ocpi_revision'), pg_current_xact_id()::text::bigint, now()
            FROM (SELECT lpad(n::text, 7, '0') AS number FROM generate_series(1, %(count)s) AS n) AS numbers
            """,
            {"owner": owner, "stamp": _STAMP, "template": template, "source": source, "count": count},
        )
        connection.execute(
            """
            INSERT INTO ocpi_evsestatus (location_id, key, status, stamp)
            SELECT id, 'e' || substr(key, 4) || '-' || evse, 'AVAILABLE', %s
            FROM ocpi_location, generate_series(1, 2) AS evse
            WHERE owner = %s AND key <= 'loc' || lpad(%s::text, 7, '0')
            """,
            [_STAMP, owner, with_evses],
        )
        connection.execute(
            "INSERT INTO ocpi_objectcount (module, owner, count) VALUES ('locations', %s, %s)", [owner, count]
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) ocpi_location, ocpi_evsestatus, ocpi_objectcount")
        connection.execute("CHECKPOINT")
    return len(template) + 6 * template.count("@")
