"""What staff want done as a CALL of either version. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from cpo_backend.models import OperationJob
from cpo_backend.ocpp.wire import times
from ocpi.store.documents import Document

Kind = OperationJob.Kind


class Call(NamedTuple):
    action: str
    payload: Document


class Unfit(ValueError):
    """What cannot be asked, in words."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done. `number` is a connectorId of OCPP 1.6 or an EVSE id of 2.0.1; None is the whole charger.

    `id` is what a charger of 2.0.1 names it by when it reports; `now` is when.
    """

    kind: str
    parameters: Mapping[str, Any]
    id: int
    now: datetime

    @property
    def number(self) -> int | None:
        found = self.parameters.get("number")
        return found if isinstance(found, int) and found > 0 else None

    def text(self, name: str) -> str:
        """A parameter that is required; raises Unfit."""
        found = str(self.parameters.get(name) or "").strip()
        if not found:
            raise Unfit(f"{name} is required")
        return found


# Nobody but the charger is to see its password; there is a way of its own to change it (`registry.passwords`).
_PASSWORDS = frozenset({"authorizationkey", "securityctrlr.basicauthpassword"})


def check(kind: str, parameters: Mapping[str, Any]) -> None:
    """Raises Unfit for what must not even be written down."""
    if kind == Kind.CONFIGURE and str(parameters.get("name")).strip().lower() in _PASSWORDS:
        raise Unfit("give the charger a new password by its own action: this would show it")


def call(version: str, wish: Wish) -> Call:
    """The CALL for a charger of this version; raises Unfit."""
    makers = _V16 if version == "1.6" else _V201
    return makers[wish.kind](wish)


# --- OCPP 1.6 -------------------------------------------------------------------------------------------------------


def _availability_16(wish: Wish) -> Call:
    word = "Operative" if wish.parameters.get("operative") else "Inoperative"
    return Call("ChangeAvailability", {"connectorId": wish.number or 0, "type": word})


def _trigger_16(wish: Wish) -> Call:
    at = {} if wish.number is None else {"connectorId": wish.number}
    return Call("TriggerMessage", {"requestedMessage": wish.text("message")} | at)


def _firmware_16(wish: Wish) -> Call:
    return Call("UpdateFirmware", {"location": wish.text("location"), "retrieveDate": times.format(wish.now)})


_V16: dict[str, Callable[[Wish], Call]] = {
    Kind.RESET: lambda wish: Call("Reset", {"type": "Hard" if wish.parameters.get("hard") else "Soft"}),
    Kind.AVAILABILITY: _availability_16,
    Kind.CONFIGURE: lambda wish: Call("ChangeConfiguration", {"key": wish.text("name"), "value": wish.text("value")}),
    Kind.READ_CONFIGURATION: lambda wish: Call("GetConfiguration", {}),
    Kind.TRIGGER: _trigger_16,
    Kind.UNLOCK: lambda wish: Call("UnlockConnector", {"connectorId": wish.number or 1}),
    Kind.CLEAR_CACHE: lambda wish: Call("ClearCache", {}),
    Kind.DIAGNOSTICS: lambda wish: Call("GetDiagnostics", {"location": wish.text("location")}),
    Kind.FIRMWARE: _firmware_16,
}

# --- OCPP 2.0.1 -----------------------------------------------------------------------------------------------------


def _availability_201(wish: Wish) -> Call:
    word = "Operative" if wish.parameters.get("operative") else "Inoperative"
    at = {} if wish.number is None else {"evse": {"id": wish.number}}
    return Call("ChangeAvailability", {"operationalStatus": word} | at)


def _configure_201(wish: Wish) -> Call:
    component, _, variable = wish.text("name").partition(".")
    if not variable:
        raise Unfit("OCPP 2.0.1 names settings Component.Variable")
    names = {"component": {"name": component}, "variable": {"name": variable}}
    return Call("SetVariables", {"setVariableData": [{"attributeValue": wish.text("value")} | names]})


def _trigger_201(wish: Wish) -> Call:
    at = {} if wish.number is None else {"evse": {"id": wish.number, "connectorId": 1}}
    return Call("TriggerMessage", {"requestedMessage": wish.text("message")} | at)


def _diagnostics_201(wish: Wish) -> Call:
    log = {"remoteLocation": wish.text("location")}
    return Call("GetLog", {"logType": "DiagnosticsLog", "requestId": wish.id, "log": log})


def _firmware_201(wish: Wish) -> Call:
    firmware = {"location": wish.text("location"), "retrieveDateTime": times.format(wish.now)}
    return Call("UpdateFirmware", {"requestId": wish.id, "firmware": firmware})


_V201: dict[str, Callable[[Wish], Call]] = {
    Kind.RESET: lambda wish: Call("Reset", {"type": "Immediate" if wish.parameters.get("hard") else "OnIdle"}),
    Kind.AVAILABILITY: _availability_201,
    Kind.CONFIGURE: _configure_201,
    Kind.READ_CONFIGURATION: lambda wish: Call("GetBaseReport", {"requestId": wish.id, "reportBase": "FullInventory"}),
    Kind.TRIGGER: _trigger_201,
    Kind.UNLOCK: lambda wish: Call("UnlockConnector", {"evseId": wish.number or 1, "connectorId": 1}),
    Kind.CLEAR_CACHE: lambda wish: Call("ClearCache", {}),
    Kind.DIAGNOSTICS: _diagnostics_201,
    Kind.FIRMWARE: _firmware_201,
}
