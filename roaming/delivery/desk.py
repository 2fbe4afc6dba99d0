"""What staff may do about what could not be delivered."""

from django.db.models import QuerySet
from django.utils import timezone

from ocpi.store.catalogue import STORES
from ocpi.v221.versions import ModuleID
from roaming.delivery_models import Delivery


def resend(deliveries: QuerySet[Delivery]) -> set[int]:
    """Have the whole objects sent again now, whatever the platforms hold; returns the platforms to be woken."""
    platforms = set(deliveries.values_list("platform_id", flat=True))
    deliveries.update(image="", retry_at=timezone.now(), given_up_at=None)
    return platforms


def skip(deliveries: QuerySet[Delivery]) -> int:
    """Leave these alone until they change; returns how many."""
    return deliveries.filter(attempts__gt=0).update(retry_at=None, given_up_at=None)


def subject(delivery: Delivery) -> str:
    """Owner and id of the object."""
    row = STORES[ModuleID(delivery.module)].model._default_manager.filter(pk=delivery.object_id).first()
    return str(row) if row else f"row {delivery.object_id}"
