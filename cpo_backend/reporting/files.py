"""A report to take away: its lines, then its sums. What was not counted is told in JSON, and in a sheet of its own."""

from collections.abc import Callable
from typing import IO

from cpo_backend.reporting.adding import Report
from ocpi.accounts import sheets
from ocpi.types import codec


def as_csv(report: Report, file: IO[bytes]) -> None:
    """The lines alone, so that whoever adds them up counts nothing twice."""
    sheets.write_csv(report.columns, report.rows, file)


def as_xlsx(report: Report, file: IO[bytes]) -> None:
    """A sheet with lines and sums, one with what was not counted."""
    lines = [*sheets.grid(report.columns, report.rows), [], *list(sheets.grid(report.columns, report.sums))[1:]]
    faulty = sheets.grid(("cdr", "cpo", "day", "site", "why"), report.faulty)
    sheets.write_xlsx({"Report": lines, "Not counted": faulty}, file)


def as_json(report: Report, file: IO[bytes]) -> None:
    """The whole report."""
    file.write(codec.encode(report.document()))


FORMATS: dict[str, Callable[[Report, IO[bytes]], None]] = {"csv": as_csv, "xlsx": as_xlsx, "json": as_json}


def name(report: Report, ending: str) -> str:
    asked = report.question
    return f"{report.kind}-by-{asked.by}-{asked.first}-{asked.last}.{ending}"
