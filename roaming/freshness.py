"""How fresh the objects are that we hold of partners: of each platform and module, when they were last confirmed.

A successful pull confirms all objects of a module, whether they changed or not; a push confirms the one it brings.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from ocpi.store.catalogue import STORES
from roaming.models import Platform
from roaming.pull_models import SyncRun


@dataclass(frozen=True, slots=True)
class Freshness:
    """What we hold of one module from one platform."""

    platform: str
    module: str
    objects: int
    received_at: datetime | None  # the last object that was new or had changed
    pulled_at: datetime | None  # begin of the last pull that succeeded

    @property
    def confirmed_at(self) -> datetime | None:
        return max((moment for moment in (self.received_at, self.pulled_at) if moment), default=None)


def of(platforms: Iterable[Platform]) -> list[Freshness]:
    """By platform and module; modules of which nothing was received or pulled are left out."""
    names = {platform.pk: platform.name for platform in platforms}
    complete = SyncRun.objects.filter(platform__in=names, error="").exclude(finished_at=None)
    pulls = {
        (platform_id, module): started_at
        for platform_id, module, started_at in complete.values_list("platform", "module")
        .annotate(Max("started_at"))
        .order_by()
    }
    held = {
        (platform_id, module.value): (count, received_at)
        for module, store in STORES.items()
        for platform_id, count, received_at in store.rows(source__in=names)
        .values_list("source")
        .annotate(Count("pk"), Max("received_at"))
        .order_by()
    }
    return sorted(
        (
            Freshness(
                names[platform_id],
                module,
                *held.get((platform_id, module), (0, None)),
                pulls.get((platform_id, module)),
            )
            for platform_id, module in held.keys() | pulls.keys()
        ),
        key=lambda found: (found.platform, found.module),
    )
