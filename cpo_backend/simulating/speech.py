"""What a charger says and answers, in each version of OCPP. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from cpo_backend.ocpp.wire import times

Payload = dict[str, Any]
Said = tuple[str, Payload]

UNCONFIRMED = -1
_VENDOR, _MODEL, _FIRMWARE = "Simulated", "Charger", "1.0"
# What is agreed to without more ado, and how.
_AGREED = {
    "CancelReservation": "Accepted",
    "ChangeAvailability": "Accepted",
    "ChangeConfiguration": "Accepted",
    "DataTransfer": "UnknownVendorId",
    "GetBaseReport": "NotSupported",
    "GetCompositeSchedule": "Rejected",
    "ReserveNow": "Accepted",
    "Reset": "Accepted",
    "SendLocalList": "Accepted",
    "TriggerMessage": "Accepted",
    "UnlockConnector": "Unlocked",
}


@dataclass(slots=True)
class Charging:
    """A transaction as the charger knows it; `id` is what messages carry, UNCONFIRMED before 1.6 was told."""

    number: int
    tag: str
    id: int | str = UNCONFIRMED
    seq_no: int = 0
    is_over: bool = False
    remote_start_id: int | None = None
    register: list[int] = field(default_factory=list)


class Speech(Protocol):
    """One version."""

    subprotocol: str

    def boot(self) -> Said: ...
    def status(self, number: int, word: str, at: datetime) -> Said: ...
    def start(self, charging: Charging, wh: int, at: datetime) -> Said: ...
    def meter(self, charging: Charging, wh: int, watts: int, at: datetime) -> Said: ...
    def stop(self, charging: Charging, wh: int, reason: str, at: datetime) -> Said: ...


class V16:
    subprotocol = "ocpp1.6"

    def boot(self) -> Said:
        return "BootNotification", {
            "chargePointVendor": _VENDOR,
            "chargePointModel": _MODEL,
            "firmwareVersion": _FIRMWARE,
        }

    def status(self, number: int, word: str, at: datetime) -> Said:
        return "StatusNotification", {"connectorId": number, "errorCode": _error(word), "status": word}

    def start(self, charging: Charging, wh: int, at: datetime) -> Said:
        told = {"connectorId": charging.number, "idTag": charging.tag, "meterStart": wh}
        return "StartTransaction", told | {"timestamp": times.format(at)}

    def meter(self, charging: Charging, wh: int, watts: int, at: datetime) -> Said:
        values = [
            {"value": str(wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": str(watts), "measurand": "Power.Active.Import", "unit": "W"},
        ]
        told = {"connectorId": charging.number, "transactionId": charging.id}
        return "MeterValues", told | {"meterValue": [{"timestamp": times.format(at), "sampledValue": values}]}

    def stop(self, charging: Charging, wh: int, reason: str, at: datetime) -> Said:
        told = {"transactionId": charging.id, "meterStop": wh, "timestamp": times.format(at), "reason": reason}
        return "StopTransaction", told


class V201:
    subprotocol = "ocpp2.0.1"

    def boot(self) -> Said:
        station = {"vendorName": _VENDOR, "model": _MODEL, "firmwareVersion": _FIRMWARE}
        return "BootNotification", {"reason": "PowerUp", "chargingStation": station}

    def status(self, number: int, word: str, at: datetime) -> Said:
        plain = word if word in ("Available", "Reserved", "Unavailable", "Faulted") else "Occupied"
        told = {"evseId": number, "connectorId": 1, "connectorStatus": plain}
        return "StatusNotification", told | {"timestamp": times.format(at)}

    def start(self, charging: Charging, wh: int, at: datetime) -> Said:
        told = self._event(charging, "Started", "RemoteStart" if charging.remote_start_id else "Authorized", wh, at)
        told["idToken"] = {"idToken": charging.tag, "type": "ISO14443"}
        if charging.remote_start_id is not None:
            told["transactionInfo"]["remoteStartId"] = charging.remote_start_id
        return "TransactionEvent", told

    def meter(self, charging: Charging, wh: int, watts: int, at: datetime) -> Said:
        told = self._event(charging, "Updated", "MeterValuePeriodic", wh, at)
        power = {"value": watts, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W"}}
        told["meterValue"][0]["sampledValue"].append(power)
        return "TransactionEvent", told

    def stop(self, charging: Charging, wh: int, reason: str, at: datetime) -> Said:
        trigger = "RemoteStop" if reason == "Remote" else "EVDeparted"
        told = self._event(charging, "Ended", trigger, wh, at)
        told["transactionInfo"]["stoppedReason"] = reason
        return "TransactionEvent", told

    def _event(self, charging: Charging, kind: str, trigger: str, wh: int, at: datetime) -> Payload:
        context = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(kind, "Sample.Periodic")
        register = {"value": wh, "context": context, "unitOfMeasure": {"unit": "Wh"}}
        charging.seq_no += 1
        return {
            "eventType": kind,
            "timestamp": times.format(at),
            "triggerReason": trigger,
            "seqNo": charging.seq_no - 1,
            "transactionInfo": {"transactionId": charging.id, "chargingState": "Charging"},
            "evse": {"id": charging.number, "connectorId": 1},
            "meterValue": [{"timestamp": times.format(at), "sampledValue": [register]}],
        }


SPEECH: dict[str, type[Speech]] = {"1.6": V16, "2.0.1": V201}


def agreed(action: str, payload: Payload) -> Payload | None:
    """The answer to what is agreed to without more ado; None for what is not known."""
    if action == "GetConfiguration":
        return {"configurationKey": []}
    if action == "SetVariables":
        return {"setVariableResult": [_set(item) for item in payload["setVariableData"]]}
    return {"status": _AGREED[action]} if action in _AGREED else None


def _set(item: Payload) -> Payload:
    return {"attributeStatus": "Accepted", "component": item["component"], "variable": item["variable"]}


def _error(word: str) -> str:
    return "InternalError" if word == "Faulted" else "NoError"
