"""How much of the change feed lies behind a place: asked for many readers at once, answered in few queries.

Changes that a running transaction keeps readers from (`revisions`) count: they are written, and nobody has them.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from ocpi.models import EvseStatus, ObjectCount, OwnedObject
from ocpi.store import writing
from ocpi.store.revisions import Position
from ocpi.store.scope import Scope

_TOGETHER = 200  # stretches in a query; SQLite takes 500
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


class _Stretch(NamedTuple):
    """The part of the feed from one reader's place to that of the next with the same scope."""

    place: Place
    until: Position | None  # None: to the end


def backlogs(
    model: type[OwnedObject] | type[EvseStatus], places: Collection[Place], limit: int
) -> dict[Place, BySource]:
    """What lies behind each place: counted as far as `limit` changes, and beyond that perhaps not all.

    No part of the feed is read twice for the same scope: what lies behind a place is what lies between it and the
    next, and what lies behind that.
    """
    feed = _OF_STATUSES if model is EvseStatus else model._meta.db_table
    stretches = _stretches(places)
    found: dict[Place, BySource] = {}
    reached: BySource = {}
    for stretch, counted in zip(stretches, _counted(feed, stretches, limit), strict=True):
        reached = {} if stretch.until is None else dict(reached)
        for source, backlog in counted.items():
            reached[source] = reached.get(source, Backlog()) + backlog
        found[stretch.place] = reached
    return found


def _stretches(places: Iterable[Place]) -> list[_Stretch]:
    """Scope by scope, the last place in the feed first."""
    by_scope: dict[Scope, set[Position]] = {}
    for place in places:
        by_scope.setdefault(place.scope, set()).add(place.since)
    found = []
    for scope, positions in by_scope.items():
        until = None
        for since in sorted(positions, reverse=True):
            found.append(_Stretch(Place(scope, since), until))
            until = since
    return found


def _counted(feed: str, stretches: Sequence[_Stretch], limit: int) -> list[BySource]:
    found: list[BySource] = [{} for _ in stretches]
    for start in range(0, len(stretches), _TOGETHER):
        chunk = range(start, min(start + _TOGETHER, len(stretches)))
        branches, params = [], list[Any]()
        for number in chunk:
            branch, values = _branch(number, feed, stretches[number], limit)
            branches.append(branch)
            params += values
        for number, source, changes, oldest_at in _fetch(" UNION ALL ".join(branches), params):
            found[number][source] = Backlog(changes, writing.moment(oldest_at))
    return found


def _branch(number: int, feed: str, stretch: _Stretch, limit: int) -> tuple[str, list[Any]]:
    (scope, since), until = stretch
    condition, params = scope.sql()
    bound, bounds = ("(xid, revision) <= (%s, %s) AND ", until) if until else ("", ())
    return (
        f"SELECT {number}, source, count(*), min(received_at) FROM (SELECT source, received_at "  # noqa: S608
        f"FROM {feed} AS feed WHERE (xid, revision) > (%s, %s) AND {bound}{condition} "
        f"ORDER BY xid, revision LIMIT %s) AS stretch_{number} GROUP BY source"
    ), [*since, *bounds, *params, limit]


def _fetch(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    if connection.vendor != "postgresql":
        return writing.fetch(sql, params)
    with transaction.atomic():
        writing.execute("SET LOCAL jit = off", [])  # to compile so many branches would take it seconds
        return writing.fetch(sql, params)


class Owners:
    """Who has objects of which module: two scopes that leave out others only are the same."""

    def __init__(self) -> None:
        self._known = set(ObjectCount.objects.values_list("module", "owner"))

    def essence(self, scope: Scope, module: str) -> Scope:
        """A scope of the same objects that leaves out nobody in vain."""
        if not scope.inverted:
            return scope
        return scope.of_owners((owner for owner in scope.owners if (module, owner) in self._known), inverted=True)
