"""Pages and totals of any module's objects, in the order of their creation.

Three rules keep them cheap at any depth (notes in docs/decisions.md): a page behind a cursor is found by key; a bare
offset skips ids only and joins the documents afterwards; an unfiltered total is read from `ObjectCount`.
"""

from sys import intern
from typing import Any, NamedTuple

from django.db import connection

from ocpi.models import OwnedObject
from ocpi.store import writing
from ocpi.store.scope import Scope
from ocpi.transport.pagination import PageQuery


class Slice(NamedTuple):
    """Rows of one page (the id, the requested columns, more), the total, and the last id when more rows follow."""

    rows: list[tuple[Any, ...]]
    total: int
    last: int | None


def _filters(model: type[OwnedObject], scope: Scope, query: PageQuery) -> tuple[str, list[Any]]:
    condition, params = scope.sql()
    arguments: list[Any] = list(params)
    if (query.date_from or query.date_to) and scope.inverted and scope.is_by_owner:
        # Owners by name: each one's changes come from an index that begins with the owner.
        condition = f"owner IN (SELECT owner FROM ocpi_objectcount WHERE module = %s AND {condition})"  # noqa: S608
        arguments.insert(0, model.module.value)
    if model.visible:
        condition += f" AND {model.visible}"
    if query.date_from:
        condition += " AND last_updated >= %s"
        arguments.append(writing.adapted(query.date_from))
    if query.date_to:
        condition += " AND last_updated < %s"
        arguments.append(writing.adapted(query.date_to))
    return condition, arguments


def _total(model: type[OwnedObject], scope: Scope, query: PageQuery) -> tuple[str, list[Any]]:
    """A query for the exact number of objects that match scope and dates."""
    if query.date_from or query.date_to or not scope.is_by_owner:
        condition, arguments = _filters(model, scope, query)
        return f"SELECT count(*) FROM {model._meta.db_table} WHERE {condition}", arguments  # noqa: S608
    condition, owners = scope.sql()
    total = "CAST(coalesce(sum(count), 0) AS bigint)"
    sql = f"SELECT {total} FROM ocpi_objectcount WHERE module = %s AND {condition}"  # noqa: S608
    return sql, [model.module.value, *owners]


def total(model: type[OwnedObject], scope: Scope, query: PageQuery) -> int:
    """The exact number of objects that match scope and dates."""
    sql, arguments = _total(model, scope, query)
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return int(cursor.fetchone()[0])


def statement(model: type[OwnedObject], scope: Scope, query: PageQuery, columns: str) -> tuple[str, list[Any]]:
    """The query for one page. `columns` are SQL column names behind the id.

    A row more than the limit tells whether more follow. The total comes along as the last column, evaluated once: a
    round trip costs more than either query.
    """
    table = model._meta.db_table
    condition, arguments = _filters(model, scope, query)
    if query.after is not None:
        condition += " AND id > %s"
        arguments.append(query.after)
    bounds = "ORDER BY id LIMIT %s"
    arguments.append(query.limit + 1)
    if query.offset and query.after is None:
        source = (
            f"(SELECT id FROM {table} WHERE {condition} {bounds} OFFSET %s) AS wanted "  # noqa: S608
            f"JOIN {table} USING (id) ORDER BY id"
        )
        arguments.append(query.offset)
    else:
        source = f"{table} WHERE {condition} {bounds}"
    counting, counted = _total(model, scope, query)
    sql = f"SELECT id, {columns}, ({counting}) FROM {source}"  # noqa: S608
    return intern(sql), [*counted, *arguments]


def cut(model: type[OwnedObject], scope: Scope, query: PageQuery, rows: list[tuple[Any, ...]]) -> Slice:
    """The page that the rows of `statement` are. Where there are none, the total is asked for."""
    last = rows[query.limit - 1][0] if len(rows) > query.limit else None
    number = int(rows[0][-1]) if rows else total(model, scope, query)
    return Slice(rows[: query.limit], number, last)
