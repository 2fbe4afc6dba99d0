"""The reference for what writes and pages: a bare ASGI application with psycopg, and nothing else.

Same tables, same work in the database, durable; the token is looked up in a dict. No routing, no validation, no
message ids, no totals: what a node could at best be.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec
import psycopg

from ocpi.transport import authorization
from tests.bench.nodes import LOCATIONS, TOKEN

_CONNECTIONS = 8
_KNOWN = {authorization.encode(TOKEN).encode(): "bench"}
_OWNER = os.environ.get("BENCH_OWNER", "")
_PAGE = "SELECT id, document FROM ocpi_location WHERE owner = %s AND id > %s ORDER BY id LIMIT %s"
_STATUS = """
    WITH parent AS (
        UPDATE ocpi_location SET last_updated = greatest(last_updated, %(stamp)s::text::timestamptz),
            stamp = %(stamp)s::text, stale = true, revision = nextval('ocpi_revision'),
            xid = pg_current_xact_id()::text::bigint
        WHERE owner = %(owner)s AND key = %(location)s RETURNING id
    )
    UPDATE ocpi_evsestatus SET status = %(status)s, stamp = %(stamp)s::text FROM parent
    WHERE location_id = parent.id AND key = %(evse)s
"""
_SESSION = """
    UPDATE ocpi_session SET document = (document::jsonb || %s::jsonb)::text, last_updated = %s,
        revision = nextval('ocpi_revision'), xid = pg_current_xact_id()::text::bigint
    WHERE owner = %s AND key = %s
"""
_CDR = """
    INSERT INTO ocpi_cdr (owner, key, last_updated, document, defects, revision, xid, received_at,
        token_owner, session_key, is_credit)
    VALUES (%s, %s, %s, %s, '', nextval('ocpi_revision'), pg_current_xact_id()::text::bigint, now(), %s, %s, false)
"""
_TAIL = b'"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
_free: asyncio.Queue[psycopg.AsyncConnection[Any]] = asyncio.LifoQueue()


class _Change(msgspec.Struct):
    status: str
    last_updated: str


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Pages of one owner's Locations, and EVSE status changes."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if dict(scope["headers"]).get(b"authorization") not in _KNOWN:
        await _answer(send, 401, b'{"status_code":2001}')
        return
    connection = await _free.get()
    try:
        if "/sessions/" in scope["path"]:
            await _answer(send, *await _session(connection, scope["path"], await receive()))
        elif scope["path"].endswith("/cdrs"):
            await _answer(send, *await _cdr(connection, await receive()))
        elif scope["method"] == "PATCH":
            await _answer(send, *await _patch(connection, scope["path"], await receive()))
        elif scope["path"].startswith(LOCATIONS):
            await _answer(send, 200, await _page(connection, scope["query_string"]))
        else:
            await _answer(send, 200, b"{" + _TAIL)
    finally:
        _free.put_nowait(connection)


async def _page(connection: psycopg.AsyncConnection[Any], query: bytes) -> bytes:
    params = parse_qs(query)
    after, limit = int(params.get(b"cursor", [b"0"])[0]), int(params.get(b"limit", [b"100"])[0])
    cursor = await connection.execute(_PAGE, [_OWNER, after, limit])
    texts = ",".join([row[1] for row in await cursor.fetchall()])
    return b'{"data":[%s],%s' % (texts.encode(), _TAIL)


async def _patch(connection: psycopg.AsyncConnection[Any], path: str, message: dict[str, Any]) -> tuple[int, bytes]:
    change = msgspec.json.decode(message["body"], type=_Change)
    *_, country_code, party_id, location, evse = path.split("/")
    values = {
        "owner": f"{country_code}*{party_id}",
        "location": location.lower(),
        "evse": evse.lower(),
        "status": change.status,
        "stamp": change.last_updated,
    }
    cursor = await connection.execute(_STATUS, values)
    return (200, b"{" + _TAIL) if cursor.rowcount == 1 else (404, b'{"status_code":2003}')


async def _session(connection: psycopg.AsyncConnection[Any], path: str, message: dict[str, Any]) -> tuple[int, bytes]:
    change = msgspec.json.decode(message["body"])
    values = [message["body"].decode(), change["last_updated"], _OWNER, path.rsplit("/", 1)[1].lower()]
    cursor = await connection.execute(_SESSION, values)
    return (200, b"{" + _TAIL) if cursor.rowcount == 1 else (404, b'{"status_code":2000}')


async def _cdr(connection: psycopg.AsyncConnection[Any], message: dict[str, Any]) -> tuple[int, bytes]:
    body = message["body"]
    cdr = msgspec.json.decode(body)
    token, session = cdr["cdr_token"], cdr["session_id"].lower()
    owner = f"{token['country_code']}*{token['party_id']}"
    values = [_OWNER, cdr["id"].lower(), cdr["last_updated"], body.decode(), owner, session]
    await connection.execute(_CDR, values)
    return 201, b"{" + _TAIL


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    for _ in range(_CONNECTIONS):
        _free.put_nowait(await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"], autocommit=True))
    await send({"type": "lifespan.startup.complete"})
    await receive()
    while not _free.empty():
        await _free.get_nowait().close()
    await send({"type": "lifespan.shutdown.complete"})
