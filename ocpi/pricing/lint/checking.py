"""A tariff, or all tariffs of a connector, checked by every rule."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from ocpi.pricing import subject
from ocpi.pricing.exact import arithmetic
from ocpi.pricing.lint import limits, prices, spelling, structure, windows
from ocpi.pricing.lint.coverage import Coverage
from ocpi.pricing.lint.findings import Code, Finding, Severity
from ocpi.pricing.scalars import instant

_ORDER = list(Severity)


def lint(document: Any, now: int | None = None) -> list[Finding]:
    """The findings of a Tariff, the worst first. `now`, in microseconds, is asked whether it has ended.

    Raises `BadInput` with a pointer for a document that cannot be priced at all.
    """
    with arithmetic():
        tariff = subject.read(document)
        found = [
            *Coverage(tariff).findings(),
            *windows.findings(tariff),
            *structure.findings(tariff),
            *prices.findings(tariff),
            *limits.findings(tariff, now),
            *spelling.findings(tariff),
        ]
    return sorted(found, key=lambda finding: _ORDER.index(finding.code.severity))


def lint_connector(documents: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Two tariffs of a type at one time, among the tariffs of one connector (§mod_locations_connector_object).

    Pointers are into the list. No type is a type of its own: for all sessions.
    """
    return [
        Finding(Code.TYPE_DUPLICATE_ON_CONNECTOR, f"/{later}/type", f"As in /{earlier}.")
        for (earlier, one), (later, other) in combinations(enumerate(documents), 2)
        if one.get("type") == other.get("type") and _meet(one, other)
    ]


def _meet(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether both are valid at some time."""
    starts, ends = (
        [instant(document[name]) for document in (one, other) if document.get(name)]
        for name in ("start_date_time", "end_date_time")
    )
    return not starts or not ends or max(starts) < min(ends)


def passes(found: Sequence[Finding], *, strict: bool = False) -> bool:
    """Whether there is no error, and when strict no warning either."""
    bad = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return bad.isdisjoint(finding.code.severity for finding in found)
