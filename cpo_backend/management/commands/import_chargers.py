"""`import_chargers`: register charge points from a CSV file."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from cpo_backend.registry.adding import Registration, Unregistrable, numbered, register
from ocpi.cli import BAD_INPUT, PARTLY, NodeCommand, fail

_NEEDED = ("identity", "location", "evses")


class Command(NodeCommand):
    help = (
        "Register charge points from a CSV file with the columns identity, location, evses (UID[:NUMBER], separated by "
        "spaces) and, if wanted, party and password. Importing the same file again changes nothing. Passwords that are "
        "made here are printed and never again. Exit code 3 when some rows were rejected."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV with a header line, UTF-8, separated by comma or semicolon")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        created = updated = 0
        passwords, rejections = dict[str, str](), list[dict[str, Any]]()
        for line, row in enumerate(_rows(options["file"]), start=2):
            try:
                found = register(_registration(row))
            except Unregistrable as error:
                rejections.append({"line": line, "identity": row["identity"], "reason": str(error)})
                continue
            created, updated = created + found.is_new, updated + (not found.is_new)
            if found.password:
                passwords[found.charger.identity] = found.password
        result = {"created": created, "updated": updated, "passwords": passwords, "rejections": rejections}
        return result, PARTLY if rejections else 0


def _rows(file: Path) -> list[dict[str, str]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: {error}", BAD_INPUT)
    header = text.partition("\n")[0]
    reader = csv.DictReader(text.splitlines(), delimiter=";" if header.count(";") > header.count(",") else ",")
    if missing := [name for name in _NEEDED if name not in (reader.fieldnames or ())]:
        fail(f"{file} has no column {', '.join(missing)}", BAD_INPUT)
    return [{name: (value or "").strip() for name, value in row.items() if isinstance(name, str)} for row in reader]


def _registration(row: Mapping[str, str]) -> Registration:
    return Registration(
        identity=row["identity"],
        location_id=row["location"],
        evses=[numbered(text) for text in row["evses"].split()],
        party=row.get("party", ""),
        password=row.get("password", ""),
    )
