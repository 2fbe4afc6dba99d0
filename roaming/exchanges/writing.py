"""Puts entries into the table, many in a statement."""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from ocpi.transport.transcripts import Transcript
from roaming.directory import Picture
from roaming.exchange_models import Exchange
from roaming.exchanges.noting import COLUMNS, row

_INTO = f"{Exchange._meta.db_table} ({', '.join(COLUMNS)})"
_COPY = f"COPY {_INTO} FROM STDIN (FORMAT binary)"
_INSERT = f"INSERT INTO {_INTO} VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608

_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS_TO_2000 = (datetime(2000, 1, 1, tzinfo=UTC) - _1970) // timedelta(microseconds=1)
_WRITTEN = {"timestamp with time zone": "bigint"}
_PIECE = 200  # rows: two milliseconds of work; after each pause the thread may wait five for its next turn
_PAUSE_SECONDS = 0.0005


def write(transcripts: Sequence[Transcript], picture: Picture) -> None:
    """All or none; raises what the database raises."""
    masked = settings.NODE_LOG_MASK
    rows = (row(transcript, picture, masked=masked) for transcript in transcripts)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _copy(cursor, _in_pieces(rows))
        else:
            cursor.executemany(_INSERT, [_adapted(values) for values in rows])


def _in_pieces(rows: Iterable[list[Any]]) -> Iterator[list[Any]]:
    """The same, with pauses: requests of the process get no further while a thread works without one."""
    for number, values in enumerate(rows, 1):
        yield values
        if number % _PIECE == 0:
            time.sleep(_PAUSE_SECONDS)


def _copy(cursor: Any, rows: Iterable[list[Any]]) -> None:
    # Nothing hangs on the last half second of a log: a power failure may cost it.
    cursor.execute("SET LOCAL synchronous_commit TO off")
    with connection.wrap_database_errors, cursor.copy(_COPY) as copy:
        copy.set_types(_types())
        for values in rows:
            values[0] -= _MICROSECONDS_TO_2000
            copy.write_row(values)


@cache
def _types() -> list[str]:
    """The columns' types: binary data has to be of the very ones. A timestamp is one in microseconds since 2000."""
    found = (Exchange._meta.get_field(column).db_type(connection) or "" for column in COLUMNS)
    return [_WRITTEN.get(name, name).partition("(")[0] for name in found]


def _adapted(values: list[Any]) -> tuple[Any, ...]:
    at, *others = values
    return connection.ops.adapt_datetimefield_value(_1970 + timedelta(microseconds=at)), *others
