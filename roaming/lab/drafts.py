"""Drafts of Tariffs: what has to be right before anything is priced by them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ocpi.pricing.faults import BadInput
from ocpi.pricing.lint.checking import lint, passes
from ocpi.pricing.lint.findings import Finding
from ocpi.pricing.tariffs import Tariff, compiled
from ocpi.types import validation
from ocpi.v221 import tariffs as wire


@dataclass(frozen=True, slots=True)
class Draft:
    """A Tariff that nobody pays by; `findings` are what lint has to say of it, none of them an error."""

    tariff: Tariff
    findings: list[Finding]

    @property
    def currency(self) -> str:
        return str(self.tariff.currency)


def read(document: Any) -> Draft:
    """The draft; raises `BadInput` with a pointer for one that is not valid, or has a lint error.

    Who it belongs to and when it was written may be left out: it is a draft.
    """
    if not isinstance(document, dict):
        raise BadInput("is not a Tariff object")
    supposed = {"country_code": "XX", "party_id": "XXX", "id": "DRAFT", "last_updated": "2026-01-01T00:00:00Z"}
    for found in validation.check(supposed | document, wire.Tariff):
        raise BadInput(found.message, *found.pointer.split("/")[1:])
    findings = lint(document)
    if not passes(findings):
        raise BadInput(findings[0].message, *findings[0].pointer.split("/")[1:])
    return Draft(compiled(document), findings)


def month_of(text: str) -> tuple[datetime, datetime]:
    """The beginning of a month written 2026-01, and of the next one, in UTC; raises `BadInput`."""
    try:
        first = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise BadInput("is not a month such as 2026-01", "month") from None
    return first, first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
