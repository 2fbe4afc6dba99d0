"""Working off what staff have asked, one run after the other by one worker at a time. A run whose worker died begins
anew; one that outlives no worker is given up.
"""

import structlog
from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.pricing.faults import BadInput
from ocpi.types import codec
from roaming.lab import drafts
from roaming.lab.replaying import replay
from roaming.lab_models import LabRun
from roaming.leases import Holder

log = structlog.get_logger(__name__)

PATIENCE = 3


class _Lost(Exception):
    """Another worker is at it."""


def work() -> int:
    """Do what is waiting; returns how many runs came to an end. Nothing when another worker is at it."""
    lease, ended = Holder("tariff lab"), 0
    try:
        while lease.hold() and (run := LabRun.objects.filter(finished_at=None).order_by("pk").first()):
            _do(run, lease)
            ended += 1
    except _Lost:
        return ended
    lease.release()
    return ended


def _do(run: LabRun, lease: Holder) -> None:
    """One run to its report, or to what is wrong with it."""

    def progress(done: int, total: int) -> None:
        if not lease.hold():
            raise _Lost
        LabRun.objects.filter(pk=run.pk).update(done=done, total=total)

    run.attempts += 1
    run.save(update_fields=["attempts"])
    if run.attempts > PATIENCE:
        _finish(run, error="The worker died of it more than once.")
        return
    try:
        draft = drafts.read(codec.decode(run.draft.encode()))
        report = replay(PartyId(run.owner), run.month, draft, run.replacing, progress)
    except (BadInput, codec.MalformedJson) as fault:
        _finish(run, error=str(fault))
    else:
        findings = [found.document() for found in draft.findings]
        _finish(run, report=codec.encode_text(report.document() | {"findings": findings}))


def _finish(run: LabRun, *, error: str = "", report: str = "") -> None:
    LabRun.objects.filter(pk=run.pk).update(finished_at=timezone.now(), error=error, report=report)
    log.info("tariff lab", run=run.pk, owner=run.owner, month=run.month, error=error)
