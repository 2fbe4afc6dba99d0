"""Telling that a stream of a platform is late: one warning when it begins, one line when it ends."""

from collections.abc import Iterable

import structlog
from django.db.models import Q

from roaming.delivery import freshness
from roaming.delivery.freshness import Standing
from roaming.delivery.streams import Stream
from roaming.delivery_models import FeedCursor

log = structlog.get_logger(__name__)


def sound() -> int:
    """Note who is late and who is late no more; returns how many streams are late."""
    found = {(standing.peer.id, standing.stream): standing for standing in freshness.standings() if standing.cursor}
    late = {key for key, standing in found.items() if standing.is_late}
    remembered = FeedCursor.objects.filter(Q(late_since__isnull=False) | Q(behind_since__isnull=False))
    for cursor in remembered.select_related("platform").defer("platform__outbound_token"):
        standing = found.get((cursor.platform_id, Stream(cursor.stream)))
        if cursor.late_since and not (standing and standing.is_late):
            _end(cursor, standing)
        if standing is None and cursor.behind_since:
            FeedCursor.objects.filter(pk=cursor.pk).update(behind_since=None)
    for key in late:
        _begin(found[key])
    _remember(found.values())
    return len(late)


def _begin(standing: Standing) -> None:
    assert standing.cursor is not None
    on_time = FeedCursor.objects.filter(pk=standing.cursor.pk, late_since=None)
    if standing.cursor.late_since is None and on_time.update(late_since=standing.late_from):
        log.warning(
            "platform is behind",
            platform=standing.peer.name,
            stream=standing.stream.value,
            unacknowledged=standing.unacknowledged,
            oldest_at=standing.oldest_at,
        )


def _end(cursor: FeedCursor, standing: Standing | None) -> None:
    """`standing` is None when the platform is connected no more."""
    if FeedCursor.objects.filter(pk=cursor.pk, late_since__isnull=False).update(late_since=None):
        log.info(
            "platform is behind no more",
            platform=cursor.platform.name,
            stream=cursor.stream,
            late_since=cursor.late_since,
            unacknowledged=standing.unacknowledged if standing else None,
            given_up=standing.given_up if standing else None,
            is_paused=cursor.is_paused,
        )


def _remember(standings: Iterable[Standing]) -> None:
    """Since when each is behind: `freshness` cannot tell it from the feed alone."""
    changed = []
    for standing in standings:
        cursor = standing.cursor
        if cursor is not None and cursor.behind_since != standing.behind_since:
            cursor.behind_since = standing.behind_since
            changed.append(cursor)
    FeedCursor.objects.bulk_update(changed, ["behind_since"], batch_size=500)
