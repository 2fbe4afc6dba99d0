"""The federal register as a table: CSV with `;` between cells, read into rows by the names of its columns."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cpo_backend.register.sites import RejectedRow, UnreadableRegister, read_bytes

_COLUMNS = {
    "operator": "Betreiber",
    "address": "Adresse",
    "place": "Postleitzahl Ort",
    "state": "Bundesland",
    "longitude": "Längengrad [DG]",
    "latitude": "Breitengrad [DG]",
    "commissioned": "Inbetriebnahmedatum",
    "points": "Anzahl Ladepunkte",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One station as registered: `fields` by our names, `pairs` of plug and power cell; all tidied."""

    line: int
    fields: Mapping[str, str]
    pairs: Sequence[tuple[str, str]]

    @property
    def where(self) -> str:
        """Operator and address, to find the row by."""
        return ", ".join(self.fields[name] for name in ("operator", "address", "place"))


@dataclass(frozen=True, slots=True)
class _Header:
    fields: Mapping[str, int]
    pairs: Sequence[tuple[int, int]]
    width: int

    def row(self, line: int, cells: Sequence[str]) -> Row | RejectedRow:
        if len(cells) != self.width:
            reason = f"{len(cells)} cells under {self.width} columns: an unquoted semicolon or a line cut short"
            return RejectedRow(line=line, code="row_malformed", reason=reason, where="; ".join(cells[:3]))
        return Row(
            line,
            {name: _tidy(cells[index]) for name, index in self.fields.items()},
            [(_tidy(cells[plugs]), _tidy(cells[power])) for plugs, power in self.pairs],
        )


def read_rows(path: Path) -> Iterator[Row | RejectedRow]:
    """The rows of the register at `path`, in order; a line that is no row is rejected, the rest goes on."""
    try:
        text = read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UnreadableRegister(f"{path} is not UTF-8 (line {line}, byte {error.start}): convert it first") from error
    # Strict, or a quote left open would swallow the rows that follow without a word.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True)
    try:
        header = _header(next(reader, []))
    except csv.Error as error:
        raise UnreadableRegister(f"{path} is not CSV: {error}") from error
    while True:
        line = reader.line_num + 1  # a quoted cell may span lines: a row is known by its first
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reason = f"lines {line} to {reader.line_num} are not CSV: {error}"
            yield RejectedRow(line=line, code="row_malformed", reason=reason, where="")
        else:
            if cells:
                yield header.row(line, cells)


def _header(cells: Sequence[str]) -> _Header:
    # The first of two columns of one name counts.
    positions = {_column(cell): index for index, cell in reversed(list(enumerate(cells)))}
    numbers = sorted(int(match[1]) for name in positions if (match := re.fullmatch(r"steckertypen(\d+)", name)))
    pairs = [(f"Steckertypen{number}", f"P{number} [kW]") for number in numbers or [1]]
    required = [*_COLUMNS.values(), *(name for pair in pairs for name in pair)]
    if missing := [name for name in required if _column(name) not in positions]:
        found = "; ".join(cells[:30]) or "nothing"
        raise UnreadableRegister(f"columns missing: {', '.join(missing)}. The first line has: {found}")
    return _Header(
        fields={field: positions[_column(name)] for field, name in _COLUMNS.items()},
        pairs=[(positions[_column(plugs)], positions[_column(power)]) for plugs, power in pairs],
        width=len(cells),
    )


def _column(name: str) -> str:
    """A column's name without case, spaces and bracketed unit: editions differ in those."""
    return re.sub(r"\[.*?\]|\s", "", name).casefold()


def _tidy(cell: str) -> str:
    """Printable characters and single spaces: the register has doubled and no-break ones."""
    if cell.isprintable() and "  " not in cell:
        return cell.strip()
    return " ".join("".join(c if c.isprintable() else " " for c in cell).split())
