"""Locations, their EVSEs and Connectors: read, put, patch.

A Location is one document; the status of its EVSEs lives in small rows of its own (`EvseStatus`), because that is
what changes all day. A status change is one statement that leaves the document alone and marks it stale; whoever
reads a stale document puts the live status in and stores it again.

`last_updated` moves up: a Connector's to its EVSE and Location, an EVSE's to its Location
(§mod_locations_get_list_request_parameters); a parent that is newer already keeps its own (errata E12).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection, models, transaction

from ocpi.errors import UnknownLocation
from ocpi.events import object_changed
from ocpi.ids import PartyId
from ocpi.models import EvseStatus, Location
from ocpi.store import paging, revisions, writing
from ocpi.store.scope import Scope
from ocpi.store.writing import Outcome
from ocpi.transport.pagination import Page, PageQuery
from ocpi.types import codec, times
from ocpi.types.validation import Violation
from ocpi.v221.locations import Status
from ocpi.v221.versions import ModuleID

Document = dict[str, Any]
_LIVE = ("status", "last_updated")
_LONGEST_LIVE = 40
_COLUMNS = ("id", "document", "stale", "revision", "stamp")


@dataclass(frozen=True, slots=True)
class Path:
    """Which object is meant: a Location, one of its EVSEs, or one of that EVSE's Connectors."""

    owner: PartyId
    location_id: str
    evse_uid: str | None = None
    connector_id: str | None = None

    @property
    def key(self) -> str:
        return self.location_id.lower()


@dataclass(frozen=True, slots=True)
class Arrival:
    """A valid Location document to store, with the defects found in it."""

    document: Document
    defects: Sequence[Violation] = ()

    @property
    def owner(self) -> PartyId:
        return PartyId.of(self.document["country_code"], self.document["party_id"])

    @property
    def key(self) -> str:
        return str(self.document["id"]).lower()

    @property
    def text(self) -> str:
        return codec.encode_text(self.document)


# --- reading --------------------------------------------------------------------------------------------------------


def page(scope: Scope, query: PageQuery) -> Page:
    """A page of Locations as stored text; stale ones are refreshed on the way."""
    rows, total, last = paging.read(Location, scope, query, ", ".join(_COLUMNS[1:]))
    stale = [row for row in rows if row[2]]
    if not stale:
        return Page([row[1] for row in rows], total, last)
    fresh = _refresh(stale)
    return Page([fresh.get(row[0]) or row[1] for row in rows], total, last)


def find(path: Path) -> str | None:
    """The JSON of a Location, EVSE or Connector, or None."""
    row = Location.objects.filter(owner=path.owner, key=path.key).values_list(*_COLUMNS).first()
    return _part(row, path.evse_uid, path.connector_id) if row else None


def find_any(
    scope: Scope, location_id: str, evse_uid: str | None = None, connector_id: str | None = None
) -> str | None:
    """The same on the Sender interface, whose URL names no owner: the oldest object of that id within `scope`."""
    owners = models.Q(owner__in=scope.owners)
    rows = Location.objects.filter(~owners if scope.inverted else owners, key=location_id.lower())
    row = rows.order_by("id").values_list(*_COLUMNS).first()
    return _part(row, evse_uid, connector_id) if row else None


def texts(ids: Sequence[int]) -> dict[int, str]:
    """The current documents of some rows."""
    rows = list(Location.objects.filter(id__in=ids).values_list(*_COLUMNS))
    return {row[0]: row[1] for row in rows} | _refresh([row for row in rows if row[2]])


def _part(row: tuple[Any, ...], evse_uid: str | None, connector_id: str | None) -> str | None:
    text = _refresh([row])[row[0]] if row[2] else row[1]
    if evse_uid is None:
        return str(text)
    part = _child(codec.decode(text.encode()), "evses", "uid", evse_uid)
    if part is not None and connector_id is not None:
        part = _child(part, "connectors", "id", connector_id)
    return None if part is None else codec.encode(part).decode()


