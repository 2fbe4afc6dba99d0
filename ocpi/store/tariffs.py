"""Tariffs: the only objects an owner can delete (§mod_tariffs_flow_and_lifecycle).

The row of a deleted one stays, invisible, so that the change feed can tell those who hold a copy.
"""

from collections import Counter
from collections.abc import Collection
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from ocpi.errors import InvalidParameters
from ocpi.ids import PartyId
from ocpi.models import Location, Tariff
from ocpi.store import documents, revisions, writing
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival, Objects, Reconcile, Stored
from ocpi.types import codec
from ocpi.v221 import tariffs as wire


class Tariffs(Objects):
    model, shape, unknown = Tariff, wire.Tariff, InvalidParameters

    def rows(self, **which: Any) -> "models.QuerySet[Any]":
        return super().rows(deleted=False, **which)

    def columns(self, document: Document) -> dict[str, Any]:
        return {"deleted": False}

    def locked(self, owner: PartyId, keys: Collection[str]) -> dict[str, Stored]:
        rows = writing.locked(self.model, owner, keys, "id, document, revision, deleted")
        return {key: Stored(*row) for key, (*row, deleted) in rows.items() if not deleted}

    def put(self, arrival: Arrival, source: int | None, reconcile: Reconcile | None = None) -> bool:
        """Store one Tariff, in the row of a deleted one if there was one; True when it is new."""
        return self.put_many([arrival], source, reconcile).created == 1

    @transaction.atomic
    def delete(self, owner: PartyId, key: str, source: int | None) -> bool:
        """Delete a Tariff; False when there is none."""
        writing.lock_creation(self.model, owner)
        stored = self.locked(owner, [key.lower()]).get(key.lower())
        if stored is None:
            return False
        (place,) = revisions.take(1)
        self.model._default_manager.filter(pk=stored.id).update(
            deleted=True, source=source, revision=place.revision, xid=place.xid, received_at=timezone.now()
        )
        writing.count_created(self.model, owner, -1)
        self.announce(owner, source)
        return True


tariffs = Tariffs()


def named(location: Document) -> dict[str, str]:
    """The Tariffs that the Connectors of a Location name: their ids by key."""
    return {
        id.lower(): id
        for evse in documents.objects(location, "evses")
        for connector in documents.objects(evse, "connectors")
        for id in documents.items(connector, "tariff_ids")
        if isinstance(id, str)
    }


def dangling(owner: PartyId, location: Document) -> list[str]:
    """The ids of Tariffs that a Location names and we do not hold: to be reported, never a reason to refuse it."""
    found = named(location)
    held = _held(owner) if found else set()
    return [id for key, id in found.items() if key not in held]


def dangling_everywhere() -> dict[PartyId, Counter[str]]:
    """The same of all Locations: by owner and id, in how many Locations; owners without any are left out."""
    found: dict[PartyId, Counter[str]] = {}
    held: dict[PartyId, set[str]] = {}
    rows = Location.objects.filter(document__contains="tariff_ids").order_by().values_list("owner", "document")
    for name, text in rows.iterator(chunk_size=500):
        owner = PartyId(name)
        if owner not in held:
            held[owner] = _held(owner)
        missing = [id for key, id in named(codec.decode(text.encode())).items() if key not in held[owner]]
        if missing:
            found.setdefault(owner, Counter()).update(missing)
    return found


def _held(owner: PartyId) -> set[str]:
    return set(tariffs.rows(owner=owner).values_list("key", flat=True))
