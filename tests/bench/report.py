"""What a case found: one line of the table, one object of the JSON file."""

import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).resolve().parents[2] / "bench-results"
_PACKAGES = ("django", "djangorestframework", "psycopg", "msgspec", "uvicorn", "uvloop", "httptools", "httpx")
_COLOURS = {"met": "green", "missed": "red", "failed": "bold red"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing. `met` is None when there is no target for it; `details` go to the JSON file only."""

    case: str
    what: str
    measured: str
    target: str = ""
    ratio: float | None = None
    met: bool | None = None
    details: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def verdict(self) -> str:
        if self.error:
            return "failed"
        return "" if self.met is None else "met" if self.met else "missed"


def conditions(options: dict[str, Any]) -> dict[str, Any]:
    """What the figures depend on; call it before the first case, for the load average."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    versions |= {"python": platform.python_version(), "kernel": platform.release()}
    versions |= {name: _first_line(command) for name, command in _TOOLS.items()}
    return {
        "started_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "load_average_at_start": os.getloadavg(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "commit": _first_line(["git", "rev-parse", "HEAD"]),
        "worktree_dirty": bool(_first_line(["git", "status", "--porcelain", "--untracked-files=no"])),
        "versions": versions,
        "options": options,
    }


_TOOLS = {"wrk": ["wrk", "--version"], "redis": ["redis-server", "--version"], "psql": ["psql", "--version"]}


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=RESULTS.parent)
    except OSError:
        return "not installed"
    return next(iter((done.stdout or done.stderr).splitlines()), "").strip()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def show(figures: Sequence[Figure], under: dict[str, Any]) -> None:
    """Print the table on stdout."""
    load = ", ".join(f"{value:.2f}" for value in under["load_average_at_start"])
    title = f"{under['started_at']}, load average at start {load}, {under['stolen_by_the_host']:.1%} stolen by the host"
    table = Table(title=title, title_justify="left")
    for column in ("case", "what", "target", "measured"):
        table.add_column(column, overflow="fold")
    table.add_column("ratio", justify="right")
    table.add_column("verdict")
    for figure in figures:
        verdict = figure.verdict
        table.add_row(
            figure.case,
            figure.what,
            figure.target,
            figure.error or figure.measured,
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            f"[{_COLOURS[verdict]}]{verdict}[/]" if verdict else "",
        )
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 150).print(table)


def save(figures: Sequence[Figure], under: dict[str, Any]) -> Path:
    """Write bench-results/<UTC time>.json, and the same as latest.json; returns the former."""
    RESULTS.mkdir(exist_ok=True)
    stamp = under["started_at"].replace(":", "").replace("-", "").removesuffix("+0000")
    found = [{**asdict(figure), "verdict": figure.verdict} for figure in figures]
    text = json.dumps({**under, "figures": found}, indent=2, default=str) + "\n"
    path = RESULTS / f"{stamp}Z.json"
    for target in (path, RESULTS / "latest.json"):
        target.write_text(text)
    return path
