"""Findings for a person at a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ocpi.pricing.lint.findings import Severity

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}


def render(findings: Sequence[Mapping[str, Any]]) -> RenderableType:
    """The findings as they are printed, worst first, and their number."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("", "Code", "Where", "What"):
        table.add_column(name, overflow="fold")
    for finding in findings:
        what = finding["message"]
        if finding["witness"]:
            what += f" For example {_case(finding['witness'])}."
        severity = finding["severity"]
        table.add_row(Text(severity, _STYLES[severity]), finding["code"], finding["pointer"], what)
    counts = [sum(finding["severity"] == severity for finding in findings) for severity in Severity]
    summary = Text(f"{counts[0]} errors, {counts[1]} warnings, {counts[2]} remarks", "bold")
    return Group(table, Text(), summary) if findings else Text("Nothing was found.", "bold green")


def _case(witness: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in witness.items())
