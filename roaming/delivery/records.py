"""The rows of deliveries: what was acknowledged, what failed, what each hour brought. A lane's worker alone writes
them, and only while it holds the lane.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F
from django.utils import timezone

from ocpi.store import writing
from ocpi.v221.versions import ModuleID
from roaming.delivery import images
from roaming.delivery.carrying import Parcel
from roaming.delivery.images import Image
from roaming.delivery.streams import Stream
from roaming.delivery_models import Delivery, DeliveryHour, Lane

CLAIM = timedelta(seconds=30)  # renewed all the time: so long nobody is in the lane of a worker that died
_ARRIVAL = timedelta(seconds=5)  # a worker that was sent for is in the lane by then, unless the queue was lost
_LONGEST = 2000


class LostLane(Exception):
    """Another worker holds the lane now: we were away for longer than our claim."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work in a lane: of the highest generation. `was_abandoned`: who was in it before never left it.

    `knocks`: how often somebody had knocked by then.
    """

    platform_id: int
    generation: int
    in_flight: int
    knocks: int = 0
    was_abandoned: bool = False

    @classmethod
    def take(cls, platform_id: int) -> "Claim | None":
        """The claim, or None while another worker is in the lane."""
        taken = _take(platform_id, abandoned=False) or _take(platform_id, abandoned=True)
        if taken is None and Lane.objects.get_or_create(platform_id=platform_id)[1]:
            taken = _take(platform_id, abandoned=False)
        return taken

    def hold(self) -> None:
        """Hold the lane for longer, and locked for the running transaction, if any. Raises LostLane."""
        if not self._lane().update(claimed_until=timezone.now() + CLAIM):
            raise LostLane

    def release(self, retry_at: datetime | None) -> bool:
        """Leave the lane; nobody is let in before `retry_at`. True when somebody has knocked since it was claimed."""
        left = writing.fetch(
            "UPDATE roaming_lane SET claimed_until = NULL, retry_at = %s "
            "WHERE platform_id = %s AND generation = %s RETURNING knocks",
            [retry_at and writing.adapted(retry_at), self.platform_id, self.generation],
        )
        return bool(left) and left[0][0] != self.knocks

    def abandon(self) -> None:
        """Let somebody else in, who does not know what we have done."""
        self._lane().update(claimed_until=timezone.now())

    def _lane(self) -> Any:
        return Lane.objects.filter(pk=self.platform_id, generation=self.generation)


def _take(platform_id: int, *, abandoned: bool) -> Claim | None:
    now = timezone.now()
    free, since = ("claimed_until <= %s", [writing.adapted(now)]) if abandoned else ("claimed_until IS NULL", [])
    taken = writing.fetch(
        "UPDATE roaming_lane SET claimed_until = %s, called_until = NULL, generation = generation + 1 "  # noqa: S608
        f"WHERE platform_id = %s AND {free} RETURNING generation, in_flight, knocks",
        [writing.adapted(now + CLAIM), platform_id, *since],
    )
    return next(
        (Claim(platform_id, generation, in_flight, knocks, abandoned) for generation, in_flight, knocks in taken),
        None,
    )


def knock(platform_id: int) -> bool:
    """Tell the worker in a lane to look once more before it leaves; False when nobody is in it."""
    occupied = Lane.objects.filter(pk=platform_id, claimed_until__gt=timezone.now())
    return bool(occupied.update(knocks=F("knocks") + 1))


def call(platform_ids: Collection[int]) -> list[int]:
    """The lanes that a worker must be sent to.

    Not where one is, who is told to look once more, and not where one was sent a moment ago: when there is much to do
    in all lanes, those who find nothing left would keep the others from it.
    """
    if not platform_ids:
        return []
    now = timezone.now()
    among, values = writing.any_of("platform_id", platform_ids)
    served = writing.fetch(
        "UPDATE roaming_lane SET knocks = knocks + 1 "  # noqa: S608
        f"WHERE {among} AND (claimed_until > %s OR called_until > %s) RETURNING platform_id",
        [values, writing.adapted(now), writing.adapted(now)],
    )
    called = sorted(set(platform_ids) - {id for (id,) in served})
    Lane.objects.filter(pk__in=called).update(called_until=now + _ARRIVAL)
    return called


class Held(NamedTuple):
    """What a platform holds of an object, how often in a row it has refused it, and since when it lacks a change."""

    image: Image | None = None
    attempts: int = 0
    behind_since: datetime | None = None


_NOTHING = Held()


def held(platform_id: int, module: ModuleID, object_ids: Collection[int]) -> dict[int, Held]:
    """What the platform holds of each of these objects."""
    found = dict.fromkeys(object_ids, _NOTHING)
    among, values = writing.any_of("object_id", found)
    rows = writing.fetch(
        "SELECT object_id, image, attempts, behind_since FROM roaming_delivery "  # noqa: S608
        f"WHERE platform_id = %s AND module = %s AND {among}",
        [platform_id, module.value, values],
    )
    return found | {
        id: Held(images.read(image), attempts, writing.moment(since) if since else None)
        for id, image, attempts, since in rows
    }


def waiting(**which: Any) -> set[tuple[int, str]]:
    """The platforms and modules with objects that are to be tried again now."""
    rows = Delivery.objects.filter(retry_at__lte=timezone.now(), **which)
    return set(rows.values_list("platform_id", "module").distinct())


def due(platform_id: int, module: ModuleID, limit: int) -> list[int]:
    """The objects that are to be tried again now."""
    rows = Delivery.objects.filter(platform_id=platform_id, module=module.value, retry_at__lte=timezone.now())
    return list(rows.order_by("retry_at").values_list("object_id", flat=True)[:limit])


def acknowledge(platform_id: int, parcels: Iterable[Parcel]) -> None:
    """Note what the platform holds now."""
    now = writing.adapted(timezone.now())
    _write([_row(platform_id, parcel, acknowledged_at=now) for parcel in parcels])


def fail(platform_id: int, failed: Iterable[tuple[Parcel, datetime | None, datetime | None]], correlation: str) -> None:
    """Note failures, each with the next attempt and the moment of giving up; what was acknowledged before stays."""
    now = writing.adapted(timezone.now())
    _write(
        [
            _row(
                platform_id,
                parcel,
                attempts=min(parcel.attempts + 1, 30_000),
                behind_since=writing.adapted(parcel.behind_since or parcel.changed_at),
                failed_at=now,
                error=str(parcel.error)[:_LONGEST],
                request=f"{parcel.request.method} {parcel.request.url}"[:_LONGEST] if parcel.request else "",
                correlation_id=correlation,
                retry_at=retry_at and writing.adapted(retry_at),
                given_up_at=given_up_at and writing.adapted(given_up_at),
            )
            for parcel, retry_at, given_up_at in failed
        ]
    )


def forget(platform_id: int, module: ModuleID, object_ids: Collection[int]) -> None:
    """The platform is not to have these any more: no further attempt, and the next time is like the first."""
    Delivery.objects.filter(platform_id=platform_id, module=module.value, object_id__in=object_ids).delete()


def _row(platform_id: int, parcel: Parcel, **changes: Any) -> dict[str, Any]:
    return {
        "platform_id": platform_id,
        "module": parcel.way.module.value,
        "object_id": parcel.object_id,
        "version": parcel.version,
        "image": parcel.held.text if parcel.held else "",
        "acknowledged_at": None,
        "attempts": 0,
        "behind_since": None,
        "failed_at": None,
        "error": "",
        "request": "",
        "correlation_id": "",
        "retry_at": None,
        "given_up_at": None,
    } | changes


_KEY = ("platform_id", "module", "object_id")
_OF_ACKNOWLEDGEMENT = ("version", "acknowledged_at")


def _write(rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    if rows[0]["acknowledged_at"] is None:
        rows = [{name: value for name, value in row.items() if name not in _OF_ACKNOWLEDGEMENT} for row in rows]
    writing.upsert(Delivery, _KEY, rows)


# --- hours ----------------------------------------------------------------------------------------------------------

# Seconds from a change to its acknowledgement, and the column that counts it.
BOUNDS = (
    (0.5, "within_half"),
    (1, "within_1"),
    (2, "within_2"),
    (5, "within_5"),
    (30, "within_30"),
    (300, "within_300"),
    (float("inf"), "later"),
)


def column(seconds: float) -> str:
    """The column of DeliveryHour for a change that took so long."""
    return next(name for bound, name in BOUNDS if seconds <= bound)


def count(platform_id: int, stream: Stream, counts: dict[str, int]) -> None:
    """Add to the counts of this hour."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    names = ("requests", "acknowledged", "refused", "failures", *(name for _, name in BOUNDS))
    table, quote = DeliveryHour._meta.db_table, connection.ops.quote_name
    added = ", ".join(f"{quote(name)} = {table}.{quote(name)} + excluded.{quote(name)}" for name in names)
    writing.execute(
        f"INSERT INTO {table} (platform_id, stream, hour, {', '.join(map(quote, names))}) "  # noqa: S608
        f"VALUES {writing.marks(3 + len(names))} ON CONFLICT (platform_id, stream, hour) DO UPDATE SET {added}",
        [platform_id, stream.value, writing.adapted(hour), *(counts.get(name, 0) for name in names)],
    )
