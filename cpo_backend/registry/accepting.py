"""Staff decide whether a charger takes part."""

from django.db import transaction

from cpo_backend.commanding import queue
from cpo_backend.models import Charger
from cpo_backend.ocpp import fencing
from cpo_backend.status import publishing


@transaction.atomic
def accept(charger: Charger) -> None:
    """It may take part: one that is connected is asked to boot again, and is told so then."""
    Charger.objects.filter(pk=charger.pk).update(state=Charger.State.ACCEPTED)
    publishing.judge_charger(charger.pk)
    queue.put(charger, "TriggerMessage", {"requestedMessage": "BootNotification"})


@transaction.atomic
def block(charger: Charger) -> None:
    """It may not connect any more, and is sent away."""
    Charger.objects.filter(pk=charger.pk).update(state=Charger.State.BLOCKED)
    fencing.expel(charger.pk)
