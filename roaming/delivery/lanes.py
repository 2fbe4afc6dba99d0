"""One worker brings one platform up to date, stream by stream, the most urgent first, until nothing is left.

At most one worker is in a lane (`records.Claim`); sending one twice is harmless, and beat repairs a lost wake-up. An
object that the platform refuses is passed and tried again by the policy of its stream; a platform that cannot be used
stops the lane, to be tried again after a pause that grows; one that asks for a pause (HTTP 429) stops the stream.
"""

import contextlib
import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import Error
from django.utils import timezone

from roaming.delivery import doubts, feeds, records
from roaming.delivery.records import Claim, LostLane
from roaming.delivery.standing import most_urgent
from roaming.delivery.streams import Stream
from roaming.delivery.visits import Visit
from roaming.delivery_models import FeedCursor, Lane
from roaming.directory import directory
from roaming.models import Platform

log = structlog.get_logger(__name__)

# A platform that has just registered is still writing down our answer, and would refuse parties it does not know yet.
SETTLING = timedelta(seconds=2)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=30)


@dataclass(slots=True)
class Drained:
    """What one visit to a lane did, in objects."""

    sent: int = 0
    refused: int = 0
    error: str = ""


def wake(streams: Collection[Stream] = tuple(Stream)) -> list[int]:
    """The platforms to send a worker to, for something is to be done in these streams."""
    return records.call(due(streams))


def due(streams: Collection[Stream] = tuple(Stream)) -> list[int]:
    """The platforms that something is to be done for in these streams now."""
    picture = directory.picture(fresh=True)
    usable = _usable()
    if not usable:
        return []
    waiting = records.waiting()
    ends = {stream: end for stream, end in feeds.ends().items() if stream in streams}
    cursors: dict[int, dict[str, FeedCursor]] = {}
    for cursor in FeedCursor.objects.all():
        cursors.setdefault(cursor.platform_id, {})[cursor.stream] = cursor
    return [
        id
        for id in sorted(usable & picture.peers.keys())
        if most_urgent(picture, picture.peers[id], cursors.get(id, {}), ends, waiting)
    ]


def _usable() -> set[int]:
    now = timezone.now()
    usable = Platform.objects.filter(
        state=Platform.State.CONNECTED, offline_since=None, connected_at__lte=now - SETTLING
    )
    paused = Lane.objects.filter(retry_at__gt=now)
    return set(usable.values_list("pk", flat=True)) - set(paused.values_list("platform_id", flat=True))


def drain(platform_id: int) -> Drained:
    """Work in the lane until nothing is left; when another worker is in it, tell that to look once more."""
    done = Drained()
    while not done.error:
        claim = Claim.take(platform_id)
        if claim is None:
            if records.knock(platform_id):
                return done
            continue  # it has just left
        try:
            if claim.was_abandoned:
                doubts.doubt_unbooked(platform_id)
            visit = Visit(claim)
            while (stream := visit.next()) is not None:
                visit.advance(stream)
            done.sent, done.refused = done.sent + visit.acknowledged, done.refused + visit.refused
            done.error = visit.trouble
            if not claim.release(_book(visit)):
                return done
        except LostLane:
            log.warning("lane lost to another worker", platform_id=platform_id)
            return done
        except Exception:
            with contextlib.suppress(Error):
                claim.abandon()
            raise
    return done


def _book(visit: Visit) -> datetime | None:
    """Note how the visit went; returns when the lane may be entered again, unless at once."""
    for stream, counts in visit.counts.items():
        records.count(visit.platform.pk, stream, counts)
    if visit.acknowledged:  # pauses grow only while nothing arrives at all
        visit.platform.record_success()
    if not visit.trouble:
        return None
    visit.platform.record_error(visit.trouble)
    visit.platform.refresh_from_db(fields=["failures"])
    pause = min(FIRST_PAUSE * 2.0 ** min(visit.platform.failures, 10), LONGEST_PAUSE)
    return timezone.now() + pause * random.uniform(0.8, 1.2)