def _refresh(rows: Sequence[tuple[Any, ...]]) -> dict[int, str]:
    """Documents with the live status put in, stored again unless somebody wrote the row meanwhile."""
    live: dict[int, dict[str, tuple[str, str]]] = {}
    for id, key, status, stamp in EvseStatus.objects.filter(location_id__in=[row[0] for row in rows]).values_list(
        "location_id", "key", "status", "stamp"
    ):
        live.setdefault(id, {})[key] = (status, stamp)
    fresh: dict[int, str] = {}
    for id, text, _, revision, stamp in rows:
        document = codec.decode(text.encode())
        _overlay(document, live.get(id, {}), stamp)
        fresh[id] = codec.encode(document).decode()
        Location.objects.filter(id=id, revision=revision).update(document=fresh[id], stale=False)
    return fresh


def _overlay(document: Document, live: dict[str, tuple[str, str]], stamp: str) -> None:
    if stamp:
        document["last_updated"] = stamp
    for evse in _items(document, "evses"):
        for name, value in zip(_LIVE, live.get(str(evse["uid"]).lower(), ()), strict=False):
            if value:
                evse[name] = value


def _child(parent: Document, member: str, name: str, key: str) -> Document | None:
    return next((item for item in _items(parent, member) if str(item[name]).lower() == key.lower()), None)


def _items(parent: Document, member: str) -> list[Document]:
    """The objects in a list; none when a partner wrote something else there, which is kept with its defect."""
    items = parent.get(member)
    return items if isinstance(items, list) else []


def _live(value: object) -> str:
    """A status or moment as the live row holds it; empty when it is too odd, and then the document's own counts."""
    return value if isinstance(value, str) and len(value) <= _LONGEST_LIVE else ""


# --- writing whole Locations ----------------------------------------------------------------------------------------


Reconcile = Callable[[Document, Document], Document]


def put_many(arrivals: Iterable[Arrival], source: int | None, reconcile: Reconcile | None = None) -> Outcome:
    """Store whole Locations, new or replacing; equal ones change nothing. The last of several with one key counts.

    `reconcile(stored, new)` may decide under lock what becomes of an object that is stored already.
    """
    outcome = Outcome()
    newest = {(arrival.owner, arrival.key): arrival for arrival in arrivals}
    for owner, group in groupby(sorted(newest.items(), key=lambda item: item[0]), key=lambda item: item[0][0]):
        outcome += _put_owner(owner, {key: arrival for (_, key), arrival in group}, source, reconcile)
    return outcome


def put(arrival: Arrival, source: int | None) -> bool:
    """Store one whole Location; True when it is new."""
    return put_many([arrival], source).created == 1


@transaction.atomic
def _put_owner(
    owner: PartyId, arrivals: dict[str, Arrival], source: int | None, reconcile: Reconcile | None
) -> Outcome:
    # The lock on creation comes before any row, or two batches could wait for each other.
    existing = _locked(owner, arrivals) if len(arrivals) == 1 else {}
    if not existing:
        writing.lock_creation(Location, owner)
        existing = _locked(owner, arrivals)
    if reconcile:
        for key, stored in existing.items():
            arrival = arrivals[key]
            arrivals[key] = Arrival(reconcile(_current(stored), arrival.document), arrival.defects)
    changed = {key: arrival for key, arrival in arrivals.items() if _differs(existing.get(key), arrival)}
    created = len(arrivals.keys() - existing.keys())
    if changed:
        _save(owner, changed, source)
    if created:
        writing.count_created(Location, owner, created)
    return Outcome(created, len(changed) - created, len(arrivals) - len(changed))


class _Stored(NamedTuple):
    """A locked row."""

    id: int
    document: str
    stale: bool
    stamp: str


def _locked(owner: PartyId, keys: Collection[str]) -> dict[str, _Stored]:
    rows = writing.locked(Location, owner, keys, ", ".join(_Stored._fields))
    return {key: _Stored(*row) for key, row in rows.items()}


