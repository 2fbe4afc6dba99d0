"""What staff may do about what could not be delivered."""

from django.db.models import Case, OuterRef, QuerySet, Subquery, When
from django.utils import timezone

from ocpi.store.catalogue import STORES
from roaming.delivery_models import Delivery


def resend(deliveries: QuerySet[Delivery]) -> set[int]:
    """Have the whole objects sent again now, whatever the platforms hold; returns the platforms to be woken."""
    platforms = set(deliveries.values_list("platform_id", flat=True))
    deliveries.update(image="", retry_at=timezone.now(), given_up_at=None)
    return platforms


def skip(deliveries: QuerySet[Delivery]) -> int:
    """Leave these alone until they change; returns how many."""
    return deliveries.filter(attempts__gt=0).update(retry_at=None, given_up_at=None, behind_since=None)


def with_subjects(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """The same with `owner` and `key` of their objects, None where there is none any more."""

    def found(column: str) -> Case:
        return Case(
            *(
                When(
                    module=module.value,
                    then=Subquery(store.model._default_manager.filter(pk=OuterRef("object_id")).values(column)),
                )
                for module, store in STORES.items()
            )
        )

    return deliveries.annotate(owner=found("owner"), key=found("key"))
