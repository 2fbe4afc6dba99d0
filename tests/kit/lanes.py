"""Working in lanes as a Celery worker would, without one."""

from django.utils import timezone

from roaming.delivery import lanes
from roaming.delivery.lanes import Drained
from roaming.delivery_models import Delivery, FeedCursor, Lane
from roaming.models import Platform


def settle() -> None:
    """Let the pause after registering be over."""
    Platform.objects.update(connected_at=timezone.now() - lanes.SETTLING)


def drain() -> dict[str, Drained]:
    """Bring every platform that is due up to date; what was done, by its name."""
    names = dict(Platform.objects.values_list("pk", "name"))
    return {names[id]: lanes.drain(id) for id in lanes.due()}


def wait_out() -> None:
    """Let every pause after a failure be over."""
    Lane.objects.update(retry_at=None)
    FeedCursor.objects.update(retry_at=None)
    Delivery.objects.filter(retry_at__isnull=False).update(retry_at=timezone.now())
