"""What a CDR should cost: by the tariffs in it, and by those that its owner has published. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ocpi.pricing import breakdown
from ocpi.pricing.audit import Difference, audit
from ocpi.pricing.audit import Severity as Kind
from ocpi.pricing.case import Case, open_case
from ocpi.pricing.faults import BadInput
from ocpi.store.documents import Document, objects
from ocpi.types import times
from roaming.auditing.evidence import Evidence
from roaming.auditing.findings import Finding, Severity
from roaming.auditing.terms import Terms

# What a Tariff promises; the rest of it is not about money.
_PROMISES = ("currency", "elements", "min_price", "max_price")


@dataclass(slots=True)
class Result:
    """Amounts without VAT, in the CDR's currency; None where there is none."""

    findings: list[Finding] = field(default_factory=list)
    currency: str = ""
    claimed: Decimal | None = None
    computed: Decimal | None = None
    breakdown: dict[str, Any] = field(default_factory=dict)


def check(evidence: Evidence, terms: Terms) -> Result:
    """Price the CDR, and compare."""
    result = Result(claimed=_claimed(evidence.document), currency=_currency(evidence.document))
    own = objects(evidence.document, "tariffs")
    try:
        case = _opened(evidence, terms)
        verdict = audit(case)
        result.computed = _computed(case)
        if not verdict.agrees:
            result.findings += (_finding(difference, terms) for difference in verdict.differences)
            result.breakdown = breakdown.document(case, verdict)
    except BadInput as fault:
        result.findings.append(Finding("cannot_be_priced", Severity.HOLD, fault.message, fault.pointer))
        return result
    result.findings += _published(evidence, terms, own, result)
    return result


def written(evidence: Evidence, terms: Terms) -> dict[str, Any]:
    """How the CDR is priced, whether it agrees or not; empty when it cannot be priced."""
    try:
        case = _opened(evidence, terms)
        return breakdown.document(case, audit(case))
    except BadInput:
        return {}


def _opened(evidence: Evidence, terms: Terms) -> Case:
    """The CDR with the tariffs in it, else with those that its owner has published."""
    own = objects(evidence.document, "tariffs")
    return _case(evidence, terms, None if own else list(evidence.tariffs.values()) or None)


def _case(evidence: Evidence, terms: Terms, tariffs: list[Document] | None) -> Case:
    zone = (evidence.location or {}).get("time_zone")
    known = zone if isinstance(zone, str) else None
    try:
        return open_case(evidence.document, tariffs, zone=known, policy=terms.rounding)
    except BadInput:
        if known is None:
            raise
        return open_case(evidence.document, tariffs, policy=terms.rounding)  # its Location names no zone of this world


def _finding(difference: Difference, terms: Terms) -> Finding:
    """What a difference means: money that we would overpay is a dispute, if it is more than was agreed on."""
    cause = f" ({difference.explanation})" if difference.explanation else ""
    message = f"claims {difference.claimed}, should be {difference.computed}{cause}"
    pointer = "/" + difference.field.replace(".", "/")
    evidence = {"claimed": difference.claimed, "computed": difference.computed, "cause": difference.likely_cause}
    code, severity = f"price_{difference.severity}", Severity.TOLERATED
    if difference.field == "currency":
        severity = Severity.DISPUTE
    elif difference.severity is Kind.MONEY and difference.field.startswith("total_cost"):
        surplus = difference.claimed - difference.computed
        if surplus > terms.tolerance:
            code, severity = "overcharged", Severity.DISPUTE
        elif surplus < 0:
            code = "undercharged"
    return Finding(code, severity, message, pointer, evidence)


def _published(evidence: Evidence, terms: Terms, own: list[Document], result: Result) -> Iterator[Finding]:
    """Whether the tariffs in the CDR promise what was published before the session began."""
    changed = {
        str(tariff.get("id")): published
        for tariff in own
        if (published := evidence.tariffs.get(str(tariff.get("id")).lower()))
        and _promise(published) != _promise(tariff)
        and times.parse(published["last_updated"]) <= evidence.facts.started_at
    }
    if not changed:
        return
    names = ", ".join(sorted(changed))
    others = [tariff for tariff in own if str(tariff.get("id")) not in changed]
    try:
        by_published = _computed(_case(evidence, terms, [*changed.values(), *others]))
    except BadInput as fault:
        yield Finding("tariff_not_as_published", Severity.NOTE, f"{names}: {fault.message}", "/tariffs")
        return
    dearer = result.claimed is not None and result.claimed - by_published > terms.tolerance
    yield Finding(
        "tariff_not_as_published",
        Severity.DISPUTE if dearer else Severity.NOTE,
        f"Tariff {names} is not as it was published before; by that one it would be {by_published}",
        "/tariffs",
        {"tariffs": sorted(changed), "computed": by_published},
    )


def _promise(tariff: Document) -> list[Any]:
    return [tariff.get(name) for name in _PROMISES]


def _computed(case: Case) -> Decimal:
    amount: Decimal = case.figures.total.excl
    return -amount if case.usage.is_credit else amount


def _claimed(document: Document) -> Decimal | None:
    total = document.get("total_cost")
    found = total.get("excl_vat") if isinstance(total, dict) else None
    return Decimal(found) if isinstance(found, (int, Decimal)) and not isinstance(found, bool) else None


def _currency(document: Document) -> str:
    found = document.get("currency")
    return found[:3].upper() if isinstance(found, str) else ""
