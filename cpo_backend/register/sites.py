"""What reading a register yields, whatever its format, and how its bytes come off the disk.

Every charging point a register describes ends in exactly one place: in the document of a `Site` or in the
count of a `RejectedRow`. A `Remark` costs no charging point; it says what was repaired or is doubtful, so
that staff can have the register corrected.
"""

import gzip
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_GZIP_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class UnreadableRegister(ValueError):
    """The file as a whole cannot be used: missing, not text, wrong columns. The message is for staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One OCPI Location (§mod_locations_location_object) and the lines of the file it was made of."""

    document: dict[str, Any]
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something staff should know about a line.

    `line` counts from 1 with the header as line 1; in a JSON list it is the position of the item. `code` is a
    stable slug to count by, `reason` a sentence, `where` enough of the line to find it, `point` the charging
    point (from 1) if the remark is about one.
    """

    line: int
    code: str
    reason: str
    where: str
    point: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow(Remark):
    """A line, or one charging point of it, that is in no document; `charging_points` counts the loss."""

    charging_points: int = 0


@dataclass(frozen=True, slots=True)
class SiteList:
    """A register, read: `sites` in the order of their first lines, the other two in the order of the file."""

    sites: list[Site] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def read_bytes(path: Path) -> bytes:
    """The content of `path` without byte order mark; gzip is known by its first bytes, not by the name."""
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP_MAGIC):
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableRegister(f"{path} cannot be read: {error}") from error
    return content.removeprefix(_BYTE_ORDER_MARK)
