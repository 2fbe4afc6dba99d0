"""The cells of a file of Tokens: what each column takes, and what it gives."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ocpi.admin import token_members as members
from ocpi.admin.files import restore
from ocpi.store.documents import Document
from ocpi.store.tokens import Terms
from ocpi.types import codec, times

TERMS = ("expires_at", "has_credit", "places")
COLUMNS = ("party", *members.MEMBERS, *TERMS)
OWNER = ("country_code", "party_id")  # may stand in place of `party`
_FLAGS = {"true": True, "yes": True, "1": True, "1.0": True, "false": False, "no": False, "0": False, "0.0": False}
_REWRITTEN = re.compile(r"\d([.,]\d+)?E\+?\d+", re.IGNORECASE)  # 4.7E+15


class Fault(ValueError):
    """Why a cell cannot be taken."""


def text(cell: Any) -> str | None:
    """Text as it is. A number or date has lost what it was: leading zeros, or all digits beyond the fifteenth."""
    if cell is None:
        return None
    if not isinstance(cell, str):
        kind = "a date" if hasattr(cell, "isoformat") else "true or false" if isinstance(cell, bool) else "a number"
        raise Fault(f"is {kind} to the spreadsheet, not text: format the column as text and enter the value again")
    return restore(cell.strip()) or None


def number(cell: Any) -> str | None:
    """Text that may look like a number."""
    found = text(cell)
    if found and "+" in found and _REWRITTEN.fullmatch(found):
        raise Fault("was rewritten by a spreadsheet; its digits are lost: enter the value again, as text")
    return found


def flag(cell: Any) -> bool | None:
    if cell in (None, ""):
        return None
    try:
        return _FLAGS[str(cell).strip().lower()]
    except KeyError:
        raise Fault("must be true or false") from None


def moment(cell: Any) -> datetime | None:
    """UTC, as text: a date of a spreadsheet does not say in which time zone it is."""
    found = text(cell)
    if not found:
        return None
    found = found.replace(" ", "T", 1)
    try:
        return times.parse(f"{found}:00" if len(found) == len("2027-01-31T12:00") else found)
    except ValueError as error:
        raise Fault(str(error)) from None


def places(cell: Any) -> str:
    try:
        return members.places(text(cell) or "")
    except ValueError as error:
        raise Fault(str(error)) from None


READERS: dict[str, Callable[[Any], Any]] = {
    "uid": number,
    "contract_id": number,
    "visual_number": number,
    "group_id": number,
    "valid": flag,
    "has_credit": flag,
    "expires_at": moment,
    "places": places,
}


def read(cells: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The values by column, None for empty cells; and what is wrong, by column."""
    values: dict[str, Any] = {}
    faults: dict[str, list[str]] = {}
    for name, cell in cells.items():
        try:
            reader: Callable[[Any], Any] = READERS.get(name, text)
            values[name] = reader(cell)
        except Fault as fault:
            faults[name] = [str(fault)]
    return values, faults


def written(owner: str, document: Document, terms: Terms | None) -> list[str]:
    """A row of a file, which `read` gives the same values of; partners' Tokens have no terms."""
    agreed = [getattr(terms, name) for name in TERMS] if terms else [None] * len(TERMS)
    return [owner, *map(shown, (*(members.value(document, name) for name in members.MEMBERS), *agreed))]


def shown(value: Any) -> str:
    """A value as its cell has it, empty for None; partners may have written anything."""
    match value:
        case None:
            return ""
        case str():
            return value
        case datetime():
            return times.format(value)
    return codec.encode_text(value)
