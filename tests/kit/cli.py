"""Commands as a shell sees them: one JSON document on stdout, and an exit code."""

from io import StringIO
from typing import Any

from django.core.management import call_command

from ocpi.types import codec


def run(command: str, *arguments: str) -> tuple[Any, int]:
    """What a command prints with --json, its numbers exact, and the code it exits with."""
    output = StringIO()
    try:
        call_command(command, *arguments, "--json", stdout=output, stderr=StringIO())
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    return codec.decode(output.getvalue().encode()), code
