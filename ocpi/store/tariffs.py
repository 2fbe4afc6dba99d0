"""Tariffs: the only objects an owner can delete (§mod_tariffs_flow_and_lifecycle).

The row of a deleted one stays, invisible, so that the change feed can tell those who hold a copy.
"""

from collections.abc import Collection
from typing import Any

from django.db import models, transaction

from ocpi.errors import InvalidParameters
from ocpi.ids import PartyId
from ocpi.models import Tariff
from ocpi.store import revisions, writing
from ocpi.store.documents import Document
from ocpi.store.objects import Objects, Stored
from ocpi.v221 import tariffs as wire


class Tariffs(Objects):
    model, shape, unknown = Tariff, wire.Tariff, InvalidParameters

    def rows(self, **which: Any) -> "models.QuerySet[Any]":
        return super().rows(deleted=False, **which)

    def columns(self, document: Document) -> dict[str, Any]:
        return {"deleted": False}

    def locked(self, owner: PartyId, keys: Collection[str]) -> dict[str, Stored]:
        rows = writing.locked(self.model, owner, keys, "id, document, deleted")
        return {key: Stored(id, text) for key, (id, text, deleted) in rows.items() if not deleted}

    @transaction.atomic
    def delete(self, owner: PartyId, key: str, source: int | None) -> bool:
        """Delete a Tariff; False when there is none."""
        writing.lock_creation(self.model, owner)
        stored = self.locked(owner, [key.lower()]).get(key.lower())
        if stored is None:
            return False
        (place,) = revisions.take(1)
        self.model._default_manager.filter(pk=stored.id).update(
            deleted=True, source=source, revision=place.revision, xid=place.xid
        )
        writing.count_created(self.model, owner, -1)
        self.announce(owner, source)
        return True


tariffs = Tariffs()