def _current(stored: _Stored) -> Document:
    """The document of a locked row with the live status put in."""
    document: Document = codec.decode(stored.document.encode())
    if stored.stale:
        live = EvseStatus.objects.filter(location_id=stored.id).values_list("key", "status", "stamp")
        _overlay(document, {key: (status, stamp) for key, status, stamp in live}, stored.stamp)
    return document


def _differs(stored: _Stored | None, arrival: Arrival) -> bool:
    return stored is None or stored.stale or stored.document != arrival.text


def _save(owner: PartyId, arrivals: Mapping[str, Arrival], source: int | None) -> None:
    """Write whole Locations and the live rows of their EVSEs; the caller holds the locks."""
    now = _adapted(datetime.now(UTC))
    places = revisions.take(len(arrivals))
    saved = writing.upsert(
        Location,
        ("owner", "key"),
        [
            {
                "owner": str(owner),
                "key": key,
                "last_updated": _adapted(times.parse(arrival.document["last_updated"])),
                "stamp": _live(arrival.document["last_updated"]),
                "document": arrival.text,
                "defects": codec.encode_text(arrival.defects) if arrival.defects else "",
                "source": source,
                "stale": False,
                "revision": place.revision,
                "xid": place.xid,
                "received_at": now,
            }
            for (key, arrival), place in zip(arrivals.items(), places, strict=True)
        ],
        returning="id, key",
    )
    _save_live({id: arrivals[key].document for id, key in saved})
    _announce(owner, source)


def _save_live(documents: Mapping[int, Document]) -> None:
    """The live rows of whole Locations, replaced in place: a status change that waits for us must find its row."""
    live = {
        (id, str(evse["uid"]).lower()): [_live(evse.get(name)) for name in _LIVE]
        for id, document in documents.items()
        for evse in _items(document, "evses")
    }
    stored = EvseStatus.objects.filter(location_id__in=documents).values_list("id", "location_id", "key")
    if gone := [id for id, *key in stored if tuple(key) not in live]:
        EvseStatus.objects.filter(id__in=gone)._raw_delete(connection.alias)
    rows = [
        {"location_id": id, "key": key, "status": status, "stamp": stamp}
        for (id, key), (status, stamp) in live.items()
    ]
    if rows:
        writing.upsert(EvseStatus, ("location_id", "key"), rows)


def _announce(owner: PartyId, source: int | None) -> None:
    transaction.on_commit(
        lambda: object_changed.send(sender=Location, module=ModuleID.LOCATIONS, owner=owner, source=source)
    )


# --- writing parts --------------------------------------------------------------------------------------------------


def patch(path: Path, changes: Document, source: int | None, check: Callable[[Document], Sequence[Violation]]) -> None:
    """Change the named fields of a Location, EVSE or Connector (§mod_locations_patch_method).

    `changes` has passed `check_patch`; `check` is called with the whole resulting Location and returns its defects, or
    raises. Raises UnknownLocation when the object does not exist; nothing is created.
    """
    if _is_status(path, changes) and _patch_status(path, changes["status"], changes["last_updated"], source):
        return

    def merge(location: Document) -> None:
        target: Document | None = location
        if path.evse_uid:
            target = _child(location, "evses", "uid", path.evse_uid)
        if target is not None and path.connector_id:
            target = _child(target, "connectors", "id", path.connector_id)
        if target is None:
            raise UnknownLocation(f"Location {path.location_id} has no such EVSE or Connector")
        target.update(changes)

    _edit(path, merge, changes["last_updated"], source, check)


def _is_status(path: Path, changes: Document) -> bool:
    """Whether it is the status of an EVSE that changes, and nothing else, to something not at all odd."""
    return (
        path.evse_uid is not None
        and path.connector_id is None
        and changes.keys() == set(_LIVE)
        and Status(changes["status"]).is_known
        and _live(changes["last_updated"]) != ""
    )


