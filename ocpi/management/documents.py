"""Files that a command takes, and what it says when they are of no use."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import OutputWrapper
from rich.console import Console

from ocpi.pricing.faults import BadInput
from ocpi.types import codec

_WIDTH = 110


class Unusable(Exception):
    """Input that cannot be used: which file, where in it, and why."""

    def __init__(self, source: str, fault: BadInput) -> None:
        self.details = {"file": source, "pointer": fault.pointer, "message": fault.message}
        super().__init__(f"{source}{'#' if fault.pointer else ''}{fault.pointer}: {fault.message}")


def load(source: str) -> Any:
    """The JSON of a file, or of stdin (`-`), out of its envelope (§transport_and_format_response_format)."""
    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        found = codec.decode(raw)
    except OSError as error:
        raise Unusable(source, BadInput(error.strerror or "cannot be read")) from None
    except codec.MalformedJson as error:
        raise Unusable(source, BadInput(f"is not JSON: {error}")) from None
    return found["data"] if isinstance(found, dict) and "data" in found else found


def console(stdout: OutputWrapper) -> Console:
    """A console that writes to what the command writes to, wide enough where there is no terminal."""
    found = Console(file=stdout)  # type: ignore[arg-type]  # what a command writes to will do
    return found if found.is_terminal else Console(file=stdout, width=_WIDTH)  # type: ignore[arg-type]
