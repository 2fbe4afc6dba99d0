"""What has changed in a stream for a platform, as parcels: each object with the steps that bring it up to date."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ocpi.ids import PartyId
from ocpi.models import EvseStatus, OwnedObject
from ocpi.store import evse_status, reserved, revisions
from ocpi.store.catalogue import STORES
from ocpi.store.revisions import Position
from ocpi.store.scope import Scope
from ocpi.v221.versions import ModuleID
from roaming.delivery import differences, records
from roaming.delivery.carrying import Parcel
from roaming.delivery.differences import Step, Way
from roaming.delivery.portraits import Portrait, portraits, retouched
from roaming.delivery.streams import Stream
from roaming.sync.audience import Audience


@dataclass(frozen=True, slots=True)
class Batch:
    """Parcels in the order of their changes. `reached`: where the stream stands when all of them are settled."""

    parcels: list[Parcel]
    reached: Position
    scope: Scope
    is_full: bool = False


def ends(*, unsettled: bool = False) -> dict[Stream, Position]:
    """The last place that each stream can be read to now; `unsettled`: that there is, readable or not."""
    return dict(zip(Stream, revisions.ends([model(stream) for stream in Stream], unsettled=unsettled), strict=True))


def model(stream: Stream) -> type[OwnedObject] | type[EvseStatus]:
    """The table that the stream's changes are rows of."""
    return EvseStatus if stream is Stream.STATUSES else STORES[stream.module].model


def first(stream: Stream, scope: Scope) -> Position | None:
    """The place of the first change of these owners; None when there is none."""
    found = revisions.changes(STORES[stream.module].model, scope, Position(), 1)
    return found[0].position if found else None


def changed(platform_id: int, stream: Stream, wanted: Audience, since: Position, end: Position, limit: int) -> Batch:
    """The next changes after `since`, without those that came from the platform itself.

    `end` was read before: what is written meanwhile lies behind it, or comes along.
    """
    read = _statuses if stream is Stream.STATUSES else _objects
    parcels, last, count = read(platform_id, stream, wanted, since, limit)
    if count == limit:
        return Batch(parcels, last, wanted.scope, is_full=True)
    return Batch(parcels, max(end, last), wanted.scope)


def again(platform_id: int, stream: Stream, wanted: Audience, limit: int) -> Batch:
    """The objects that were refused and are to be tried again now."""
    ids = records.due(platform_id, stream.module, limit)
    rows = STORES[stream.module].model._default_manager.filter(pk__in=ids)
    changes = [revisions.change(row) for row in rows if wanted.scope.includes(PartyId(row.owner))]
    # Should their owners be allowed again, the stream steps back to these objects.
    if lost := set(ids) - {change.id for change in changes}:
        records.forget(platform_id, stream.module, lost)
    parcels = _parcels(platform_id, stream, wanted, changes)
    for parcel in parcels:
        parcel.position = None
    return Batch(parcels, Position(), wanted.scope, is_full=len(ids) == limit)


def whole(parcels: Iterable[Parcel], scope: Scope) -> dict[int, Step]:
    """The step that brings the whole object, as far as it is in `scope`, by object."""
    found: dict[int, Step] = {}
    for parcel in parcels:
        module = parcel.way.module
        for id, portrait in portraits.of(module, [(parcel.object_id, parcel.version)]).items():
            seen = _seen(portrait, module, scope)
            found[id] = differences.whole(parcel.way, seen.image, seen.text)
    return found


def _seen(portrait: Portrait, module: ModuleID, scope: Scope) -> Portrait:
    """The object as who has this scope sees it."""
    text = reserved.without(portrait.text, scope.unnamed) if scope.unnamed else portrait.text
    return portrait if text is portrait.text else retouched(portrait, module, text)


_Read = tuple[list[Parcel], Position, int]  # the parcels, the place of the last change, how many changes


def _objects(platform_id: int, stream: Stream, wanted: Audience, since: Position, limit: int) -> _Read:
    changes = revisions.changes(STORES[stream.module].model, wanted.scope.whole, since, limit)
    foreign = [change for change in changes if change.source != platform_id]
    last = changes[-1].position if changes else since
    return _parcels(platform_id, stream, wanted, foreign), last, len(changes)


def _parcels(platform_id: int, stream: Stream, wanted: Audience, changes: Sequence[revisions.Change]) -> list[Parcel]:
    if not changes:
        return []
    held = records.held(platform_id, stream.module, [change.id for change in changes])
    painted = portraits.of(stream.module, [(change.id, change.version) for change in changes])
    found = []
    for change in changes:
        portrait = _seen(painted[change.id], stream.module, wanted.scope)
        way = Way(stream.module, wanted.url, wanted.routing(change.owner, portrait.token_owner))
        parcel = Parcel(change.id, change.version, change.position, change.at, way, *held[change.id])
        parcel.steps = _steps(parcel, portrait, is_hidden=wanted.scope.hides(change.owner, change.key))
        found.append(parcel)
    return found


def _steps(parcel: Parcel, portrait: Portrait, *, is_hidden: bool) -> list[Step]:
    """What is hidden is taken back from who holds it, and not a word to others."""
    if is_hidden and parcel.held is None:
        return []
    if not (portrait.image.gone or is_hidden):
        return differences.steps(parcel.way, parcel.held, portrait.image, portrait.text)
    if parcel.held is not None and parcel.held.gone:
        return []
    return [differences.withdrawal(parcel.way, portrait.image.path)]


def _statuses(platform_id: int, stream: Stream, wanted: Audience, since: Position, limit: int) -> _Read:
    """Of Locations that the platform holds; others come whole, with the status of the day, in their own stream."""
    changes = evse_status.changes(wanted.scope, since, limit)
    of_location: dict[int, list[evse_status.Change]] = {}
    for change in changes:
        if change.source != platform_id:
            of_location.setdefault(change.location_id, []).append(change)
    held = records.held(platform_id, stream.module, of_location) if of_location else {}
    failed = _compared(platform_id, stream, wanted, [id for id in of_location if held[id].attempts])
    found = []
    for id, latest in of_location.items():
        image = held[id].image
        if image is None or image.gone:
            continue
        parcel = failed.get(id)
        if parcel is None:
            way = Way(stream.module, wanted.url, wanted.routing(latest[0].owner, None))
            live = [(change.uid, change.status, change.stamp) for change in latest]
            parcel = Parcel(id, latest[-1].position.revision, latest[0].position, latest[0].at, way, *held[id])
            parcel.steps = differences.status_steps(way, image, live)
        parcel.position = latest[0].position
        found.append(parcel)
    return found, changes[-1].position if changes else since, len(changes)


def _compared(platform_id: int, stream: Stream, wanted: Audience, ids: Sequence[int]) -> dict[int, Parcel]:
    """Objects of which more may be missing than has changed of late: what failed before waits for them, too."""
    rows = STORES[stream.module].model._default_manager.filter(pk__in=ids) if ids else []
    return {
        parcel.object_id: parcel
        for parcel in _parcels(platform_id, stream, wanted, [revisions.change(row) for row in rows])
    }
