"""What an examination found: for each rule whether it held, and where it did not."""

from dataclasses import dataclass, field
from typing import Any

from roaming.conformance.rules import Grade, Rule
from roaming.markdown import plain, printable

_EXAMPLES = 10
_SHOWN = 300  # characters of what a partner said


@dataclass(slots=True)
class Judged:
    """A rule, how often it was looked at, how often it was broken, and examples of that."""

    rule: Rule
    looked_at: int = 0
    broken: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        return {
            "rule": self.rule.id,
            "grade": self.rule.grade.value,
            "says": self.rule.says,
            "anchor": self.rule.anchor,
            "looked_at": self.looked_at,
            "broken": self.broken,
            "examples": self.examples,
        }


@dataclass(slots=True)
class Report:
    """The rules as they were judged at one platform."""

    platform: str
    at: str
    requests: int = 0
    judged: dict[Rule, Judged] = field(default_factory=lambda: {rule: Judged(rule) for rule in Rule})

    def judge(self, rule: Rule, held: bool, where: str, seen: str = "") -> bool:
        """Note whether a rule held; `where` is the URL that was asked, `seen` what came. Returns `held`."""
        judged = self.judged[rule]
        judged.looked_at += 1
        if not held:
            judged.broken += 1
            if len(judged.examples) < _EXAMPLES:
                judged.examples.append({"where": where, "seen": printable(seen[:_SHOWN])})
        return held

    def broken(self, grade: Grade) -> list[Judged]:
        return [judged for judged in self.judged.values() if judged.broken and judged.rule.grade is grade]

    @property
    def has_answered(self) -> bool:
        """Whether any answer was an envelope."""
        judged = self.judged[Rule.ENVELOPE]
        return judged.broken < judged.looked_at

    @property
    def conforms(self) -> bool:
        """Whether no rule was broken that costs data or money."""
        return not self.broken(Grade.ERROR)

    def document(self) -> dict[str, Any]:
        """As JSON. A rule that was not looked at was neither kept nor broken."""
        return {
            "platform": self.platform,
            "at": self.at,
            "conforms": self.conforms,
            "requests": self.requests,
            "rules": [judged.document() for judged in self.judged.values()],
        }

    def markdown(self) -> str:
        """What is broken, for a ticket at the partner's; empty when nothing is."""
        found = [*self.broken(Grade.ERROR), *self.broken(Grade.WARNING)]
        lines = [f"# OCPI 2.2.1 at {plain(self.platform)}, {self.at}", ""] if found else []
        for judged in found:
            anchor = f" (§{judged.rule.anchor})" if judged.rule.anchor else ""
            lines += [f"## {judged.rule.grade.value}: {judged.rule.says}{anchor}", ""]
            lines += [f"Broken {judged.broken} of {judged.looked_at} times:", ""]
            lines += [f"- {plain(example['where'])}: {plain(example['seen'])}" for example in judged.examples]
            lines.append("")
        return "\n".join(lines)
