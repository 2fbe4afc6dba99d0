"""What every command of the node shares: `--json` puts one JSON document on stdout, everything else goes to stderr.

Exit codes: 0 ok, 1 failed or disagrees, 2 bad usage or bad input, 3 partly done.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ocpi.types import codec

FAILED, BAD_INPUT, PARTLY = 1, 2, 3


def fail(message: str, code: int = FAILED) -> NoReturn:
    """End the command with a message on stderr."""
    raise CommandError(message, returncode=code)


class NodeCommand(BaseCommand):
    """A command with `--json`. Implement `run`, which returns the result; `show` prints it for people."""

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as one JSON document on stdout")
        self.arguments(parser)

    def arguments(self, parser: CommandParser) -> None:
        """Declare what the command takes besides `--json`."""

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        """Do the work; returns the result and the exit code."""
        raise NotImplementedError

    def show(self, result: Mapping[str, Any]) -> None:
        """Print the result for people."""
        for name, value in result.items():
            self.stdout.write(f"{name.replace('_', ' ')}: {value}")

    def handle(self, *args: Any, **options: Any) -> None:
        result, code = self.run(**options)
        if options["json"]:
            self.stdout.write(codec.encode_text(result))
        else:
            self.show(result)
        if code:
            self.stdout.flush()
            sys.exit(code)


@contextmanager
def progress(title: str, *, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr; silent when stderr is no terminal. Yields `advance(done, total)`."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
