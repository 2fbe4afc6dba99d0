"""Rows to take away. CSV and JSON lines hold every digit; spreadsheets keep fifteen of a number."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import IO, Any

import openpyxl

from ocpi.admin.files import neutralise
from ocpi.types import codec

Row = Mapping[str, Any]

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
}


def write_csv(columns: Sequence[str], rows: Iterable[Row], file: IO[bytes]) -> None:
    """Line by line, with the mark that tells spreadsheets it is UTF-8; nothing in it is taken for a formula."""
    file.write("".encode("utf-8-sig"))
    file.writelines(line.encode() for line in _lines(columns, rows))


def write_json_lines(documents: Iterable[Any], file: IO[bytes]) -> None:
    """One JSON document in each line."""
    file.writelines(codec.encode(document) + b"\n" for document in documents)


def write_xlsx(sheets: Mapping[str, Iterable[Sequence[Any]]], file: IO[bytes]) -> None:
    """A workbook, written row by row; by the names of its sheets."""
    book = openpyxl.Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([_cell(value, numbers=True) for value in row])
    book.save(file)


def grid(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[Sequence[Any]]:
    """Named values as a sheet: a line of headings, then theirs."""
    yield columns
    for row in rows:
        yield [row[name] for name in columns]


def blocks(title: str, rows: Sequence[Row]) -> Iterator[Sequence[Any]]:
    """Lines of a kind below the others of a sheet, what is nested left out; nothing when there are none."""
    if rows:
        columns = [name for name, value in rows[0].items() if not isinstance(value, (dict, list))]
        yield []
        yield [title, *columns]
        yield from (["", *(row[name] for name in columns)] for row in rows)


def _lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for row in grid(columns, rows):
        writer.writerow([_cell(value) for value in row])
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def _cell(value: Any, *, numbers: bool = False) -> Any:
    """What a cell holds: numbers digit for digit, or as numbers; a partner's text is never a formula."""
    if value is None or value is False:
        return None if numbers else ""
    if value is True:
        return "yes"
    if isinstance(value, (int, Decimal)):
        return value if numbers else f"{value:f}" if isinstance(value, Decimal) else str(value)
    text = str(value)
    return neutralise(text if text.isprintable() else "".join(filter(str.isprintable, text)))
