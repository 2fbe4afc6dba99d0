"""The live part of a Location: status and `last_updated` of its EVSEs, in small rows of their own.

A status change is one statement that writes the EVSE's row and the Location's stamps and leaves the document alone,
marked stale. A status or moment too odd for its column stays in the document only, which then counts.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from ocpi.ids import PartyId
from ocpi.models import EvseStatus
from ocpi.store import documents, revisions, writing
from ocpi.store.documents import Document
from ocpi.store.revisions import Position
from ocpi.store.scope import Scope
from ocpi.types import times
from ocpi.v221.locations import Status

FIELDS = ("status", "last_updated")
_LONGEST = 40
Live = dict[str, tuple[str, str]]


def sane(value: object) -> str:
    """A status or moment as the live row holds it; empty when it is too odd, and then the document's own counts."""
    return value if isinstance(value, str) and len(value) <= _LONGEST else ""


def of(location_ids: Collection[int]) -> dict[int, Live]:
    """Status and moment of every EVSE of some Locations, by Location and EVSE key."""
    found: dict[int, Live] = {}
    rows = EvseStatus.objects.filter(location_id__in=location_ids)
    for id, key, status, stamp in rows.values_list("location_id", "key", "status", "stamp"):
        found.setdefault(id, {})[key] = (status, stamp)
    return found


def overlay(document: Document, live: Live, stamp: str) -> None:
    """Put the live part into a document."""
    if stamp:
        document["last_updated"] = stamp
    for evse in documents.items(document, "evses"):
        for name, value in zip(FIELDS, live.get(str(evse["uid"]).lower(), ()), strict=False):
            if value:
                evse[name] = value


def save(locations: Mapping[int, Document]) -> None:
    """The live rows of whole Locations, replaced in place: a status change that waits for us must find its row."""
    live = {
        (id, str(evse["uid"]).lower()): [sane(evse.get(name)) for name in FIELDS]
        for id, document in locations.items()
        for evse in documents.items(document, "evses")
    }
    stored = EvseStatus.objects.filter(location_id__in=locations).values_list("id", "location_id", "key")
    if gone := [id for id, *key in stored if tuple(key) not in live]:
        EvseStatus.objects.filter(id__in=gone)._raw_delete(connection.alias)
    rows = [
        {"location_id": id, "key": key, "status": status, "stamp": stamp} for (id, key), (status, stamp) in live.items()
    ]
    if rows:
        writing.upsert(EvseStatus, ("location_id", "key"), rows)


def is_status_change(changes: Document) -> bool:
    """Whether the status of an EVSE changes, and nothing else, to something not at all odd."""
    return changes.keys() == set(FIELDS) and Status(changes["status"]).is_known and sane(changes["last_updated"]) != ""


_LOCATION_OF_EVSE = """
    owner = %(owner)s AND key = %(location)s AND defects NOT LIKE '%%/status"%%'
    AND EXISTS (SELECT 1 FROM ocpi_evsestatus e WHERE e.location_id = ocpi_location.id AND e.key = %(evse)s)
"""
_TOUCHED = """
    stamp = CASE WHEN last_updated <= %(moment)s THEN %(stamp)s ELSE stamp END,
    last_updated = CASE WHEN last_updated <= %(moment)s THEN %(moment)s ELSE last_updated END,
    stale = true, source = %(source)s, received_at = %(now)s
"""
_POSTGRES_STATUS = f"""
    WITH parent AS (
        UPDATE ocpi_location SET {_TOUCHED}, version = nextval('ocpi_revision') WHERE {_LOCATION_OF_EVSE}
        RETURNING id, version
    )
    UPDATE ocpi_evsestatus
    SET status = %(status)s, stamp = %(stamp)s, revision = version, xid = pg_current_xact_id()::text::bigint
    FROM parent WHERE location_id = parent.id AND key = %(evse)s
"""  # noqa: S608
_SQLITE_PARENT = f"""
    UPDATE ocpi_location SET {_TOUCHED}, version = %(revision)s WHERE {_LOCATION_OF_EVSE} RETURNING id
"""  # noqa: S608
_SQLITE_CHILD = """
    UPDATE ocpi_evsestatus SET status = %(status)s, stamp = %(stamp)s, revision = %(revision)s
    WHERE location_id = %(id)s AND key = %(evse)s
"""


def patch(owner: PartyId, location_key: str, evse_uid: str, changes: Document, source: int | None) -> bool:
    """Set an EVSE's status in one statement; False when there is no such EVSE, or a defect that this may repair."""
    sql, given = statement(owner, location_key, evse_uid, changes, source)
    if connection.vendor == "postgresql":
        return writing.execute(sql, given) == 1
    with transaction.atomic():
        given["revision"] = revisions.take(1)[0].revision
        parent = writing.fetch(_SQLITE_PARENT, given)
        return bool(parent) and writing.execute(_SQLITE_CHILD, {**given, "id": parent[0][0]}) == 1


def statement(
    owner: PartyId, location_key: str, evse_uid: str, changes: Document, source: int | None
) -> tuple[str, dict[str, Any]]:
    """What sets the status on PostgreSQL, for whoever runs it himself: it touches one row, or none where `patch`
    returns False.
    """
    return _POSTGRES_STATUS, {
        "owner": owner,
        "location": location_key,
        "evse": evse_uid.lower(),
        "status": changes["status"],
        "stamp": changes["last_updated"],
        "moment": writing.adapted(times.parse(changes["last_updated"])),
        "source": source,
        "now": writing.adapted(datetime.now(UTC)),
    }


class Change(NamedTuple):
    """The new status of an EVSE: as `revisions.Change`, with the row of its Location."""

    location_id: int
    owner: PartyId
    source: int | None
    position: Position
    at: datetime
    uid: str  # lower case
    status: str
    stamp: str


def changes(scope: Scope, since: Position, limit: int) -> list[Change]:
    """The EVSEs of Locations in `scope` whose status changed by itself after `since`, oldest change first.

    A status that came with a whole Location is a change of that Location, and not among them.
    """
    condition, owners = scope.sql()
    rows = writing.fetch(
        "SELECT l.id, l.owner, l.source, e.xid, e.revision, l.received_at, e.key, e.status, e.stamp "  # noqa: S608
        "FROM ocpi_evsestatus e JOIN (SELECT id, owner, source, received_at FROM ocpi_location) l "
        f"ON l.id = e.location_id WHERE (e.xid, e.revision) > (%s, %s) AND {revisions.settled('e')} AND {condition} "
        "ORDER BY e.xid, e.revision LIMIT %s",
        [*since, *owners, limit],
    )
    return [
        Change(id, PartyId(owner), source, Position(xid, revision), writing.moment(at), *live)
        for id, owner, source, xid, revision, at, *live in rows
    ]
