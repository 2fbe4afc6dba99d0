"""Asks a charger and waits for the outcome; tells what is known of one. For staff on a command line."""

import time
from collections.abc import Mapping
from typing import Any

from cpo_backend.commanding import queue
from cpo_backend.models import Charger, OcppCommand, ReportedStatus
from cpo_backend.ocpp import fencing
from cpo_backend.ocpp.dialects import DIALECTS
from cpo_backend.ocpp.wire import frames
from cpo_backend.transactions import telling
from ocpi.types import codec

Status = OcppCommand.Status
_LOOK_SECONDS = 0.05
# Whoever sends the command writes down a timeout itself; it is given so long for that.
_GRACE_SECONDS = 2.0


class BadCall(ValueError):
    """What the charger must not be asked, in words."""


def ask(identity: str, action: str, payload: Mapping[str, Any], timeout: float) -> dict[str, Any]:
    """The outcome as `ocppctl call` prints it; raises BadCall when the payload does not fit the action."""
    charger = Charger.objects.filter(identity=identity).first()
    if charger is None:
        return {"status": "offline"}
    _check(charger, action, payload)
    command = queue.put(charger, action, payload, timeout=timeout)
    deadline = time.monotonic() + timeout + _GRACE_SECONDS
    while command.status in (Status.QUEUED, Status.SENT):
        if time.monotonic() > deadline:
            return {"status": "timeout"}
        time.sleep(_LOOK_SECONDS)
        command.refresh_from_db()
    return _told(command)


def _check(charger: Charger, action: str, payload: Mapping[str, Any]) -> None:
    """An offline charger is not asked anything, whatever it is: it may never have told its version."""
    if (dialect := DIALECTS.get(charger.version)) is None:
        return
    if (known := dialect.to_charger.get(action)) is None:
        raise BadCall(f"OCPP {charger.version} has no action {action} that a charger could be asked")
    try:
        known.read_request(codec.encode(payload))
    except frames.BROKEN as error:
        raise BadCall(f"{action}: {frames.fault_of(error).description}") from None


def _told(command: OcppCommand) -> dict[str, Any]:
    match command.status:
        case Status.OK:
            return {"status": "ok", "result": codec.decode(command.result.encode())}
        case Status.ERROR:
            return {"status": "error", "code": command.error_code, "description": command.error_description}
    return {"status": command.status}


def state(identity: str) -> dict[str, Any]:
    """What `ocppctl state` prints. Connectors are named as their version does: `1`, or `1.1` for EVSE and connector."""
    charger = Charger.objects.filter(identity=identity).first()
    if charger is None:
        return {"online": False, "connectors": {}, "transactions": []}
    of_evse = charger.version != "1.6"
    reports = ReportedStatus.objects.filter(charger=charger, number__gt=0).order_by("number", "connector")
    return {
        "online": Charger.objects.filter(fencing.online(), pk=charger.pk).exists(),
        "connectors": {
            f"{report.number}.{report.connector}" if of_evse else f"{report.number}": report.word for report in reports
        },
        "transactions": telling.told(charger),
    }
