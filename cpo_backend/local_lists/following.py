"""Has the lists looked at when Tokens change: after a while, so that many changes are one look."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.dispatch import receiver
from django.utils import timezone

from cpo_backend.models import LocalList
from ocpi.events import object_changed
from ocpi.v221.versions import ModuleID


@receiver(object_changed)
def _tokens_changed(module: ModuleID, **_: Any) -> None:
    if module is ModuleID.TOKENS:
        due_at = timezone.now() + timedelta(seconds=settings.OCPP_LOCAL_LIST_DELAY)
        LocalList.objects.filter(state=LocalList.State.IDLE, due_at__gt=due_at).update(due_at=due_at)
