"""Opens disputes and moves them on. Every step says who took it; a credit CDR resolves a dispute by itself."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery

from ocpi.ids import PartyId
from ocpi.models import Cdr
from ocpi.types import codec
from roaming.audit_models import CdrAudit
from roaming.auditing import running
from roaming.auditing.findings import Severity
from roaming.dispute_models import Dispute, DisputeStep
from roaming.disputing import bundle

State = Dispute.State

MOVES = {
    State.OPEN: (State.SENT, State.ACCEPTED, State.REJECTED, State.WITHDRAWN),
    State.SENT: (State.ACCEPTED, State.REJECTED, State.WITHDRAWN),
    State.ACCEPTED: (State.REJECTED, State.WITHDRAWN),
}
_ABOUT_PRICE = {"overcharged", "tariff_not_as_published"}
_LARGEST = Decimal(10) ** 15


class NotDisputable(ValueError):
    """Why a CDR cannot be disputed, or a dispute not be moved on; in words for staff."""


def find(owner: PartyId, cdr_id: str) -> Cdr:
    """A CDR that another party has sent us; raises `NotDisputable`."""
    row = Cdr.objects.filter(owner=owner, key=cdr_id.lower()).first()
    if row is None:
        raise NotDisputable(f"there is no CDR {cdr_id} of {owner}")
    return row


def open_dispute(row: Cdr, reason: str = "", by: str = "") -> tuple[Dispute, bool]:
    """The open dispute of a CDR, and whether it is new; with one open already nothing changes.

    The CDR is audited once more, so that the evidence is of one moment. Raises `NotDisputable`: a CDR of our own, one
    that was credited, or one that nothing is wrong with when no reason is given.
    """
    if row.source is None:
        raise NotDisputable(f"CDR {row.key} is our own: correct it instead")
    if (held := _undecided(row)) is not None:
        return held, False
    if credit := Cdr.objects.filter(owner=row.owner, credits=row.key).first():
        raise NotDisputable(f"CDR {row.key} was credited by {credit.key}")
    running.judge([row])
    audit = CdrAudit.objects.get(pk=row.pk)
    grave = _grave(audit)
    if not grave and not reason:
        raise NotDisputable(f"the audit of CDR {row.key} finds nothing to dispute: give a reason")
    dispute = Dispute(
        cdr=row,
        reason=reason or "; ".join(f"{finding['pointer']}: {finding['message']}" for finding in grave),
        amount=_at_stake(audit, grave),
        currency=audit.currency,
        opened_by=by,
        evidence=bundle.text(bundle.bundle(row, audit)),
    )
    try:
        with transaction.atomic():
            dispute.save()
            DisputeStep.objects.create(dispute=dispute, state=State.OPEN, by=by, note=reason)
    except IntegrityError:  # somebody was faster
        if (held := _undecided(row)) is None:
            raise
        return held, False
    return dispute, True


def move(dispute_id: int, state: str, by: str = "", note: str = "") -> Dispute:
    """Note that a dispute went on; raises `NotDisputable` when it cannot go there from where it is."""
    before = [origin for origin, targets in MOVES.items() if state in targets]
    with transaction.atomic():
        moved = Dispute.objects.filter(pk=dispute_id, state__in=before).update(state=state)
        dispute = Dispute.objects.get(pk=dispute_id)
        if not moved:
            raise NotDisputable(f"it is {dispute.get_state_display()}, and cannot become {State(state).label}")
        DisputeStep.objects.create(dispute=dispute, state=state, by=by, note=note)
    return dispute


@transaction.atomic
def resolve_credited() -> int:
    """Resolve the open disputes whose CDRs have been credited; returns how many."""
    credits = Cdr.objects.filter(owner=OuterRef("cdr__owner"), credits=OuterRef("cdr__key")).order_by("pk")
    found = (
        Dispute.objects.filter(state__in=Dispute.UNDECIDED)
        .annotate(credited_by=Subquery(credits.values("pk")[:1]))
        .filter(credited_by__isnull=False)
    )
    count = 0
    for dispute_id, credit in list(found.values_list("pk", "credited_by")):
        undecided = Dispute.objects.filter(pk=dispute_id, state__in=Dispute.UNDECIDED)
        if undecided.update(state=State.RESOLVED, credit=credit):
            DisputeStep.objects.create(dispute_id=dispute_id, state=State.RESOLVED)
            count += 1
    return count


def _undecided(row: Cdr) -> Dispute | None:
    return Dispute.objects.filter(cdr=row, state__in=Dispute.UNDECIDED).first()


def _grave(audit: CdrAudit) -> list[dict[str, Any]]:
    """What the verdict is made of."""
    findings: list[dict[str, Any]] = codec.decode(audit.findings.encode())
    return [finding for finding in findings if Severity[finding["severity"]] >= Severity.DISPUTE]


def _at_stake(audit: CdrAudit, grave: Iterable[dict[str, Any]]) -> Decimal | None:
    """What is claimed too much when it is about the price alone, else all that is claimed; without VAT."""
    if audit.claimed is None:
        return None
    grave = list(grave)
    if not grave or any(finding["code"] not in _ABOUT_PRICE for finding in grave):
        return audit.claimed
    named = [finding["evidence"].get("computed") for finding in grave if not finding["pointer"].endswith("incl_vat")]
    computed = [Decimal(amount) for amount in named if isinstance(amount, (int, Decimal))]
    if not computed and audit.computed is not None:
        computed = [audit.computed]
    if not computed or abs(min(computed)) >= _LARGEST:
        return audit.claimed
    return (audit.claimed - min(computed)).quantize(Decimal("0.0001"))
