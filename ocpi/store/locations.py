"""Locations, their EVSEs and Connectors: read, put, patch.

A Location is one document; the status of its EVSEs lives in small rows of its own (`EvseStatus`), because that is
what changes all day. A status change is one statement that leaves the document alone and marks it stale; whoever
reads a stale document puts the live status in and stores it again.

`last_updated` moves up: a Connector's to its EVSE and Location, an EVSE's to its Location
(§mod_locations_get_list_request_parameters); a parent that is newer already keeps its own (errata E12).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from django.db import models, transaction

from ocpi.errors import UnknownLocation
from ocpi.ids import PartyId
from ocpi.models import Location
from ocpi.store import documents, evse_status, reserved, writing
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival, Check, Objects, Reconcile, Stored
from ocpi.store.scope import Scope
from ocpi.transport.pagination import Page, PageQuery
from ocpi.types import codec
from ocpi.v221 import locations as wire

_COLUMNS = ("id", "document", "stale", "version", "stamp")
_IS_STALE = itemgetter(2)


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
class _Stored(Stored):
    stale: bool
    stamp: str


class Locations(Objects):
    model, shape, unknown = Location, wire.Location, UnknownLocation
    page_columns = "document, stale"

    # --- reading ----------------------------------------------------------------------------------------------------

    def is_whole(self, rows: list[tuple[Any, ...]]) -> bool:
        return super().is_whole(rows) and not any(map(_IS_STALE, rows))

    def page_of(self, rows: list[tuple[Any, ...]], scope: Scope, query: PageQuery) -> Page:
        """Stale Locations are refreshed on the way."""
        page = super().page_of(rows, scope, query)
        if any(map(_IS_STALE, rows)):
            found = rows[: query.limit]
            fresh = self.texts([row[0] for row in found if row[2]])
            now = [fresh[id].encode() if id in fresh else document for id, document, *_ in found]
            page = replace(page, documents=now)
        if scope.unnamed:
            shown = [reserved.without(document.decode(), scope.unnamed).encode() for document in page.documents]
            page = replace(page, documents=shown)
        return page

    def find_part(self, path: Path) -> str | None:
        """The JSON of a Location, EVSE or Connector, or None."""
        row = next(iter(Location.objects.filter(owner=path.owner, key=path.key).values_list(*_COLUMNS)), None)
        return _part(row, path.evse_uid, path.connector_id) if row else None

    def find_any(
        self, scope: Scope, location_id: str, evse_uid: str | None = None, connector_id: str | None = None
    ) -> str | None:
        """The same on the Sender interface, whose URL names no owner: the oldest object of that id within `scope`."""
        owners = models.Q(owner__in=scope.owners)
        rows = Location.objects.filter(~owners if scope.inverted else owners, key=location_id.lower())
        row = rows.order_by("id").values_list("owner", *_COLUMNS).first()
        if row is None or (text := _part(row[1:], evse_uid, connector_id)) is None:
            return None
        return reserved.without(text, scope.unnamed, PartyId(row[0]))

    def texts(self, ids: Sequence[int]) -> dict[int, str]:
        rows = list(Location.objects.filter(id__in=ids).values_list(*_COLUMNS))
        return {row[0]: row[1] for row in rows} | _refresh([row for row in rows if row[2]])

    # --- writing whole Locations ------------------------------------------------------------------------------------

    def put(self, arrival: Arrival, source: int | None, reconcile: Reconcile | None = None) -> bool:
        """Store one whole Location with its EVSEs' live rows; True when it is new."""
        return self.put_many([arrival], source, reconcile).created == 1

    def columns(self, document: Document) -> dict[str, Any]:
        return {"stamp": evse_status.sane(document["last_updated"]), "stale": False}

    def locked(self, owner: PartyId, keys: Collection[str]) -> dict[str, _Stored]:
        rows = writing.locked(Location, owner, keys, "id, document, version, stale, stamp")
        return {key: _Stored(*row) for key, row in rows.items()}

    def current(self, stored: Stored) -> Document:
        """The document of a locked row with the live status put in."""
        document = super().current(stored)
        if isinstance(stored, _Stored) and stored.stale:
            evse_status.overlay(document, evse_status.of([stored.id]).get(stored.id, {}), stored.stamp)
        return document

    def differs(self, stored: Stored | None, arrival: Arrival) -> bool:
        return super().differs(stored, arrival) or (isinstance(stored, _Stored) and stored.stale)

    def save(self, owner: PartyId, arrivals: Mapping[str, Arrival], source: int | None) -> list[tuple[Any, ...]]:
        """Write whole Locations and the live rows of their EVSEs; the caller holds the locks."""
        saved = super().save(owner, arrivals, source)
        evse_status.save({id: arrivals[key].document for id, key in saved})
        return saved

    # --- writing parts ----------------------------------------------------------------------------------------------

    def patch_part(self, path: Path, changes: Document, source: int | None, check: Check) -> None:
        """Change the named fields of a Location, EVSE or Connector (§mod_locations_patch_method).

        `changes` has passed `check_patch`; `check` is called with the whole resulting Location and returns its
        defects, or raises. Raises UnknownLocation when the object does not exist; nothing is created.
        """
        only_status = path.evse_uid and not path.connector_id and evse_status.is_status_change(changes)
        if only_status and evse_status.patch(path.owner, path.key, path.evse_uid or "", changes, source):
            self.announce(path.owner, source)
            return

        def merge(location: Document) -> None:
            target: Document | None = location
            if path.evse_uid:
                target = documents.child(location, "evses", "uid", path.evse_uid)
            if target is not None and path.connector_id:
                target = documents.child(target, "connectors", "id", path.connector_id)
            if target is None:
                raise UnknownLocation(f"Location {path.location_id} has no such EVSE or Connector")
            target.update(changes)

        self._edit(path, merge, changes["last_updated"], source, check)

    def put_part(self, path: Path, part: Document, source: int | None, check: Check) -> bool:
        """Add or replace an EVSE or Connector (§mod_locations_put_method); True when it is new.

        Raises UnknownLocation when its parent does not exist.
        """
        created = False

        def place(location: Document) -> None:
            nonlocal created
            if path.connector_id is None:
                created = documents.place(location, "evses", "uid", part)
                return
            evse = documents.child(location, "evses", "uid", path.evse_uid or "")
            if evse is None:
                raise UnknownLocation(f"Location {path.location_id} has no EVSE {path.evse_uid}")
            created = documents.place(evse, "connectors", "id", part)

        self._edit(path, place, part["last_updated"], source, check)
        return created

    @transaction.atomic
    def _edit(
        self, path: Path, change: Callable[[Document], None], stamp: str, source: int | None, check: Check
    ) -> None:
        stored = self.locked(path.owner, [path.key]).get(path.key)
        if stored is None:
            raise UnknownLocation(f"unknown Location {path.location_id} of {path.owner}")
        document = self.current(stored)
        change(document)
        if path.connector_id and (evse := documents.child(document, "evses", "uid", path.evse_uid or "")):
            documents.raise_stamp(evse, stamp)
        documents.raise_stamp(document, stamp)
        changed = Arrival(document, check(document))
        if self.differs(stored, changed):
            self.save(path.owner, {path.key: changed}, source)


locations = Locations()


def _part(row: tuple[Any, ...], evse_uid: str | None, connector_id: str | None) -> str | None:
    text = _refresh([row])[row[0]] if row[2] else row[1]
    if evse_uid is None:
        return str(text)
    part = documents.child(codec.decode(text.encode()), "evses", "uid", evse_uid)
    if part is not None and connector_id is not None:
        part = documents.child(part, "connectors", "id", connector_id)
    return None if part is None else codec.encode(part).decode()


def _refresh(rows: Sequence[tuple[Any, ...]]) -> dict[int, str]:
    """Documents with the live status put in, stored again unless somebody wrote the row meanwhile."""
    live = evse_status.of([row[0] for row in rows])
    fresh: dict[int, str] = {}
    for id, text, _, version, stamp in rows:
        document = codec.decode(text.encode())
        evse_status.overlay(document, live.get(id, {}), stamp)
        fresh[id] = codec.encode(document).decode()
        Location.objects.filter(id=id, version=version).update(document=fresh[id], stale=False)
    return fresh
