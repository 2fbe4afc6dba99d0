"""Writing one object without holding a lock while Python thinks: inserted if it is new, swapped if nobody was faster.

Each is one statement that commits by itself. Whoever loses a race reads again and decides again.
"""

from typing import Any

from django.db import connection, transaction

from ocpi.models import OwnedObject
from ocpi.store import revisions, writing

_STAMP = "nextval('ocpi_revision'), pg_current_xact_id()::text::bigint"
_COUNT = """
    INSERT INTO ocpi_objectcount (module, owner, count) {source}
    ON CONFLICT (module, owner) DO UPDATE SET count = ocpi_objectcount.count + 1
"""


def insert(model: type[OwnedObject], row: dict[str, Any]) -> bool:
    """Create an object and count it; False when there is one with its owner and key."""
    table, columns = model._meta.db_table, ", ".join(row)
    counted = [model.module.value, row["owner"]]
    if connection.vendor == "postgresql":
        sql = (
            f"WITH created AS (INSERT INTO {table} ({columns}, revision, xid) "  # noqa: S608
            f"VALUES ({_marks(row)}, {_STAMP}) ON CONFLICT (owner, key) DO NOTHING RETURNING 1), "
            f"counted AS ({_COUNT.format(source='SELECT %s, %s, 1 FROM created')}) SELECT count(*) FROM created"
        )
        return bool(writing.fetch(sql, [*row.values(), *counted])[0][0])
    with transaction.atomic():
        sql = (
            f"INSERT INTO {table} ({columns}, revision, xid) VALUES ({_marks(row)}, %s, 0) "  # noqa: S608
            "ON CONFLICT (owner, key) DO NOTHING"
        )
        if writing.execute(sql, [*row.values(), revisions.take(1)[0].revision]) == 0:
            return False
        writing.execute(_COUNT.format(source="VALUES (%s, %s, 1)"), counted)
        return True


def swap(model: type[OwnedObject], id: int, revision: int, row: dict[str, Any]) -> bool:
    """Replace an object that still has the revision it was read with; False when somebody was faster."""
    named = ", ".join(f"{name} = %s" for name in row)
    sql = f"UPDATE {model._meta.db_table} SET {named}, {{stamp}} WHERE id = %s AND revision = %s"  # noqa: S608
    if connection.vendor == "postgresql":
        return writing.execute(sql.format(stamp=revisions.POSTGRES_STAMP), [*row.values(), id, revision]) == 1
    with transaction.atomic():
        values = [*row.values(), revisions.take(1)[0].revision, id, revision]
        return writing.execute(sql.format(stamp="revision = %s"), values) == 1


def _marks(row: dict[str, Any]) -> str:
    return ", ".join(["%s"] * len(row))
