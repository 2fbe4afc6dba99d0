"""Ends the life of old entries."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from roaming.exchange_models import Exchange

BATCH = 5000


def prune(batch: int = BATCH) -> int:
    """Delete what is older than NODE_LOG_DAYS, in short transactions; returns how many entries that were."""
    old = Exchange.objects.filter(at__lt=timezone.now() - timedelta(days=settings.NODE_LOG_DAYS))
    total = 0
    while ids := list(old.order_by("at").values_list("pk", flat=True)[:batch]):
        total += Exchange.objects.filter(pk__in=ids).delete()[0]
    return total
