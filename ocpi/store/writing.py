"""Writing objects, one or many in a statement: what every module's writer shares.

New objects of one owner are created one transaction at a time (the owner's `ObjectCount` row is the lock), so the
total stays exact and two creations of one object cannot pass each other. Plain SQL: this is the hot path of every
push and pull, and the ORM costs it three times as much.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from django.db import connection

from ocpi.ids import PartyId
from ocpi.models import OwnedObject


class Outcome(NamedTuple):
    """How many objects were created, updated, or found to say the same already."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: tuple[int, ...]) -> "Outcome":  # type: ignore[override]
        return Outcome(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def fetch(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of a query, or of a statement with RETURNING."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def execute(sql: str, params: Sequence[Any]) -> int:
    """Run a statement; returns how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


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


def upsert(model: type[OwnedObject], rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Insert rows or replace those with the same owner and key, in one statement; returns ids by key.

    All rows have one owner and the same columns.
    """
    columns = list(rows[0])
    replaced = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in {"owner", "key"})
    values = ", ".join([marks(len(columns))] * len(rows))
    saved = fetch(
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES {values} "  # noqa: S608
        f"ON CONFLICT (owner, key) DO UPDATE SET {replaced} RETURNING key, id",
        [value for row in rows for value in row.values()],
    )
    return dict(saved)
