"""An examination for a person at a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

Json = Mapping[str, Any]

COLOURS = {"error": "red", "warning": "yellow"}


def render(result: Json) -> RenderableType:
    """The result of `Report.document`: each rule, and where it was broken."""
    table = Table(
        "Rule", "", "Says", title=f"{result['platform']}, {result['requests']} requests", title_justify="left"
    )
    for rule in result["rules"]:
        table.add_row(rule["rule"], _state(rule), Text(rule["says"]))
    broken = sum(bool(rule["broken"]) for rule in result["rules"])
    verdict = "It conforms" if result["conforms"] else "It does not conform"
    told = f"{verdict}: {broken} of {len(result['rules'])} rules are broken somewhere."
    return Group(table, *_examples(result), Text(told, "green" if result["conforms"] else "red"))


def _state(rule: Json) -> Text:
    if not rule["looked_at"]:
        return Text("not seen", "dim")
    if rule["broken"]:
        return Text(f"{rule['grade']}, {rule['broken']} of {rule['looked_at']}", COLOURS[rule["grade"]])
    return Text("kept", "green")


def _examples(result: Json) -> Iterator[RenderableType]:
    for rule in result["rules"]:
        if rule["broken"]:
            anchor = f" (§{rule['anchor']})" if rule["anchor"] else ""
            yield Text(f"{rule['rule']}: {rule['says']}{anchor}", COLOURS[rule["grade"]])
            for example in rule["examples"]:
                yield Text(f"  {example['where']}\n    {example['seen']}")
            yield Text()
