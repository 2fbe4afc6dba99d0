"""Writing objects, one or many in a statement: what every module's writer shares.

New objects of one owner are created one transaction at a time (the owner's `ObjectCount` row is the lock), so the
total stays exact and two creations of one object cannot pass each other. Plain SQL: this is the hot path of every
push and pull, and the ORM costs it three times as much.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection, models

from ocpi.ids import PartyId
from ocpi.models import OwnedObject
from ocpi.types import codec

Params = Sequence[Any] | Mapping[str, Any]


class Outcome(NamedTuple):
    """How many objects were created, updated, or found to say the same already."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: tuple[int, ...]) -> "Outcome":  # type: ignore[override]
        return Outcome(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def fetch(sql: str, params: Params) -> list[tuple[Any, ...]]:
    """The rows of a query, or of a statement with RETURNING."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def execute(sql: str, params: Params) -> int:
    """Run a statement; returns how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def adapted(moment: datetime) -> Any:
    """A moment as the database's driver takes it in plain SQL."""
    return connection.ops.adapt_datetimefield_value(moment)


def moment(value: Any) -> datetime:
    """A moment as it comes out of plain SQL: SQLite has no type for it, and keeps UTC without saying so."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def any_of(column: str, values: Iterable[Any]) -> tuple[str, Any]:
    """A condition with one parameter, whatever the number of values: placeholders by the hundred cost their parsing."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s)", list(values)
    return f"{column} IN (SELECT value FROM json_each(%s))", codec.encode_text(list(values))  # noqa: S608


def marks(number: int) -> str:
    """So many placeholders, in parentheses."""
    return f"({', '.join(['%s'] * number)})"


def locked(model: type[OwnedObject], owner: PartyId, keys: Collection[str], columns: str) -> dict[str, tuple[Any, ...]]:
    """The `columns` of the existing rows by key, locked in the order of ids so that writers cannot wait in a circle."""
    lock = "FOR UPDATE" if connection.vendor == "postgresql" else ""
    rows = fetch(
        f"SELECT key, {columns} FROM {model._meta.db_table} "  # noqa: S608
        f"WHERE owner = %s AND key IN {marks(len(keys))} ORDER BY id {lock}",
        [owner, *keys],
    )
    return {row[0]: row[1:] for row in rows}


def lock_creation(model: type[OwnedObject], owner: PartyId) -> None:
    """Wait until no other transaction creates objects of this owner, and keep others waiting until we commit."""
    execute(
        "INSERT INTO ocpi_objectcount (module, owner, count) VALUES (%s, %s, 0) "
        "ON CONFLICT (module, owner) DO UPDATE SET count = ocpi_objectcount.count",
        [model.module.value, owner],
    )


def count_created(model: type[OwnedObject], owner: PartyId, number: int) -> None:
    """Add to the total of the owner; the caller holds `lock_creation`."""
    execute(
        "UPDATE ocpi_objectcount SET count = count + %s WHERE module = %s AND owner = %s",
        [number, model.module.value, owner],
    )


def upsert(
    model: type[models.Model],
    unique: Sequence[str],
    rows: Sequence[dict[str, Any]],
    returning: str = "",
    kept: Collection[str] = (),
) -> list[tuple[Any, ...]]:
    """Insert rows or replace those with the same `unique` columns, in one statement; all rows have the same columns.

    The rows travel as one JSON parameter: thousands of placeholders cost their parsing twice, in the driver and in the
    server. A row that is replaced keeps its `kept` columns. Returns the columns named in `returning`, in no particular
    order.
    """
    columns = list(rows[0])
    replaced = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in {*unique, *kept})
    return fetch(
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) {_from_json(model, columns)} "
        f"ON CONFLICT ({', '.join(unique)}) DO {f'UPDATE SET {replaced}' if replaced else 'NOTHING'} "
        f"RETURNING {returning or '1'}",
        [codec.encode_text(rows)],
    )


def insert_new(model: type[models.Model], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, all with the same columns, in one statement; what is unique and there already stays as it is."""
    columns = list(rows[0])
    execute(
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) {_from_json(model, columns)} "
        "ON CONFLICT DO NOTHING",
        [codec.encode_text(rows)],
    )


def _from_json(model: type[models.Model], columns: Sequence[str]) -> str:
    """A query for the rows in its parameter, a JSON list of objects."""
    if connection.vendor == "postgresql":
        types = {field.column: field.db_type(connection) for field in model._meta.concrete_fields}
        shape = ", ".join(f"{name} {types[name]}" for name in columns)
        return f"SELECT {', '.join(columns)} FROM json_to_recordset(%s::json) AS rows({shape})"  # noqa: S608
    values = ", ".join(f"value ->> '{name}'" for name in columns)
    return f"SELECT {values} FROM json_each(%s) WHERE true"  # noqa: S608  (true: or ON would begin a join)