def put_part(path: Path, part: Document, source: int | None, check: Callable[[Document], Sequence[Violation]]) -> bool:
    """Add or replace an EVSE or Connector (§mod_locations_put_method); True when it is new.

    Raises UnknownLocation when its parent does not exist.
    """
    created = False

    def place(location: Document) -> None:
        nonlocal created
        if path.connector_id is None:
            created = _place(location, "evses", "uid", part)
            return
        evse = _child(location, "evses", "uid", path.evse_uid or "")
        if evse is None:
            raise UnknownLocation(f"Location {path.location_id} has no EVSE {path.evse_uid}")
        created = _place(evse, "connectors", "id", part)

    _edit(path, place, part["last_updated"], source, check)
    return created


def _place(parent: Document, member: str, name: str, part: Document) -> bool:
    items = _items(parent, member)
    for index, item in enumerate(items):
        if str(item[name]).lower() == str(part[name]).lower():
            items[index] = part
            return False
    parent[member] = [*items, part]
    return True


@transaction.atomic
def _edit(
    path: Path,
    change: Callable[[Document], None],
    stamp: str,
    source: int | None,
    check: Callable[[Document], Sequence[Violation]],
) -> None:
    stored = _locked(path.owner, [path.key]).get(path.key)
    if stored is None:
        raise UnknownLocation(f"unknown Location {path.location_id} of {path.owner}")
    document = _current(stored)
    change(document)
    if path.connector_id and (evse := _child(document, "evses", "uid", path.evse_uid or "")):
        _raise(evse, stamp)
    _raise(document, stamp)
    changed = Arrival(document, check(document))
    if _differs(stored, changed):
        _save(path.owner, {path.key: changed}, source)


def _raise(parent: Document, stamp: str) -> None:
    """Give a parent its child's `last_updated` unless its own is newer (errata E12)."""
    try:
        current = times.parse(parent["last_updated"])
    except (KeyError, TypeError, ValueError):
        parent["last_updated"] = stamp
        return
    if times.parse(stamp) > current:
        parent["last_updated"] = stamp


_LOCATION_OF_EVSE = """
    owner = %s AND key = %s AND defects NOT LIKE '%%/status"%%'
    AND EXISTS (SELECT 1 FROM ocpi_evsestatus e WHERE e.location_id = ocpi_location.id AND e.key = %s)
"""
_TOUCHED = """
    stamp = CASE WHEN last_updated <= %s THEN %s ELSE stamp END,
    last_updated = CASE WHEN last_updated <= %s THEN %s ELSE last_updated END,
    stale = true, source = %s
"""
_POSTGRES_STATUS = f"""
    WITH parent AS (
        UPDATE ocpi_location SET {_TOUCHED}, {revisions.POSTGRES_STAMP} WHERE {_LOCATION_OF_EVSE} RETURNING id
    )
    UPDATE ocpi_evsestatus SET status = %s, stamp = %s FROM parent WHERE location_id = parent.id AND key = %s
"""  # noqa: S608
_SQLITE_PARENT = f"UPDATE ocpi_location SET {_TOUCHED}, revision = %s WHERE {_LOCATION_OF_EVSE} RETURNING id"  # noqa: S608
_SQLITE_CHILD = "UPDATE ocpi_evsestatus SET status = %s, stamp = %s WHERE location_id = %s AND key = %s"


def _patch_status(path: Path, status: str, stamp: str, source: int | None) -> bool:
    """Set an EVSE's status in one statement; False when there is no such EVSE, or a defect that this may repair."""
    moment = _adapted(times.parse(stamp))
    key = (path.evse_uid or "").lower()
    touched = [moment, stamp, moment, moment, source]
    location = [path.owner, path.key, key]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRES_STATUS, [*touched, *location, status, stamp, key])
            found: bool = cursor.rowcount == 1
        else:
            with transaction.atomic():
                cursor.execute(_SQLITE_PARENT, [*touched, revisions.take(1)[0].revision, *location])
                row = cursor.fetchone()
                found = row is not None
                if found:
                    cursor.execute(_SQLITE_CHILD, [status, stamp, row[0], key])
    if found:
        _announce(path.owner, source)
    return found


def _adapted(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)
