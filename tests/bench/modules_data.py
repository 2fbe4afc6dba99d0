"""Tokens and Sessions by SQL: a million in a minute; and the body of a CDR."""

import json
from typing import Any

import psycopg

_STAMP = "2026-01-01T00:00:00Z"
_OWNED = "owner, key, last_updated, document, defects, source, revision, xid, received_at"
_VALUES = "%(stamp)s::text::timestamptz, replace(%(template)s, '@', n), '', %(source)s::bigint"
_FEED = "nextval('ocpi_revision'), pg_current_xact_id()::text::bigint, now()"
_NUMBERS = "FROM (SELECT lpad(i::text, 7, '0') AS n FROM generate_series(1, %(count)s) AS i) AS numbers"


def _party(owner: str) -> dict[str, Any]:
    return {"country_code": owner[:2], "party_id": owner[3:]}


def _token(owner: str) -> dict[str, Any]:
    return {
        **_party(owner),
        "uid": "CARD@",
        "type": "RFID",
        "contract_id": "NLOSPC@",
        "issuer": "Example Mobility",
        "valid": True,
        "whitelist": "NEVER",
        "last_updated": _STAMP,
    }


def _session(owner: str, token_owner: str) -> dict[str, Any]:
    token = _token(token_owner)
    return {
        **_party(owner),
        "id": "S@",
        "start_date_time": _STAMP,
        "kwh": 0,
        "cdr_token": {name: token[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")},
        "auth_method": "AUTH_REQUEST",
        "location_id": "LOC1",
        "evse_uid": "E1",
        "connector_id": "1",
        "currency": "EUR",
        "status": "ACTIVE",
        "last_updated": _STAMP,
    }


def cdr(owner: str, token_owner: str) -> str:
    """The JSON of a CDR, its id to be filled in for every request."""
    session = _session(owner, token_owner)
    kept = ("country_code", "party_id", "start_date_time", "cdr_token", "auth_method", "currency", "last_updated")
    cost = {"excl_vat": 6.05, "incl_vat": 7.2}
    dimensions = [{"type": "ENERGY", "volume": 12.345}, {"type": "TIME", "volume": 1.5}]
    document = {
        **{name: session[name] for name in kept},
        "id": "C@RUN@-@COUNT@",
        "end_date_time": "2026-01-01T01:30:00Z",
        "session_id": "S@N@",
        "cdr_location": {
            "id": "LOC1",
            "address": "Kade 12",
            "city": "Veldstad",
            "country": "NLD",
            "coordinates": {"latitude": "52.123456", "longitude": "5.654321"},
            "evse_uid": "E1",
            "evse_id": "NL*OCP*E1",
            "connector_id": "1",
            "connector_standard": "IEC_62196_T2",
            "connector_format": "SOCKET",
            "connector_power_type": "AC_3_PHASE",
        },
        "charging_periods": [{"start_date_time": _STAMP, "dimensions": dimensions}],
        "total_cost": cost,
        "total_energy": 12.345,
        "total_time": 1.5,
    }
    return json.dumps(document, separators=(",", ":"))


def fill_tokens(url: str, owner: str, count: int) -> None:
    """Create own Tokens CARD0000001 … of one owner."""
    columns = "uid, type, contract_id, visual_number, valid, whitelist"
    own = "'card' || n, 'RFID', 'NLOSPC' || n, '', true, 'NEVER'"
    _fill(url, "token", "tokens", f"{_OWNED}, {columns}", f"'rfid card' || n, {_VALUES}, {_FEED}, {own}", owner, count)


def fill_sessions(url: str, owner: str, token_owner: str, count: int, source: int) -> None:
    """Create a partner's Sessions S0000001 …"""
    values = f"'s' || n, {_VALUES}, {_FEED}, %(token_owner)s, 'ACTIVE'"
    _fill(url, "session", "sessions", f"{_OWNED}, token_owner, status", values, owner, count, token_owner, source)


def fill_cdrs(url: str, owner: str, token_owner: str, count: int, source: int) -> None:
    """Create a partner's CDRs F0000001 … as a node has them that is not new: PostgreSQL knows its tables."""
    values = f"'f' || n, {_VALUES}, {_FEED}, %(token_owner)s, 's' || n, false"
    columns = f"{_OWNED}, token_owner, session_key, is_credit"
    _fill(url, "cdr", "cdrs", columns, values, owner, count, token_owner, source)


def _fill(
    url: str,
    table: str,
    module: str,
    columns: str,
    values: str,
    owner: str,
    count: int,
    token_owner: str = "",
    source: int | None = None,
) -> None:
    if table == "cdr":
        text = cdr(owner, token_owner).replace("C@RUN@-@COUNT@", "F@").replace("S@N@", "S@")
    else:
        text = json.dumps(_session(owner, token_owner) if table == "session" else _token(owner), separators=(",", ":"))
    given = {"owner": owner, "count": count, "template": text, "stamp": _STAMP, "source": source}
    with psycopg.connect(url) as connection:
        connection.execute(
            f"INSERT INTO ocpi_{table} ({columns}) SELECT %(owner)s, {values} {_NUMBERS}",
            {**given, "token_owner": token_owner},
        )
        connection.execute(
            "INSERT INTO ocpi_objectcount (module, owner, count) VALUES (%s, %s, %s)", [module, owner, count]
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"VACUUM (ANALYZE) ocpi_{table}, ocpi_objectcount")
        connection.execute("CHECKPOINT")
