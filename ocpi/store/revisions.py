"""The one sequence of changes, and the feed that reads it without gaps.

Every write gives its row the next revision and, on PostgreSQL, the id of its transaction. Transactions commit out of
sequence, so a reader goes by (xid, revision) and stops before the oldest transaction still running: whatever
commits later has a higher transaction id and is read later. SQLite's writes are serial; there the xid is 0.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, models

from ocpi.ids import PartyId
from ocpi.models import OwnedObject
from ocpi.store import writing
from ocpi.store.scope import Scope

_POSTGRES_TAKE = (
    "SELECT array_agg(nextval('ocpi_revision')), pg_current_xact_id()::text::bigint FROM generate_series(1, %s)"
)
_SQLITE_TAKE = "UPDATE ocpi_revision SET value = value + %s RETURNING value"

# What a single writing statement embeds to stamp its row (PostgreSQL only).
POSTGRES_STAMP = "revision = nextval('ocpi_revision'), xid = pg_current_xact_id()::text::bigint"


class Position(NamedTuple):
    """A place in the change feed."""

    xid: int = 0
    revision: int = 0


def take(count: int) -> list[Position]:
    """The next `count` places for rows written by the running transaction."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRES_TAKE, [count])
            revisions, xid = cursor.fetchone()
            return [Position(xid, revision) for revision in revisions]
        cursor.execute(_SQLITE_TAKE, [count])
        last = cursor.fetchone()[0]
        return [Position(0, revision) for revision in range(last - count + 1, last + 1)]


class Change(NamedTuple):
    """A changed object: its row, its owner, where it came from, its place in the feed, and when it was written.

    `version` tells apart the states that the row has been in.
    """

    id: int
    owner: PartyId
    key: str
    source: int | None
    position: Position
    version: int
    at: datetime


def change(row: OwnedObject) -> Change:
    """A row as the change that it went through last."""
    version = getattr(row, row.version_column)
    place = Position(row.xid, row.revision)
    return Change(row.pk, PartyId(row.owner), row.key, row.source, place, version, row.received_at)


def changes(model: type[OwnedObject], scope: Scope, since: Position, limit: int) -> list[Change]:
    """The objects of `scope` written after `since`, oldest change first; ten changes of one object are one."""
    condition, owners = scope.sql()
    rows = writing.fetch(
        f"SELECT id, owner, key, source, xid, revision, {model.version_column}, received_at "  # noqa: S608
        f"FROM {model._meta.db_table} WHERE (xid, revision) > (%s, %s) AND {settled()} AND {condition} "
        "ORDER BY xid, revision LIMIT %s",
        [*since, *owners, limit],
    )
    return [
        Change(id, PartyId(owner), key, source, Position(xid, revision), version, writing.moment(at))
        for id, owner, key, source, xid, revision, version, at in rows
    ]


def ends(tables: Sequence[type[models.Model]], *, unsettled: bool = False) -> list[Position]:
    """The last place that the feed of each table can be read to now; `unsettled`: that there is, readable or not."""
    condition = "true" if unsettled else settled()
    last = [
        f"SELECT * FROM (SELECT {number}, xid, revision FROM {model._meta.db_table} WHERE {condition} "  # noqa: S608
        f"ORDER BY xid DESC, revision DESC LIMIT 1) AS last_{number}"
        for number, model in enumerate(tables)
    ]
    found = {number: Position(*place) for number, *place in writing.fetch(" UNION ALL ".join(last), [])}
    return [found.get(number, Position()) for number in range(len(tables))]


def settled(table: str = "") -> str:
    """The condition that no running transaction can still write before a row of `table`."""
    if connection.vendor != "postgresql":
        return "true"
    return f"{table and table + '.'}xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
