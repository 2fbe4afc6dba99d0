"""A statement to take away.

CSV          the list of CDRs
JSON lines   the statement, then each CDR of the list
XLSX         a sheet with the figures of the statement, and one with the list
HTML         a page to print that needs nothing else; of a long list the beginning
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from typing import IO, Any

from django.template.loader import render_to_string

from cpo_backend.models import OwnerStatement, StatedCdr
from ocpi.accounts import sheets
from ocpi.types import codec

COLUMNS = (
    "number", "id", "kind", "credits", "session_id", "site", "evse", "day", "start", "end", "kwh", "currency",
    "excl_vat", "vat", "incl_vat", "vat_rates", "late", "not_counted", "sha256",
)  # fmt: skip
PRINTED = 500
_BATCH = 1000

Row = dict[str, Any]


def statement(found: OwnerStatement) -> Row:
    """Its figures, and how it stands."""
    figures: Row = codec.decode(found.statement.encode())
    return {**figures, "state": found.state.lower(), "closed_at": found.closed_at}


def rows(found: OwnerStatement) -> Iterator[Row]:
    """The list of a statement, in its order."""
    last = 0
    listed = StatedCdr.objects.filter(statement=found).select_related("cdr").order_by("number")
    while batch := list(listed.filter(number__gt=last).defer("cdr__defects")[:_BATCH]):
        yield from map(row, batch)
        last = batch[-1].number


def row(entry: StatedCdr) -> Row:
    """One CDR of the list; of one that does not count, as much as can be read."""
    document = codec.decode(entry.cdr.document.encode())
    price, place = (_object(document.get(name)) for name in ("total_cost", "cdr_location"))
    net, gross = price.get("excl_vat"), price.get("incl_vat")
    return {
        "number": entry.number,
        "id": document.get("id"),
        "kind": "credit" if entry.cdr.is_credit else "charge",
        "credits": document.get("credit_reference_id") if entry.cdr.is_credit else None,
        "session_id": document.get("session_id"),
        "site": place.get("id"),
        "evse": place.get("evse_uid"),
        "day": entry.day.isoformat(),
        "start": document.get("start_date_time"),
        "end": document.get("end_date_time"),
        "kwh": document.get("total_energy"),
        "currency": document.get("currency"),
        "excl_vat": net,
        "vat": gross - net if isinstance(gross, (int, Decimal)) and isinstance(net, (int, Decimal)) else None,
        "incl_vat": gross,
        "vat_rates": entry.vat,
        "late": entry.is_late,
        "not_counted": entry.fault,
        "sha256": entry.sha256,
    }


def as_csv(found: OwnerStatement, file: IO[bytes]) -> None:
    sheets.write_csv(COLUMNS, rows(found), file)


def as_json_lines(found: OwnerStatement, file: IO[bytes]) -> None:
    def documents() -> Iterator[Row]:
        yield statement(found)
        yield from rows(found)

    sheets.write_json_lines(documents(), file)


def as_xlsx(found: OwnerStatement, file: IO[bytes]) -> None:
    sheets.write_xlsx({"Statement": _figures(statement(found)), "CDRs": sheets.grid(COLUMNS, rows(found))}, file)


def as_html(found: OwnerStatement, file: IO[bytes]) -> None:
    """Whatever stands in a CDR is escaped, and the page may neither load nor run anything."""
    context = {
        "statement": codec.decode(codec.encode(statement(found))),
        "listed": list(islice(rows(found), PRINTED)),
        "more": max(found.cdr_count + found.fault_count - PRINTED, 0),
        "built_at": found.built_at,
    }
    file.write(render_to_string("cpo_backend/statement.html", context).encode())


FORMATS: dict[str, Callable[[OwnerStatement, IO[bytes]], None]] = {
    "csv": as_csv,
    "xlsx": as_xlsx,
    "jsonl": as_json_lines,
    "html": as_html,
}


def name(found: OwnerStatement, ending: str) -> str:
    """A file name that any system takes."""
    owner = "".join(char if char.isascii() and char.isalnum() else "-" for char in found.owner.name)[:60]
    return f"statement-{found.month}-{found.owner_id}-{owner}.{ending}"


def _figures(figures: Row) -> Iterator[list[Any]]:
    """A table below the other."""
    yield ["owner", figures["owner"]["name"]]
    for title in ("month", "state", "cdrs", "late", "not_counted", "without_share", "sessions", "kwh", "sha256"):
        yield [title, figures[title]]
    for title in ("revenue", "vat", "sites", "shares", "share_totals"):
        yield from (list(line) for line in sheets.blocks(title, figures[title]))


def _object(value: Any) -> Row:
    return value if isinstance(value, dict) else {}
