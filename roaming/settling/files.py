"""A settlement to take away. CSV and JSON lines hold every digit; spreadsheets keep fifteen of a number.

CSV          the list of CDRs
JSON lines   the statement, then each CDR of the list
XLSX         a sheet with the figures of the statement, and one with the list
"""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import IO, Any

import openpyxl

from ocpi.accounts import shares
from ocpi.admin.files import neutralise
from ocpi.types import codec
from roaming.settlement_models import SettledCdr, Settlement

COLUMNS = (
    "number", "id", "kind", "credits", "session_id", "start", "end", "kwh", "currency", "excl_vat", "vat", "incl_vat",
    "vat_rates", "late", "held_back", "sha256",
)  # fmt: skip
_BATCH = 1000

Row = dict[str, Any]


def rows(settlement: Settlement) -> Iterator[Row]:
    """The list of a settlement, in its order."""
    last = 0
    listed = SettledCdr.objects.filter(settlement=settlement).select_related("cdr").order_by("number")
    while batch := list(listed.filter(number__gt=last).defer("cdr__defects")[:_BATCH]):
        yield from map(row, batch)
        last = batch[-1].number


def row(entry: SettledCdr) -> Row:
    """One CDR of the list."""
    face = shares.face(entry.cdr.document)
    price = face.total_cost if isinstance(face.total_cost, dict) else {}
    net, gross = price.get("excl_vat"), price.get("incl_vat")
    return {
        "number": entry.number,
        "id": face.id,
        "kind": "credit" if entry.cdr.is_credit else "charge",
        "credits": face.credit_reference_id if entry.cdr.is_credit else None,
        "session_id": face.session_id,
        "start": face.start_date_time,
        "end": face.end_date_time,
        "kwh": face.total_energy,
        "currency": face.currency,
        "excl_vat": net,
        "vat": gross - net if isinstance(gross, (int, Decimal)) and isinstance(net, (int, Decimal)) else None,
        "incl_vat": gross,
        "vat_rates": entry.vat,
        "late": entry.is_late,
        "held_back": entry.held,
        "sha256": entry.sha256,
    }


def as_csv(settlement: Settlement) -> Iterator[str]:
    """Line by line, for spreadsheets, too: nothing in it is taken for a formula."""
    yield _line(COLUMNS)
    for found in rows(settlement):
        yield _line([_cell(found[name]) for name in COLUMNS])


def as_json_lines(settlement: Settlement) -> Iterator[str]:
    """The statement in the first line."""
    yield settlement.statement + "\n"
    for found in rows(settlement):
        yield codec.encode_text(found) + "\n"


def as_xlsx(settlement: Settlement, file: IO[bytes]) -> None:
    """Write the workbook row by row."""
    book = openpyxl.Workbook(write_only=True)
    figures, listing = book.create_sheet("Statement"), book.create_sheet("CDRs")
    for line in statement_rows(codec.decode(settlement.statement.encode())):
        figures.append([_cell(value, numbers=True) for value in line])
    listing.append(COLUMNS)
    for found in rows(settlement):
        listing.append([_cell(found[name], numbers=True) for name in COLUMNS])
    book.save(file)


def statement_rows(statement: Row) -> Iterator[list[Any]]:
    """The figures of a statement, a table below the other."""
    for name in ("cpo", "emsp", "month", "time_zone", "begins", "ends", "cdrs", "late", "held_back", "sha256"):
        yield [name, statement.get(name)]
    for name in ("totals", "vat", "fees", "held"):
        if found := statement.get(name):
            columns = [column for column, value in found[0].items() if not isinstance(value, dict)]
            yield []
            yield [name, *columns]
            yield from (["", *(line[column] for column in columns)] for line in found)
    yield []
    yield ["invoice", "currency", "rate", "excl_vat", "vat"]
    for total in statement.get("totals", ()):
        for line in total["invoice"]["rates"]:
            yield ["", total["currency"], line["rate"], line["excl_vat"], line["vat"]]


def _line(cells: Any) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _cell(value: Any, *, numbers: bool = False) -> Any:
    """What a cell holds: numbers digit for digit, or as numbers; a partner's text is never a formula."""
    if value is None or value is False:
        return "" if not numbers else None
    if value is True:
        return "yes"
    if isinstance(value, (int, Decimal)):
        return value if numbers else f"{value:f}" if isinstance(value, Decimal) else str(value)
    text = str(value)
    return neutralise(text if text.isprintable() else "".join(filter(str.isprintable, text)))


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file; `write` takes the settlement and a binary file."""

    ending: str
    content_type: str
    write: Callable[[Settlement, IO[bytes]], None]


def _written(lines: Callable[[Settlement], Iterator[str]], encoding: str = "utf-8") -> Any:
    def write(settlement: Settlement, file: IO[bytes]) -> None:
        file.write("".encode(encoding))  # its mark, where an encoding has one
        file.writelines(line.encode("utf-8") for line in lines(settlement))

    return write


FORMATS = {
    "csv": Format("csv", "text/csv; charset=utf-8", _written(as_csv, "utf-8-sig")),
    "xlsx": Format("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx),
    "jsonl": Format("jsonl", "application/x-ndjson", _written(as_json_lines)),
}


def name(settlement: Settlement, ending: str) -> str:
    """A file name that any system takes."""
    parties = "".join(char if char.isalnum() else "-" for char in f"{settlement.cpo}_{settlement.emsp}")
    return f"settlement-{settlement.month}-{parties}.{ending}"
