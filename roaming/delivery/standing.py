"""What is to be done in a lane now: one rule for who wakes it and for the worker in it."""

from collections.abc import Collection, Mapping

from django.utils import timezone

from ocpi.store.revisions import Position
from roaming.delivery.streams import Stream
from roaming.delivery_models import FeedCursor
from roaming.directory import Peer, Picture
from roaming.sync.audience import audience


def most_urgent(
    picture: Picture,
    peer: Peer,
    cursors: Mapping[str, FeedCursor],
    ends: Mapping[Stream, Position],
    waiting: Collection[tuple[int, str]],
) -> Stream | None:
    """The first stream in which the platform is behind, or waits for another attempt; None when there is none.

    `ends` has the streams to look at and how far each goes; `waiting` the platforms and modules with attempts due.
    """
    return next(
        (
            stream
            for stream, end in ends.items()
            if _has_work(picture, peer, stream, cursors.get(stream), end, (peer.id, stream.value) in waiting)
        ),
        None,
    )


def _has_work(
    picture: Picture, peer: Peer, stream: Stream, cursor: FeedCursor | None, end: Position, is_waiting: bool
) -> bool:
    if cursor is not None and (cursor.is_paused or (cursor.retry_at and cursor.retry_at > timezone.now())):
        return False
    wanted = audience(picture, peer, stream.module)
    if wanted is None:
        return False
    if cursor is None:
        return is_waiting or end > Position()
    return is_waiting or Position(cursor.xid, cursor.revision) < end or cursor.owners != wanted.scope.as_json()
