"""What Tariffs that are about to be stored say: what is wrong, what they mean, and what sessions cost by them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.safestring import SafeString

from ocpi.admin.objects import amount
from ocpi.admin.reading import chip, table
from ocpi.pricing.building import samples
from ocpi.pricing.describing import describe
from ocpi.pricing.faults import BadInput
from ocpi.pricing.lint.checking import lint
from ocpi.pricing.lint.findings import Finding, Severity
from ocpi.pricing.scalars import instant_of
from ocpi.pricing.tariffs import canonical
from ocpi.store.documents import Document
from ocpi.types import codec, validation
from ocpi.v221.tariffs import Tariff

_TONES = {Severity.ERROR: "danger", Severity.WARNING: "warning", Severity.INFO: "info"}


class Refused(ValueError):
    """A Tariff that is not stored: a sentence for each thing that is wrong."""

    def __init__(self, sentences: Sequence[str]) -> None:
        self.sentences = list(sentences)
        super().__init__("; ".join(sentences))


@dataclass(frozen=True, slots=True)
class Preview:
    """One Tariff as it will be stored."""

    id: str
    sentences: Sequence[str]
    sessions: SafeString
    findings: SafeString | str
    warnings: int


def previews(documents: Sequence[Document], zone: str) -> list[Preview]:
    """A preview of each; raises `Refused` for what is not valid, has a lint error or cannot be priced."""
    return [_preview(document, zone) for document in documents]


def digest(documents: Sequence[Document]) -> str:
    """By it who confirms says what was seen; when it was written does not count."""
    undated = [{name: value for name, value in one.items() if name != "last_updated"} for one in documents]
    return hashlib.sha256(canonical(undated)).hexdigest()


def _preview(document: Document, zone: str) -> Preview:
    if violations := validation.check(document, Tariff):
        raise Refused([f"{found.pointer or '/'}: {found.message}" for found in violations])
    now = datetime.now(UTC)
    try:
        findings = lint(document, instant_of(now))
        if errors := [found for found in findings if found.code.severity is Severity.ERROR]:
            raise Refused([f"{found.pointer}: {found.message}" for found in errors])
        priced = samples.priced(document, now.date(), zone)
        sentences = describe(document)
    except BadInput as fault:
        raise Refused([f"{fault.pointer or '/'}: {fault.message}"]) from None
    return Preview(
        document["id"],
        sentences,
        table(("Session", "Costs", "Of which"), _sessions(document, priced)),
        _findings(findings),
        sum(found.code.severity is Severity.WARNING for found in findings),
    )


def _sessions(document: Document, priced: Sequence[samples.Priced]) -> Iterator[tuple[str, str, str]]:
    for one in priced:
        parts = ", ".join(f"{name} {cost}" for name, cost in one.costs.items())
        yield one.title, amount(one.total.document(), document["currency"]), parts or "-"


def _findings(findings: Sequence[Finding]) -> SafeString | str:
    if not findings:
        return ""
    return table(
        ("Finding", "Where", "What it means", "For example"),
        [
            (chip(_TONES[found.code.severity], str(found.code)), found.pointer, found.message, _witness(found.witness))
            for found in findings
        ],
    )


def _witness(witness: Mapping[str, Any] | None) -> str:
    return codec.encode_text(dict(witness)) if witness else "-"
