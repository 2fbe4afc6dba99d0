"""How much of the change feed lies behind a place: asked for many readers at once, answered in few queries."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from ocpi.models import EvseStatus, ObjectCount, OwnedObject
from ocpi.store import revisions, writing
from ocpi.store.revisions import Position
from ocpi.store.scope import Scope

_TOGETHER = 200  # places in a query; SQLite takes 500
_OF_STATUSES = (
    "(SELECT e.xid, e.revision, l.owner, l.source, l.received_at "
    "FROM ocpi_evsestatus e JOIN ocpi_location l ON l.id = e.location_id)"
)


class Place(NamedTuple):
    """Where a reader stands in a feed, and what it wants to see of it."""

    scope: Scope
    since: Position


@dataclass(frozen=True, slots=True)
class Backlog:
    """Changes that lie behind a place: how many, and when the oldest of them was written."""

    changes: int = 0
    oldest_at: datetime | None = None

    def __add__(self, other: "Backlog") -> "Backlog":
        moments = filter(None, (self.oldest_at, other.oldest_at))
        return Backlog(self.changes + other.changes, min(moments, default=None))


# By the platform that the changes came from; None: ours.
BySource = dict[int | None, Backlog]


def backlogs(
    model: type[OwnedObject] | type[EvseStatus], places: Collection[Place], limit: int
) -> dict[Place, BySource]:
    """What lies behind each place, of the first `limit` changes in its scope."""
    feed = _OF_STATUSES if model is EvseStatus else model._meta.db_table
    found: dict[Place, BySource] = {place: {} for place in places}
    for chunk in _chunks(found, _TOGETHER):
        branches, params = [], list[Any]()
        for number, place in enumerate(chunk):
            condition, owners = place.scope.sql()
            branches.append(
                f"SELECT {number}, source, count(*), min(received_at) FROM (SELECT source, received_at "  # noqa: S608
                f"FROM {feed} AS feed WHERE (xid, revision) > (%s, %s) AND {revisions.settled()} AND {condition} "
                f"ORDER BY xid, revision LIMIT %s) AS next_{number} GROUP BY source"
            )
            params += [*place.since, *owners, limit]
        for number, source, changes, oldest_at in writing.fetch(" UNION ALL ".join(branches), params):
            found[chunk[number]][source] = Backlog(changes, writing.moment(oldest_at))
    return found


def _chunks(places: Iterable[Place], size: int) -> Iterator[list[Place]]:
    remaining = iter(places)
    while chunk := list(islice(remaining, size)):
        yield chunk


class Owners:
    """Who has objects of which module: two scopes that leave out others only are the same."""

    def __init__(self) -> None:
        self._known = set(ObjectCount.objects.values_list("module", "owner"))

    def essence(self, scope: Scope, module: str) -> Scope:
        """A scope of the same objects that leaves out nobody in vain."""
        if not scope.inverted:
            return scope
        return scope.of_owners((owner for owner in scope.owners if (module, owner) in self._known), inverted=True)
