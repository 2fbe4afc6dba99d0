"""How far behind each platform is, stream by stream: what it has not acknowledged yet, and since when.

Asked of the rows at that moment, for all platforms in a handful of queries. A platform that has everything costs
nothing; those that stand at the same place and want the same are looked at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from ocpi.store.backlogs import Backlog, Owners, Place, backlogs
from ocpi.store.revisions import Position
from roaming.delivery import feeds, lateness
from roaming.delivery.records import BOUNDS
from roaming.delivery.streams import Stream
from roaming.delivery_models import Delivery, DeliveryHour, FeedCursor
from roaming.directory import Peer, Picture, directory
from roaming.sync.audience import audience

MOST = 10_000  # changes that are counted of one stream of one platform
WINDOW = timedelta(hours=2)
SHARE = 0.95

_Key = tuple[int, Stream]


@dataclass(frozen=True, slots=True)
class Standing:
    """One stream of one platform, now. Objects are EVSEs in the stream of statuses."""

    peer: Peer
    stream: Stream
    cursor: FeedCursor | None  # None: nothing was brought yet
    unacknowledged: int  # objects, MOST at most besides those that failed
    given_up: int  # of those: they wait for a person
    behind_since: datetime | None  # the oldest change that was not tried yet
    oldest_at: datetime | None  # the oldest change that is not acknowledged
    p95: (
        float | None
    )  # seconds from change to acknowledgement, at most; inf: more than BOUNDS has; None: there was none
    late_from: datetime | None  # what was given up does not count
    at: datetime

    @property
    def is_paused(self) -> bool:
        return self.cursor is not None and self.cursor.is_paused

    @property
    def is_late(self) -> bool:
        return self.late_from is not None and self.late_from <= self.at

    @property
    def last_success_at(self) -> datetime | None:
        return self.cursor.last_sent_at if self.cursor else None


class _Failures(NamedTuple):
    """Objects of one stream that the platform failed at."""

    waiting: int = 0
    given_up: int = 0
    waiting_since: datetime | None = None
    oldest_at: datetime | None = None


def standings(platform_id: int | None = None) -> list[Standing]:
    """Of all connected platforms, or of this one: each stream that it has been or is to be sent something of."""
    picture, one = directory.picture(), {} if platform_id is None else {"platform_id": platform_id}
    peers = [peer for id, peer in sorted(picture.peers.items()) if peer.connected and platform_id in (None, id)]
    cursors = {(row.platform_id, Stream(row.stream)): row for row in FeedCursor.objects.filter(**one)}
    ground = _Ground(
        cursors,
        _behind(picture, peers, cursors),
        _failures(**one),
        _latencies(**one),
        lateness.limits(settings.NODE_FRESHNESS),
        timezone.now(),
    )
    return [found for peer in peers for stream in Stream if (found := _standing(peer, stream, ground))]


class _Ground(NamedTuple):
    """What the standings are told from."""

    cursors: Mapping[_Key, FeedCursor]
    behind: Mapping[_Key, Backlog]
    failures: Mapping[_Key, _Failures]
    latencies: Mapping[_Key, Sequence[int]]
    limits: lateness.Limits
    now: datetime


def _standing(peer: Peer, stream: Stream, ground: _Ground) -> Standing | None:
    key = (peer.id, stream)
    cursor, backlog, failed = ground.cursors.get(key), ground.behind.get(key), ground.failures.get(key)
    if cursor is None and backlog is None and failed is None:
        return None
    backlog, failed = backlog or Backlog(), failed or _Failures()
    behind_since = _since(cursor, backlog)
    waiting_since = _oldest(behind_since, failed.waiting_since)
    is_paused = cursor is not None and cursor.is_paused
    return Standing(
        peer,
        stream,
        cursor,
        unacknowledged=min(backlog.changes, MOST) + failed.waiting + failed.given_up,
        given_up=failed.given_up,
        behind_since=behind_since,
        oldest_at=_oldest(behind_since, failed.oldest_at),
        p95=percentile(ground.latencies.get(key, ())),
        late_from=lateness.late_from(stream, waiting_since, is_paused, ground.limits),
        at=ground.now,
    )


def _since(cursor: FeedCursor | None, backlog: Backlog) -> datetime | None:
    """When the oldest change was made that was not tried yet.

    An object that changes again moves to the end of the feed. So while nothing at all is acknowledged, what was noted
    before holds: otherwise a platform that is away would never be behind an EVSE that changes every minute.
    """
    noted = cursor.behind_since if cursor else None
    if not backlog.changes or noted is None or cursor is None or (cursor.last_sent_at and cursor.last_sent_at >= noted):
        return backlog.oldest_at
    return _oldest(noted, backlog.oldest_at)


def _oldest(*moments: datetime | None) -> datetime | None:
    return min(filter(None, moments), default=None)


# --- the feed -------------------------------------------------------------------------------------------------------


def _behind(picture: Picture, peers: Iterable[Peer], cursors: Mapping[_Key, FeedCursor]) -> dict[_Key, Backlog]:
    """What each of the peers has before it in the change feed, where that is anything."""
    owners, ends = Owners(), feeds.ends(unsettled=True)
    places: dict[Stream, dict[int, Place]] = {stream: {} for stream in Stream}
    for peer in peers:
        for stream, end in ends.items():
            since = _position(stream, cursors.get((peer.id, stream)))
            if since is not None and since < end and (wanted := audience(picture, peer, stream.module)):
                places[stream][peer.id] = Place(owners.essence(wanted.scope.whole, stream.module), since)
    found = {}
    for stream, wanted_places in places.items():
        counted = backlogs(feeds.model(stream), set(wanted_places.values()), MOST) if wanted_places else {}
        for id, place in wanted_places.items():
            backlog = sum((of for source, of in counted[place].items() if source != id), Backlog())
            if backlog.changes:
                found[id, stream] = backlog
    return found


def _position(stream: Stream, cursor: FeedCursor | None) -> Position | None:
    """Where the platform stands; None: nowhere, as with statuses before it holds a Location."""
    if cursor is not None:
        return Position(cursor.xid, cursor.revision)
    return None if stream is Stream.STATUSES else Position()


# --- failures and latencies -----------------------------------------------------------------------------------------


def _failures(**which: Any) -> dict[_Key, _Failures]:
    """Objects that are tried again by themselves, in the stream of their module. Skipped ones are nobody's concern."""
    given_up = Q(given_up_at__isnull=False)
    rows = Delivery.objects.filter(Q(retry_at__isnull=False) | given_up, attempts__gt=0, **which)
    grouped = rows.values_list("platform_id", "module").annotate(
        waiting=Count("pk", filter=~given_up),
        given_up=Count("pk", filter=given_up),
        waiting_since=Min("behind_since", filter=~given_up),
        oldest_at=Min("behind_since"),
    )
    return {(platform_id, Stream(module)): _Failures(*figures) for platform_id, module, *figures in grouped}


def _latencies(**which: Any) -> dict[_Key, Sequence[int]]:
    """Acknowledged changes of the last two hours by the time that they took, as BOUNDS has it."""
    columns = [Sum(name) for _, name in BOUNDS]
    rows = DeliveryHour.objects.filter(hour__gt=timezone.now() - WINDOW, **which)
    grouped = rows.values_list("platform_id", "stream").annotate(*columns)
    return {(platform_id, Stream(stream)): counts for platform_id, stream, *counts in grouped}


def percentile(counts: Sequence[int], share: float = SHARE) -> float | None:
    """The bound that this share of the changes kept, by the numbers in each column of BOUNDS; None: there were none."""
    total, reached = sum(counts), 0
    for (bound, _), count in zip(BOUNDS, counts, strict=False):
        reached += count
        if total and reached >= share * total:
            return bound
    return None
