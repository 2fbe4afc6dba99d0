"""A worker's visit to a lane: batch by batch, what differs is sent and what became of it is booked."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import partial

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ocpi.client.messages import SlowDown
from ocpi.client.sending import NotTried, Talk, hold
from ocpi.store.revisions import Position
from ocpi.transport.headers import MessageIds
from roaming import breaker
from roaming.delivery import feeds, pacing, policies, records
from roaming.delivery.carrying import Parcel, concerns_object
from roaming.delivery.feeds import Batch
from roaming.delivery.records import Claim
from roaming.delivery.standing import most_urgent
from roaming.delivery.streams import Stream
from roaming.delivery_models import FeedCursor
from roaming.directory import directory
from roaming.models import Platform
from roaming.sync.audience import Audience, audience

log = structlog.get_logger(__name__)

BATCH = 500
_LOOK_AGAIN = 0.25  # seconds; a status that changes while much is brought overtakes what has not left yet
_BATCH_SECONDS = 30  # a batch of a platform with a rate is no larger than can be sent in that time
# An object that the platform fails at so often, while it is there for others, is left for its own next attempt.
PATIENCE = 3


class Visit:
    """One worker in the lane of one platform. `trouble`: why it cannot be used; empty when it can."""

    def __init__(self, claim: Claim) -> None:
        self.platform = Platform.objects.get(pk=claim.platform_id)
        self.trouble = ""
        self.acknowledged = self.refused = 0
        self.counts: dict[Stream, Counter[str]] = defaultdict(Counter)
        self._claim = claim
        self._presented = self.platform.presented
        self._ends: dict[Stream, Position] = {}
        self._waiting: set[tuple[int, str]] = set()
        self._looked_at = float("-inf")
        self._cursors = {cursor.stream: cursor for cursor in FeedCursor.objects.filter(platform=self.platform)}

    def next(self) -> Stream | None:
        """The most urgent stream that there is something to do in; None when there is none, or nothing can be done."""
        picture = directory.picture()
        peer = picture.peers.get(self.platform.pk)
        if self.trouble or peer is None or not peer.is_usable:
            return None
        if time.monotonic() - self._looked_at > _LOOK_AGAIN:
            self._looked_at = time.monotonic()
            self._ends, self._waiting = feeds.ends(), records.waiting(platform_id=self.platform.pk)
        return most_urgent(picture, peer, self._cursors, self._ends, self._waiting)

    def advance(self, stream: Stream) -> None:
        """Work on one batch of the stream."""
        picture = directory.picture()
        peer = picture.peers.get(self.platform.pk)
        wanted = audience(picture, peer, stream.module) if peer else None
        if wanted is None:
            return
        cursor = self._cursor(stream)
        self._follow(cursor, wanted)
        limit = min(BATCH, cursor.rate * _BATCH_SECONDS) if cursor.rate else BATCH
        if (self.platform.pk, stream.value) in self._waiting:
            batch = feeds.again(self.platform.pk, stream, wanted, limit)
            if not batch.is_full:
                self._waiting.discard((self.platform.pk, stream.value))
        else:
            since = Position(cursor.xid, cursor.revision)
            batch = feeds.changed(self.platform.pk, stream, wanted, since, self._ends[stream], limit)
        self._deliver(cursor, batch)

    def _cursor(self, stream: Stream) -> FeedCursor:
        cursor = self._cursors.get(stream)
        if cursor is None:
            place = Position()
            if stream is Stream.LOCATIONS:
                self._cursor(Stream.STATUSES)  # from the moment on that the first Location is brought
            elif stream is Stream.STATUSES and Stream.LOCATIONS not in self._cursors:
                place = self._ends[stream]  # it holds no Location yet whose status could have changed
            cursor = FeedCursor.objects.create(
                platform=self.platform, stream=stream.value, xid=place.xid, revision=place.revision
            )
            self._cursors[stream] = cursor
        return cursor

    def _follow(self, cursor: FeedCursor, wanted: Audience) -> None:
        """Step back to the first change of owners that are new to the stream, for an agreement began or another ended.

        What others changed since then is compared once more, and most of it found to be there.
        """
        scope, stream = wanted.scope, Stream(cursor.stream)
        if cursor.owners == scope.as_json():
            return
        position = Position(cursor.xid, cursor.revision)
        if cursor.owners is not None and stream is not Stream.STATUSES:
            found = feeds.first(stream, scope.without(scope.from_json(cursor.owners)))
            if found is not None:
                position = min(position, Position(found.xid, found.revision - 1))
        cursor.owners, (cursor.xid, cursor.revision) = scope.as_json(), position
        cursor.save(update_fields=["owners", "xid", "revision"])

    # --- sending ----------------------------------------------------------------------------------------------------

    def _deliver(self, cursor: FeedCursor, batch: Batch) -> None:
        ids = MessageIds()
        travelling = [parcel for parcel in batch.parcels if parcel.steps]
        self._hold(cursor, ids, travelling, [parcel.carry for parcel in travelling])
        disputed = [parcel for parcel in travelling if parcel.is_disputed and parcel.error is None]
        if disputed:
            whole = feeds.whole(disputed, batch.scope)
            self._hold(cursor, ids, disputed, [partial(parcel.restore, whole[parcel.object_id]) for parcel in disputed])
        self._settle(cursor, batch, travelling, ids)

    def _hold(self, cursor: FeedCursor, ids: MessageIds, parcels: list[Parcel], talks: list[Talk]) -> None:
        pace = pacing.pace(self.platform.pk, cursor.stream, cursor.rate)
        errors = hold(talks, self._presented, ids, self._claim.in_flight, pace, meanwhile=self._claim.hold)
        for parcel, error in zip(parcels, errors, strict=True):
            parcel.error = error

    # --- booking ----------------------------------------------------------------------------------------------------

    def _settle(self, cursor: FeedCursor, batch: Batch, travelled: list[Parcel], ids: MessageIds) -> None:
        arrived = [parcel for parcel in travelled if parcel.error is None]
        if travelled:  # otherwise we have learnt nothing of the platform
            errors = [parcel.error for parcel in travelled if not isinstance(parcel.error, NotTried)]
            # One that takes some of them is there, whatever becomes of the others.
            breaker.judge(self.platform.pk, [] if arrived else [error for error in errors if error])
        # What failed before and is no difference any more is settled, too.
        settled = [parcel for parcel in batch.parcels if not parcel.steps and (parcel.attempts or not parcel.position)]
        failed = [parcel for parcel in travelled if parcel.error and not isinstance(parcel.error, NotTried)]
        self._pause_stream(cursor, failed)
        # One that was asked for a pause right away is as it was; of any other a part may have been taken.
        learnt = [parcel for parcel in failed if not isinstance(parcel.error, SlowDown) or parcel.requests > 1]
        booked = [(parcel, *self._outlook(cursor, parcel)) for parcel in learnt]
        position = _before(_first_blocking(batch.parcels, booked)) or batch.reached
        counted = self._count(Stream(cursor.stream), travelled, arrived, failed)
        with transaction.atomic():
            self._claim.hold()
            records.acknowledge(self.platform.pk, arrived + settled)
            records.fail(self.platform.pk, booked, ids.correlation_id)
            self._move(cursor, position if batch.reached > Position() else None, counted)

    def _outlook(self, cursor: FeedCursor, parcel: Parcel) -> tuple[datetime | None, datetime | None]:
        """When to try an object again that has just failed, and since when it is a person's; neither: with the lane."""
        assert parcel.error is not None
        if parcel.position is None and isinstance(parcel.error, SlowDown):
            return cursor.retry_at, None
        if parcel.position is not None and not concerns_object(parcel.error) and parcel.attempts + 1 < PATIENCE:
            return None, None
        now = timezone.now()
        retry_at = policies.policy(cursor).next_attempt(parcel.attempts + 1, now)
        return retry_at, None if retry_at else now

    def _pause_stream(self, cursor: FeedCursor, failed: Iterable[Parcel]) -> None:
        for parcel in failed:
            if isinstance(parcel.error, SlowDown):
                cursor.slow_downs = min(cursor.slow_downs + 1, 1000)
                cursor.retry_at = timezone.now() + pacing.pause(parcel.error.retry_after, cursor.slow_downs)
                return
            if not concerns_object(parcel.error or NotTried()):
                self.trouble = self.trouble or str(parcel.error)
        cursor.slow_downs, cursor.retry_at = 0, None

    def _move(self, cursor: FeedCursor, position: Position | None, counted: Counter[str]) -> None:
        """The cursor in its place; None: it stays where it is."""
        if position is not None:
            cursor.xid, cursor.revision = position
        changes = {"xid": cursor.xid, "revision": cursor.revision, "sent": F("sent") + counted["acknowledged"]}
        changes |= {name: F(name) + counted[name] for name in ("requests", "refused", "failures")}
        changes |= {"retry_at": cursor.retry_at, "slow_downs": cursor.slow_downs}
        if counted["acknowledged"]:
            changes["last_sent_at"] = timezone.now()
        FeedCursor.objects.filter(pk=cursor.pk).update(**changes)

    def _count(
        self, stream: Stream, travelled: list[Parcel], arrived: list[Parcel], failed: list[Parcel]
    ) -> Counter[str]:
        """What this batch adds to the counts of the visit."""
        now, counts = timezone.now(), Counter[str]()
        counts["requests"] += sum(parcel.requests for parcel in travelled)
        counts["acknowledged"] += len(arrived)
        for parcel in arrived:
            counts[records.column((now - parcel.changed_at).total_seconds())] += 1
        refused = [parcel for parcel in failed if concerns_object(parcel.error or NotTried())]
        counts["refused"] += len(refused)
        counts["failures"] += bool(self.trouble)
        self.acknowledged += len(arrived)
        self.refused += len(refused)
        for parcel in refused:
            log.warning(
                "object refused",
                platform=self.platform.name,
                module=stream.module.value,
                object_id=parcel.object_id,
                error=str(parcel.error),
            )
        self.counts[stream] += counts
        return counts


_Booked = tuple[Parcel, datetime | None, datetime | None]


def _first_blocking(parcels: Iterable[Parcel], booked: Iterable[_Booked]) -> Position | None:
    """The place of the first change that is neither acknowledged nor left for its own next attempt."""
    apart = {parcel.object_id for parcel, retry_at, given_up_at in booked if retry_at or given_up_at}
    places = (
        parcel.position
        for parcel in parcels
        if parcel.error is not None and parcel.object_id not in apart and parcel.position is not None
    )
    return min(places, default=None)


def _before(position: Position | None) -> Position | None:
    return Position(position.xid, position.revision - 1) if position else None
