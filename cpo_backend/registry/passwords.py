"""A new password for a charger: made here, told to the charger, valid beside the old one until it is first used."""

from typing import Any

from django.db import transaction

from cpo_backend.commanding import queue
from cpo_backend.models import Charger, OcppCommand
from cpo_backend.registry import keys
from ocpi.types import codec


class NotConnected(Exception):
    """Only a connected charger can be told."""


@transaction.atomic
def renew(charger: Charger) -> OcppCommand:
    """Tell the charger a new password; raises NotConnected. Nobody else ever sees it."""
    key = keys.new_key()
    charger = Charger.objects.select_for_update().get(pk=charger.pk)
    payload: dict[str, Any]
    if charger.version == "1.6":
        action, payload = "ChangeConfiguration", {"key": "AuthorizationKey", "value": key}
    else:
        names = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
        action, payload = "SetVariables", {"setVariableData": [{"attributeValue": key, **names}]}
    command = queue.put(charger, action, payload, purpose=OcppCommand.Purpose.PASSWORD)
    if command.status == OcppCommand.Status.OFFLINE:
        raise NotConnected(f"{charger} is not connected")
    charger.new_key_hash = keys.digest(key.encode())
    charger.save(update_fields=["new_key_hash"])
    return command


def take(command: OcppCommand) -> None:
    """A charger that says no keeps the old password; one that says nothing may have either."""
    if command.status == OcppCommand.Status.ERROR or _is_refused(command):
        Charger.objects.filter(pk=command.charger_id).update(new_key_hash="")


def _is_refused(command: OcppCommand) -> bool:
    if command.status != OcppCommand.Status.OK:
        return False
    told = codec.decode(command.result.encode())
    results = told.get("setVariableResult") or [{"attributeStatus": told.get("status")}]
    return any(item.get("attributeStatus") not in ("Accepted", "RebootRequired") for item in results)
