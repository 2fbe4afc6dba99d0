"""The wire model says what the tables of the specification say, and takes its examples.

Needs a checkout of ocpi/ocpi, branch release-2.2.1-bugfixes, named by OCPI_SPEC_DIR; its text is not ours to copy.
"""

import importlib
import os
import pkgutil
import re
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

import msgspec
import pytest

import ocpi.v221
from ocpi.types import scalars
from ocpi.types.codec import decode, encode
from ocpi.types.scalars import Moment, OpenEnum, Span, Text, Wire
from ocpi.types.validation import check, check_patch
from ocpi.v221.cdrs import Cdr
from ocpi.v221.common import DisplayText, EnergyMix
from ocpi.v221.credentials import Credentials
from ocpi.v221.locations import Connector, Evse, Hours, Location
from ocpi.v221.sessions import Session
from ocpi.v221.tariffs import Tariff
from ocpi.v221.tokens import Token
from ocpi.v221.versions import Version, VersionDetails

SPEC = Path(os.environ.get("OCPI_SPEC_DIR", "/nonexistent"))
pytestmark = pytest.mark.skipif(not SPEC.is_dir(), reason="OCPI_SPEC_DIR names no checkout of the specification")

# Tables whose heading is not the name of the class.
RENAMED = {"EVSE": "Evse", "CDR": "Cdr", "Data": "VersionDetails"}
# Tables we have elsewhere: the envelope is ocpi.transport.
ELSEWHERE = {"Response format"}
# Fields we read differently, and why.
ERRATA = {
    ("CdrLocation", "address"): "E21: 255 as in Location, whose 45 was a mistake",
    ("CdrLocation", "state"): "E21: 45 as in Location, whose 20 was a mistake",
}

EXAMPLES: list[tuple[str, type[Wire], str]] = [  # file name pattern, shape, where in the file ("" all of it)
    (r"cdr_example", Cdr, ""),
    (r"credentials_example\d?", Credentials, ""),
    (r"location_energymix_example_\w+", EnergyMix, "energy_mix"),
    (r"location_hours_\w+", Hours, ""),
    (r"location_regularhours_example", Hours, "opening_times"),
    (r"location_put_example_add_evse", Evse, ""),
    (r"location_example\w*", Location, ""),
    (r"session_example_\w+", Session, ""),
    (r"tariff_\w+|tariffrestriction_\w+", Tariff, ""),
    (r"token_example_\w+|token_put_example", Token, ""),
    (r"transport_and_format_get_token_(list_)?example", Token, "data"),
    (r"transport_and_format_version_details_example", VersionDetails, "data"),
    (r"transport_and_format_version_info_example", Version, "data"),
    (r"type_displaytext_example", DisplayText, ""),
    (r"version_details_example\d?", VersionDetails, ""),
    (r"versions_info_example", Version, ""),
]
PATCHES: list[tuple[str, type[Wire]]] = [
    (r"location_patch_example_location", Location),
    (r"location_patch_example_(remove_evse|status)", Evse),
    (r"location_patch_example_tariff", Connector),
    (r"session_patch_example_\w+", Session),
    (r"token_patch_example", Token),
]
UNUSABLE = {"tariff_put_example": "lacks last_updated"}
UNTYPED = {  # usable, with defects, but not as a struct
    "location_put_example_add_evse": "its connector lacks four fields, physical_reference is a number",
}


class Row(NamedTuple):
    """A line of a table of the specification."""

    type: str
    length: int | None
    cardinality: str


class Table(NamedTuple):
    name: str
    header: list[str]
    lines: list[list[str]]


def tables() -> Iterator[Table]:
    for file in sorted(SPEC.glob("*.asciidoc")):
        heading, lines = "", None
        for line in file.read_text(encoding="utf-8").splitlines():
            if heading_match := re.match(r"=+ (.*)", line):
                heading = re.sub(r"\s+(class|enum|object)$", "", heading_match[1].replace("_", ""), flags=re.I)
            elif line.startswith("|==="):
                if lines:
                    yield Table(RENAMED.get(heading, heading), lines[0], lines[1:])
                lines = [] if lines is None else None
            elif lines is not None and line.startswith("|"):
                lines.append([cell.strip() for cell in line[1:].split("|")])


def specified_classes() -> dict[str, dict[str, Row]]:
    return {
        table.name: {line[0]: specified_row(line) for line in table.lines}
        for table in tables()
        if table.header[:3] == ["Property", "Type", "Card."] and table.name not in ELSEWHERE
    }


def specified_row(line: list[str]) -> Row:
    declared = re.sub(r"<<.*?,(.*?)>>", r"\1", line[1])
    name, length = re.fullmatch(r"(\w+)(?:\((\d+)\))?", declared).groups()  # type: ignore[union-attr]
    return Row(RENAMED.get(name, name), int(length) if length else None, line[2])


