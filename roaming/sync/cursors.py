"""Where the pulling of a module stands: who is at it, how far a crawl has come, and how a run begins and ends.

A run holds a claim that each page renews, so that of a worker that died others soon take over; whoever has lost the
claim writes nothing more. The place that a crawl has reached outlives the run.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from ocpi.v221.versions import ModuleID
from roaming.models import Platform
from roaming.pull_models import PullCursor, SyncRun
from roaming.sync import reconciling, schedule
from roaming.sync.audience import PRIVATE

OVERLAP = timedelta(minutes=5)
CLAIM = timedelta(minutes=5)
AFTERWARDS = timedelta(minutes=15)
RESUMABLE = timedelta(hours=1)
LOOKBACK = timedelta(days=30)
MOST_PAUSE = timedelta(hours=1)  # that a partner may ask for


class UnderWay(Exception):
    """Another run of the same module and platform has not ended yet."""


def claim(platform: Platform, module: ModuleID) -> PullCursor:
    """The cursor of the module, ours until the run ends; raises UnderWay when it is somebody else's."""
    cursor, _ = PullCursor.objects.get_or_create(platform=platform, module=module.value)
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    if not PullCursor.objects.filter(free, pk=cursor.pk).update(claimed_until=now + CLAIM):
        raise UnderWay(f"{module.value} is being pulled from {platform.name} already")
    cursor.refresh_from_db()
    return cursor


def save(cursor: PullCursor, **changes: Any) -> None:
    """Write what the run knows of its cursor, not what staff decide; raises UnderWay when it is no longer ours."""
    ours = PullCursor.objects.filter(pk=cursor.pk, claimed_until=cursor.claimed_until)
    if not ours.update(**changes):
        raise UnderWay(f"{cursor} took too long, and is being pulled by another run")
    for name, value in changes.items():
        setattr(cursor, name, value)


def reach(cursor: PullCursor, following: str | None, page_limit: int | None) -> None:
    """A page is dealt with; the next, if any, is at `following`. Raises UnderWay as `save` does."""
    now = timezone.now()
    limit = page_limit or cursor.page_limit
    save(cursor, next_url=following or "", page_limit=limit, reached_at=now, claimed_until=now + CLAIM)


def renew(cursor: PullCursor) -> None:
    """The list is whole; what is made of it may take longer than a page."""
    save(cursor, claimed_until=timezone.now() + AFTERWARDS)


def request(cursor: PullCursor, *, full: bool = False, accept: bool = False) -> None:
    """Staff want it now: written down first, so that it happens also when the wake-up is lost.

    `accept`: what the whole list does not have any more is gone, however much it is.
    """
    asked = PullCursor.Request.FULL if full else PullCursor.Request.DELTA
    accepted = {"accepts_disappearance": True} if accept else {}
    PullCursor.objects.filter(pk=cursor.pk).update(requested=asked, **accepted)


def begin(cursor: PullCursor, *, full: bool) -> SyncRun:
    """A run that resumes the crawl that was cut, or begins one."""
    now = timezone.now()
    full = full or cursor.requested == PullCursor.Request.FULL
    save(cursor, requested="")
    fresh = cursor.reached_at is not None and cursor.reached_at > now - RESUMABLE
    resumed = bool(cursor.next_url) and fresh and (cursor.crawls_from is None or not full)
    if not resumed:
        crawls_from = None if full else _since(cursor, now)
        save(cursor, began_at=now, crawls_from=crawls_from, next_url="", reached_at=None)
        reconciling.begin(cursor)
    return SyncRun.objects.create(
        platform_id=cursor.platform_id,
        module=cursor.module,
        full=cursor.crawls_from is None,
        date_from=cursor.crawls_from,
        resumed=resumed,
        started_at=now,
    )


def _since(cursor: PullCursor, now: datetime) -> datetime | None:
    """From when on changes are asked for; None for everything.

    Sessions and CDRs pile up for years, and old ones do not change: a reconcile goes back a month.
    """
    if cursor.date_from is None or not schedule.is_reconcile_due(cursor, now):
        return cursor.date_from and cursor.date_from - OVERLAP
    return min(now - LOOKBACK, cursor.date_from - OVERLAP) if cursor.module in PRIVATE else None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: at the end of the list, or cut so that it can be resumed; `pause` is what the partner asks."""

    complete: bool = False
    resumable: bool = False
    pause: timedelta = timedelta(0)


def end(run: SyncRun, cursor: PullCursor, ending: Ending) -> None:
    """Give the claim back, plan the next run, and say how this one went."""
    run.finished_at = now = timezone.now()
    run.next_run_at = max(schedule.next_delta(cursor, now), now + ending.pause)
    changes: dict[str, Any] = {"claimed_until": None, "next_run_at": run.next_run_at}
    reconcile_at = cursor.next_reconcile_at
    if ending.complete:
        changes |= {"date_from": cursor.began_at, "reached_at": None}
        if run.full or reconcile_at is None or (cursor.began_at and reconcile_at <= cursor.began_at):
            changes["next_reconcile_at"] = schedule.next_reconcile(cursor, now)
    else:
        run.error = run.error or "interrupted"
        # A reconcile stays due, but is not tried again before a delta would be.
        changes["next_reconcile_at"] = max(reconcile_at or run.next_run_at, run.next_run_at)
        if not ending.resumable:
            changes |= {"next_url": "", "reached_at": None}
    try:
        save(cursor, **changes)
    finally:
        run.save()
