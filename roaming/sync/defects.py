"""What is wrong with a partner's objects, summed up for the partner: what, where, how often, for example which.

It covers the objects that cannot be used (in quarantine) and those that were stored with their defects.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.store.catalogue import STORES
from ocpi.types import times
from ocpi.types.validation import Violation
from ocpi.v221.anchors import anchor, anywhere
from ocpi.v221.versions import ModuleID
from roaming.markdown import plain
from roaming.models import Platform
from roaming.pull_models import QuarantinedObject

EXAMPLES = 3
_violations = msgspec.json.Decoder(list[Violation])


@dataclass(frozen=True, slots=True)
class Found:
    """One defect of one object."""

    module: str
    identity: str
    violation: Violation
    quarantined: bool


@dataclass(slots=True)
class Finding:
    """A defect that objects of a module have in common; `place` is a JSON Pointer with `*` for any index."""

    module: str
    place: str
    code: str
    message: str
    anchor: str
    fatal: bool = False
    objects: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)
    _last: str = ""

    def add(self, found: Found) -> None:
        """Count an object once, however often it has the defect."""
        self.fatal = self.fatal or found.violation.fatal
        if found.identity == self._last:
            return
        self._last = found.identity
        self.objects += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append({"object": found.identity, "pointer": found.violation.pointer})


@dataclass(frozen=True, slots=True)
class Report:
    """The findings about one platform's objects: what makes objects unusable first, then what is most frequent."""

    platform: str
    at: str
    quarantined: int
    findings: list[Finding]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        names = ("module", "code", "place", "message", "fatal", "objects", "examples", "anchor")
        findings = [{name: getattr(finding, name) for name in names} for finding in self.findings]
        return {"platform": self.platform, "at": self.at, "quarantined": self.quarantined, "findings": findings}

    def markdown(self) -> str:
        """For people, and for a ticket at the partner's."""
        lines = [
            f"# Defects in the objects of {plain(self.platform)}",
            "",
            f"{self.at}. {self.quarantined} objects cannot be used and are kept in quarantine; “unusable” marks what "
            "causes it. Anchors lead into the OCPI 2.2.1 specification.",
            "",
        ]
        if not self.findings:
            return "\n".join([*lines, "No defects.", ""])
        lines += [
            "| Module | Where | What is wrong | Objects | For example | Specification |",
            "|---|---|---|---|---|---|",
        ]
        for finding in self.findings:
            what = f"{'unusable: ' if finding.fatal else ''}{finding.code}: {finding.message}"
            examples = "; ".join(f"{example['object']} {example['pointer']}" for example in finding.examples)
            cells = (finding.module, finding.place or "/", what, str(finding.objects), examples, f"§{finding.anchor}")
            lines.append(f"| {' | '.join(map(plain, cells))} |")
        return "\n".join([*lines, ""])


def report(platform: Platform) -> Report:
    """What is wrong now with the objects that came from a platform."""
    findings: dict[tuple[str, str, str], Finding] = {}
    for found in of(platform):
        place, code = anywhere(found.violation.pointer), found.violation.code
        finding = findings.get((found.module, place, code))
        if finding is None:
            where = anchor(STORES[ModuleID(found.module)].shape, place)
            finding = Finding(found.module, place, code, found.violation.message, where)
            findings[found.module, place, code] = finding
        finding.add(found)
    quarantined = QuarantinedObject.objects.filter(platform=platform).count()
    ranked = sorted(findings.values(), key=lambda finding: (not finding.fatal, -finding.objects, finding.place))
    return Report(platform.name, times.format(timezone.now()), quarantined, ranked)


def of(platform: Platform) -> Iterator[Found]:
    """Every defect of every object that came from a platform."""
    kept = QuarantinedObject.objects.filter(platform=platform).order_by("pk")
    for module, identity, text in kept.values_list("module", "identity", "defects").iterator():
        for violation in _violations.decode(text):
            yield Found(module, identity, violation, quarantined=True)
    for store in STORES.values():
        stored = store.rows(source=platform.pk).exclude(defects="").order_by("pk")
        for owner, key, text in stored.values_list("owner", "key", "defects").iterator(chunk_size=500):
            for violation in _violations.decode(text):
                yield Found(store.module.value, f"{PartyId(owner)}*{key}", violation, quarantined=False)
