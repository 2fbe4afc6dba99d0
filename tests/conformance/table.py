"""The rules, the tests that prove them, and the table of both."""

import ast
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "conformance.md"
_RULE = re.compile(r"\bR\d+\.\d+[a-z]?\b")
_HEAD = """\
# Conformance with OCPI 2.2.1

Every rule that this node implements, and the tests that prove it. Levels: M must, S should, O may, D not written but
needed for the specification to work through a hub. `python -m tests.conformance` writes this file from the docstrings
of the tests; a test keeps it true. How contradictions of the specification are read: [errata.md](errata.md).

| rule | level | chapter | what | state | tests |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, and why nothing proves it where nothing does."""

    id: str
    level: str
    chapter: str
    what: str
    reason: str
    tests: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        return "proven" if self.tests else self.reason or "**not proven**"

    @property
    def is_open(self) -> bool:
        """Whether it must hold, is not proven, and nobody has said why."""
        return self.level in "MD" and not self.tests and not self.reason


def rules() -> list[Rule]:
    """All rules with their tests."""
    proofs = _proofs()
    lines = (Path(__file__).parent / "rules.txt").read_text().splitlines()
    cells = [[cell.strip() for cell in line.split("|")] for line in lines if line and not line.startswith("#")]
    return [Rule(*row, proofs.get(row[0], [])) for row in cells]


def _proofs() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for rule in dict.fromkeys(_RULE.findall(ast.get_docstring(node) or "")):
                    found[rule].append(f"{path.relative_to(ROOT / 'tests')}::{node.name}")
    return found


def known() -> set[str]:
    """The rules that tests name."""
    return set(_proofs())


def document() -> str:
    """The text of docs/conformance.md."""
    return _HEAD + "".join(
        f"| {rule.id} | {rule.level} | {rule.chapter} | {rule.what} | {rule.state} | "
        f"{'<br>'.join(f'`{test}`' for test in rule.tests)} |\n"
        for rule in rules()
    )
