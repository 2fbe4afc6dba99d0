"""Writing objects in bulk, exactly: what every module's writer shares.

New objects of one owner are created one transaction at a time (the owner's `ObjectCount` row is the lock), so the
total stays exact and two creations of one object cannot pass each other.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from django.db import models

from ocpi.ids import PartyId
from ocpi.models import ObjectCount, OwnedObject


class Outcome(NamedTuple):
    """What writing did to each object, in the order given: created, updated or unchanged."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: tuple[int, ...]) -> "Outcome":  # type: ignore[override]
        return Outcome(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


Object = TypeVar("Object", bound=OwnedObject)


def locked(model: type[Object], owner: PartyId, keys: Iterable[str]) -> dict[str, Object]:
    """The existing rows, locked in the order of their ids so that two writers cannot wait for each other."""
    rows = model._default_manager.select_for_update().filter(owner=owner, key__in=list(keys)).order_by("id")
    return {row.key: row for row in rows}


def lock_creation(model: type[OwnedObject], owner: PartyId) -> None:
    """Wait until no other transaction creates objects of this owner, and keep others waiting until we commit."""
    ObjectCount.objects.get_or_create(module=model.module.value, owner=owner)
    ObjectCount.objects.select_for_update().get(module=model.module.value, owner=owner)


def count_created(model: type[OwnedObject], owner: PartyId, number: int) -> None:
    """Add to the total of the owner; the caller holds `lock_creation`."""
    ObjectCount.objects.filter(module=model.module.value, owner=owner).update(count=models.F("count") + number)
