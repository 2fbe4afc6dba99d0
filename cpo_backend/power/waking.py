"""Says that a site is to share its power anew. What gets lost is made up for by the next regular look."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Least
from django.utils import timezone

from cpo_backend.models import Charger, PowerSite
from cpo_backend.power_models import key

# Many things at once are one decision; and a charger hears the answer to its start before it is told a limit.
GATHER = timedelta(seconds=0.3)


def after_commit(charger_ids: Collection[int]) -> None:
    """Something about these chargers has changed. Not before the commit: their locks come after that of a site."""
    if charger_ids:
        transaction.on_commit(partial(_changed, list(charger_ids)), robust=True)


def _changed(charger_ids: Collection[int]) -> None:
    places = Charger.objects.filter(pk__in=charger_ids).values_list("party", "location_id").distinct()
    ids = list(PowerSite.objects.filter(key__in={key(*place) for place in places}).values_list("pk", flat=True))
    if ids:
        by(ids, timezone.now() + GATHER)


def by(site_ids: Collection[int], moment: datetime) -> None:
    """Share anew then, or sooner. Waits for who is deciding, and so comes after that decision."""
    PowerSite.objects.filter(pk__in=site_ids).update(due_at=Least("due_at", Value(moment)))
