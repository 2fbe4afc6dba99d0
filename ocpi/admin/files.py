"""CSV and XLSX in both directions, strictly: text stays text, nothing becomes a formula, nothing is guessed."""

import csv
import io
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import tablib
from import_export.formats import base_formats
from import_export.tmp_storages import BaseStorage
from openpyxl.cell import WriteOnlyCell

MOST_ROWS = 50_000  # in a file, either way: all of it is in memory, and XLSX takes its time
ROW = "#"  # the column of a data set that says in which row of the file its values stood
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NEUTRALISED = re.compile(r"''*[=+\-@\t\r]")


class Unreadable(ValueError):
    """A file that we cannot take, in words for those who made it."""


def neutralise(value: str) -> str:
    """The value behind an apostrophe if a spreadsheet would take it for a formula; `restore` takes that away."""
    return f"'{value}" if _FORMULA.match(value) else value


def restore(value: str) -> str:
    """What was neutralised."""
    return value[1:] if _NEUTRALISED.match(value) else value


class CsvFile(base_formats.CSV):
    """Comma, semicolon or tab between the values: what the first line has most of."""

    def create_dataset(self, in_stream: str) -> tablib.Dataset:
        first = in_stream.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        try:
            return _dataset(csv.reader(io.StringIO(in_stream, newline=""), delimiter=delimiter, strict=True))
        except csv.Error as error:
            raise Unreadable(f"This is no CSV: {error}") from None

    def export_data(self, dataset: tablib.Dataset) -> str:
        out = io.StringIO(newline="")
        csv.writer(out).writerows([dataset.headers, *_neutral(dataset)])
        return out.getvalue()


class XlsxFile(base_formats.XLSX):
    """The first sheet. Its cells are written as text, so that leading zeros outlive an edit."""

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        sheet = openpyxl.load_workbook(io.BytesIO(in_stream), read_only=True, data_only=True).worksheets[0]
        sheet.reset_dimensions()  # what other programs write there is not always true
        return _dataset(sheet.iter_rows(values_only=True))

    def export_data(self, dataset: tablib.Dataset) -> bytes:
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet()
        sheet.append(dataset.headers)
        cells = [WriteOnlyCell(sheet) for _ in dataset.headers]  # written at once, so each serves every row
        for cell in cells:
            cell.number_format = "@"
        for row in _neutral(dataset):
            for cell, value in zip(cells, row, strict=True):
                cell.value = value or None
            sheet.append(cells)
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()


def _neutral(dataset: tablib.Dataset) -> Iterator[list[str]]:
    return ([neutralise(value) for value in row] for row in dataset)


def _dataset(rows: Iterable[Iterable[Any]]) -> tablib.Dataset:
    """Headers in lower case; rows without any value are passed over."""
    numbered = ((number, list(row)) for number, row in enumerate(rows, 1))
    filled = ((number, row) for number, row in numbered if any(value not in (None, "") for value in row))
    _, first = next(filled, (0, []))
    headers = [str(name or "").strip().lower() for name in first]
    while headers and not headers[-1]:
        headers.pop()
    if not headers or "" in headers or len(set(headers)) < len(headers):
        raise Unreadable("The first row must name every column, each once.")
    found = tablib.Dataset(headers=[ROW, *headers])
    for number, row in filled:
        if any(value not in (None, "") for value in row[len(headers) :]):
            raise Unreadable(f"Row {number} has more values than there are columns.")
        if len(found) == MOST_ROWS:
            raise Unreadable(f"There are more than {MOST_ROWS:,} rows: import them in several files.")
        found.append([number, *row[: len(headers)], *[None] * (len(headers) - len(row))])
    return found


class Gone(Exception):
    """The uploaded file is no longer here."""


class Uploads(BaseStorage):
    """Files between their preview and its confirmation: readable by this node alone, and for an hour."""

    PREFIX = "node-import-"
    SECONDS = 3600

    @property
    def path(self) -> Path:
        return Path(tempfile.gettempdir()) / Path(self.name).name

    def save(self, data: bytes) -> None:
        _forget(self.PREFIX, self.SECONDS)
        handle, path = tempfile.mkstemp(prefix=self.PREFIX)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        self.name = Path(path).name

    def read(self) -> str | bytes:
        if not self.name.startswith(self.PREFIX):
            raise Gone
        try:
            data = self.path.read_bytes()
            return data.decode(self.encoding) if self.encoding else data
        except FileNotFoundError:
            raise Gone from None
        except UnicodeDecodeError:
            raise Unreadable("This is not UTF-8: save it as “CSV UTF-8”, or as XLSX.") from None

    def remove(self) -> None:
        self.path.unlink()


def _forget(prefix: str, seconds: float) -> None:
    """Remove what nobody confirmed."""
    for path in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        if time.time() - path.stat().st_mtime > seconds:
            path.unlink(missing_ok=True)
