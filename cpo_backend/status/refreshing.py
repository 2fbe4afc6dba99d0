"""Asks chargers that have come back for what they have not told by themselves: a link that fails is no boot."""

from collections.abc import Collection
from typing import Any

from django.db.models import Exists, OuterRef

from cpo_backend.commanding import queue
from cpo_backend.models import Charger, ChargerEvse, OcppCommand, ReportedStatus

TIMEOUT = 5.0


def ask_unheard(charger_ids: Collection[int]) -> int:
    """Ask for the status of every EVSE not heard of over the present connection; returns how many those are."""
    heard = ReportedStatus.objects.filter(
        charger=OuterRef("charger"), number=OuterRef("number"), generation=OuterRef("charger__connection__generation")
    )
    connected = ChargerEvse.objects.filter(charger__in=charger_ids, charger__connection__isnull=False)
    unheard = connected.filter(~Exists(heard), charger__state=Charger.State.ACCEPTED).select_related("charger")
    for evse in unheard.order_by("charger", "number"):
        payload: dict[str, Any] = {"requestedMessage": "StatusNotification"}
        if evse.charger.version == "1.6":
            payload["connectorId"] = evse.number
        else:
            payload["evse"] = {"id": evse.number, "connectorId": 1}
        queue.put(evse.charger, "TriggerMessage", payload, purpose=OcppCommand.Purpose.STATUS, timeout=TIMEOUT)
    return len(unheard)
