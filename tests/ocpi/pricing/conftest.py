"""Commands that take files and need no database."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from ocpi.types import codec

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command the test module is named after; returns its exit code and what it wrote to stdout and stderr."""
    command = request.module.__name__.rpartition(".")[2].removeprefix("test_")

    def run(*arguments: Any) -> tuple[int, str, str]:
        code = 0
        try:
            call_command(command, *map(str, arguments))
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def file(tmp_path: Path) -> Callable[[Any], Path]:
    """Writes a document to a file of its own."""

    def write(document: Any) -> Path:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        path.write_bytes(document if isinstance(document, bytes) else codec.encode(document))
        return path

    return write
