"""A diagnosis for a person at a terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from roaming.conformance.table import COLOURS


def render(result: Mapping[str, Any]) -> RenderableType:
    """The result of `diagnosis`: settings, platforms, and last, where one looks first, the faults."""
    settings = Table("Setting", "Value", title="Configuration", title_justify="left")
    for name, value in result["configuration"].items():
        settings.add_row(name, Text(str(value)))
    parts: list[RenderableType] = [settings, Text()]
    if result["platforms"]:
        parts += [_platforms(result), Text()]
    for fault in result["faults"]:
        parts.append(Text(f"{fault['level']} {fault['id']}: {fault['message']}", COLOURS[fault["level"]]))
    parts.append(
        Text("Nothing keeps this node from its work.", "green") if result["ok"] else Text("This has to be mended.")
    )
    return Group(*parts)


def _platforms(result: Mapping[str, Any]) -> Table:
    table = Table(
        "Platform", "State", "Last success", "Failures", "Last error", title="Platforms", title_justify="left"
    )
    for row in result["platforms"]:
        state = f"OFFLINE since {row['offline_since']}" if row["offline_since"] else row["state"]
        error = row["last_error"] if row["failures"] else ""
        table.add_row(
            Text(row["platform"]), state, row["last_success_at"] or "never", str(row["failures"]), Text(error)
        )
    return table