def specified_enums() -> dict[str, set[str]]:
    columns = {"Value": 0, "Module": 1}
    return {
        table.name: {line[columns[table.header[0]]] for line in table.lines if re.search(r"\w", line[0])}
        for table in tables()
        if table.header[0] in columns
    }


def ours(base: type) -> dict[str, Any]:
    modules = [importlib.import_module(f"ocpi.v221.{info.name}") for info in pkgutil.iter_modules(ocpi.v221.__path__)]
    classes = (value for module in modules for value in vars(module).values())
    return {
        value.__name__: value
        for value in classes
        if isinstance(value, type) and issubclass(value, base) and value.__module__.startswith("ocpi.v221.")
    }


def our_rows(shape: type[Wire]) -> dict[str, Row]:
    hints = get_type_hints(shape, include_extras=True)
    return {field.name: our_row(hints[field.name], field.required) for field in msgspec.structs.fields(shape)}


def our_row(hint: Any, required: bool) -> Row:
    if not required:
        assert type(None) in get_args(hint)
        hint = get_args(hint)[0]
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    many = get_origin(bare) is list
    name, length = our_type(get_args(bare)[0] if many else hint)
    return Row(name, length, ("+" if required else "*") if many else "1" if required else "?")


def our_type(hint: Any) -> tuple[str, int | None]:
    if hint == scalars.Url:
        return "URL", None
    kind, meta = get_args(hint) if get_origin(hint) is Annotated else (hint, None)
    match meta.extra["limits"] if meta is not None else None:
        case Text(limit=limit, ascii=ascii_only):
            return "CiString" if ascii_only else "string", limit
        case Moment():
            return "DateTime", None
        case Span(high=int(high)) if kind is int:
            return "int", len(str(high))
    names = {bool: "boolean", int: "int", Decimal: "number"}
    return names.get(kind) or kind.__name__, None


def test_every_class_of_the_specification_is_declared_and_no_other() -> None:
    assert set(ours(Wire)) == set(specified_classes())


def test_every_field_has_the_type_length_and_cardinality_of_the_specification() -> None:
    specified, declared = specified_classes(), ours(Wire)
    different = {
        (name, field): (row, our_rows(declared[name]).get(field))
        for name, rows in specified.items()
        for field, row in rows.items()
        if our_rows(declared[name]).get(field) != row
    }
    assert set(different) == set(ERRATA), different


def test_fields_are_in_the_order_of_the_specification_and_no_others_are_declared() -> None:
    specified = specified_classes()
    for name, shape in ours(Wire).items():
        assert list(our_rows(shape)) == list(specified[name])


def test_every_enum_of_the_specification_is_declared_with_its_values() -> None:
    declared = {name: {member.value for member in enum} for name, enum in ours(OpenEnum).items()}
    assert declared == specified_enums()


def test_every_enum_is_open() -> None:
    assert ours(StrEnum) == ours(OpenEnum)


def test_every_class_cites_an_anchor_of_the_specification() -> None:
    anchors = {
        anchor
        for file in SPEC.glob("*.asciidoc")
        for anchor in re.findall(r"\[\[(\w[\w-]*)\]\]", file.read_text(encoding="utf-8"))
    }
    for name, declared in (ours(Wire) | ours(OpenEnum)).items():
        cited = re.findall(r"§(\w+)", declared.__doc__ or "")
        assert cited and set(cited) <= anchors, name


def examples(pattern: str) -> list[Path]:
    return [file for file in sorted((SPEC / "examples").glob("*.json")) if re.fullmatch(pattern, file.stem)]


def documents(file: Path, member: str) -> list[Any]:
    content = decode(file.read_bytes())
    content = content[member] if member else content
    return content if isinstance(content, list) else [content]


def test_every_example_is_tried_as_something() -> None:
    tried = {file for pattern, *_ in (*EXAMPLES, *PATCHES) for file in examples(pattern)}
    assert tried == set((SPEC / "examples").glob("*.json"))


@pytest.mark.parametrize(("pattern", "shape", "member"), EXAMPLES)
def test_an_example_can_be_used(pattern: str, shape: type[Wire], member: str) -> None:
    for file in examples(pattern):
        for document in documents(file, member):
            assert decode(encode(document)) == document
            fatal = [violation for violation in check(document, shape) if violation.fatal]
            assert bool(fatal) == (file.stem in UNUSABLE), (file.stem, fatal)
            if file.stem not in UNUSABLE | UNTYPED:
                typed = msgspec.convert(document, shape)
                assert msgspec.convert(decode(encode(typed)), shape) == typed


@pytest.mark.parametrize(("pattern", "shape"), PATCHES)
def test_an_example_of_a_patch_can_be_used(pattern: str, shape: type[Wire]) -> None:
    for file in examples(pattern):
        [document] = documents(file, "")
        fatal = [violation for violation in check_patch(document, shape) if violation.fatal]
        assert not fatal, (file.stem, fatal)
