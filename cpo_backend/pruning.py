"""Forgets what is old, a few rows at a time: nobody waits for a lock, and whoever is stopped goes on the next time."""

from typing import Any

from django.db.models import QuerySet

BATCH = 2000


def delete(old: "QuerySet[Any]", batch: int = BATCH, most: int = 1_000_000) -> int:
    """Delete these rows, oldest first, but no more than `most` of them; returns how many rows that were in all."""
    rows, total, left = (old if old.ordered else old.order_by("pk")), 0, most
    while left > 0 and (pks := list(rows.values_list("pk", flat=True)[: min(batch, left)])):
        total += old.model._default_manager.filter(pk__in=pks).delete()[0]
        left -= len(pks)
    return total
