"""Auditing batch by batch through the feed of CDRs that others have sent us, by one worker at a time."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from ocpi.models import Cdr
from ocpi.store import revisions, writing
from ocpi.store.revisions import Position
from ocpi.store.scope import Scope
from ocpi.types import codec
from roaming.audit_models import AuditProgress, CdrAudit
from roaming.auditing import evidence, gates, prices
from roaming.auditing.evidence import Evidence
from roaming.auditing.findings import Finding, verdict
from roaming.auditing.terms import AllTerms
from roaming.directory import directory
from roaming.leases import Holder

log = structlog.get_logger(__name__)

BATCH = 200
_RELEASED = {"released_at": None, "released_by": ""}  # a person's word, which a second audit leaves alone
_LARGEST = Decimal(10) ** 15
Progress = Callable[[int], None]


def run(progress: Progress = lambda done: None) -> int:
    """Audit what has come since; returns how many CDRs. Nothing when another worker is at it."""
    lease, done = Holder("cdr audit"), 0
    while lease.hold():
        count = _batch()
        if count is None:
            lease.release()
            break
        progress(done := done + count)
    return done


def again(cdr_ids: Iterable[int]) -> int:
    """Audit these once more, for an agreement or what we know has changed; returns how many."""
    rows = list(Cdr.objects.filter(pk__in=cdr_ids, source__isnull=False).order_by("pk"))
    judge(rows)
    return len(rows)


def start_over() -> None:
    """Have every CDR audited once more."""
    AuditProgress.objects.update(xid=0, revision=0)


@transaction.atomic
def _batch() -> int | None:
    """The next CDRs in the feed: how many were audited; None when there are none."""
    place, _ = AuditProgress.objects.get_or_create(pk=1)
    changes = revisions.changes(Cdr, Scope.all_but([]), Position(place.xid, place.revision), BATCH)
    if not changes:
        return None
    received = [change.id for change in changes if change.source is not None]
    rows = list(Cdr.objects.filter(pk__in=received))
    judge(sorted({*rows, *_concerned(rows)}, key=lambda row: row.pk))
    place.xid, place.revision = changes[-1].position
    place.save()
    return len(rows)


def _concerned(rows: list[Cdr]) -> list[Cdr]:
    """CDRs judged before that one of these throws another light on: a credit and what it is about come in any order."""
    owners, credited = {row.owner for row in rows}, {row.session_key for row in rows if row.is_credit} - {""}
    judged = Cdr.objects.filter(owner__in=owners, source__isnull=False, audit__isnull=False)
    of_session = judged.filter(session_key__in=credited)
    crediting = judged.filter(credits__in={row.key for row in rows}).exclude(credits="")  # or no index can be used
    return [*of_session, *crediting]


def judge(rows: list[Cdr]) -> None:
    """Judge these CDRs, which came in this order, and note the verdicts."""
    now, terms = timezone.now(), AllTerms()
    own = {party for _, party in directory.picture().own}
    # One by one in a batch would miss what two of them have in common: the first is noted before the next is judged.
    for group in _apart(evidence.gather(rows, own)):
        _note([_judged(one, terms, now) for one in group])


def _apart(found: list[Evidence]) -> Iterable[list[Evidence]]:
    """Groups of which no two are of the same Token or EVSE; what comes later sees the audits of what came before."""
    group: list[Evidence] = []
    seen: set[tuple[str, str]] = set()
    for one in found:
        marks = {(str(one.facts.token_owner), one.facts.token_uid), (str(one.facts.owner), one.facts.evse_id)}
        if marks & seen:
            yield group
            group, seen = [], set()
            evidence.overlaps([one])
        group.append(one)
        seen |= marks
    if group:
        yield group


def _judged(one: Evidence, terms: AllTerms, now: datetime) -> dict[str, Any]:
    """The row of a CdrAudit."""
    agreed = terms.between(one.facts.owner, one.facts.token_owner, one.facts.started_at)
    priced = prices.check(one, agreed)
    findings: list[Finding] = gates.check(one, now)
    if one.original is None:  # what a credit gives back is compared with what was taken, which may be the wrong price
        findings += priced.findings
    facts = one.facts
    return {
        "cdr_id": one.cdr_id,
        "verdict": verdict(findings).value,
        "audited_at": writing.adapted(now),
        "currency": priced.currency,
        "claimed": _amount(priced.claimed),
        "computed": _amount(priced.computed),
        "findings": codec.encode_text([finding.document() for finding in findings]),
        "codes": " ".join(finding.code for finding in findings),
        "breakdown": codec.encode_text(priced.breakdown) if priced.breakdown else "",
        "owner": str(facts.owner),
        "token_owner": str(facts.token_owner),
        "token_uid": facts.token_uid,
        "evse_id": facts.evse_id,
        "started_at": writing.adapted(facts.started_at),
        "ended_at": writing.adapted(facts.ended_at),
        "energy": _amount(gates.number(one.document, "total_energy")),
        **_RELEASED,
    }


def _amount(value: Decimal | None) -> Decimal | None:
    """As its column holds it; None for what nobody could mean."""
    if value is None or not value.is_finite() or abs(value) >= _LARGEST:
        return None
    return value.quantize(Decimal("0.0001"))


def _note(audits: list[dict[str, Any]]) -> None:
    writing.upsert(CdrAudit, ("cdr_id",), audits, kept=_RELEASED)  # the ORM takes ten times as long
    for audit in audits:
        if audit["verdict"] in (CdrAudit.Verdict.DISPUTE, CdrAudit.Verdict.HOLD):
            log.warning("CDR", **{name: audit[name] for name in ("verdict", "cdr_id", "owner", "codes")})
