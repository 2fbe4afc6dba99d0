"""What we need of a charger's configuration: read once for each firmware, compared, and set where it differs.

OCPP 1.6 answers GetConfiguration at once; 2.0.1 sends a report in parts. That a setting takes effect with the next
boot only is a state of the charger, not an error.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction

from cpo_backend.alarms import sounding
from cpo_backend.commanding import queue
from cpo_backend.local_lists import sending
from cpo_backend.models import Alarm, Charger, OcppCommand
from ocpi.types import codec

# Short, because nothing else can be asked meanwhile.
TIMEOUT = 10.0
MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,SoC"
_V16 = {
    "MeterValueSampleInterval": "60",
    "MeterValuesSampledData": MEASURANDS,
    "ClockAlignedDataInterval": "0",
    "WebSocketPingInterval": "60",
    "StopTransactionOnInvalidId": "true",
    "AuthorizeRemoteTxRequests": "false",
    "LocalAuthorizeOffline": "true",
}
_V201 = {
    "SampledDataCtrlr.TxUpdatedInterval": "60",
    "SampledDataCtrlr.TxUpdatedMeasurands": MEASURANDS,
    "OCPPCommCtrlr.WebSocketPingInterval": "60",
    "TxCtrlr.StopTxOnInvalidId": "true",
    "AuthCtrlr.AuthorizeRemoteStart": "false",
    "AuthCtrlr.LocalAuthorizeOffline": "true",
}
# Where local lists are used, whatever the version.
_WITH_LISTS = {"LocalAuthListEnabled": "true", "LocalAuthListCtrlr.Enabled": "true"}
# Lists of which a charger may know only the beginning: what it rejects is tried again without the last item.
_SHORTENED = frozenset({"MeterValuesSampledData", "SampledDataCtrlr.TxUpdatedMeasurands"})


class Setting(NamedTuple):
    """One setting as a charger tells it; of 2.0.1 the name is Component.Variable."""

    name: str
    value: str | None
    is_fixed: bool


def begin(charger: Charger) -> None:
    """Read the configuration, once things have settled, unless it has been read of this firmware."""
    if charger.configured_for == _firmware(charger) or _under_way(charger):
        return
    if charger.version == "1.6":
        _ask(charger, "GetConfiguration", {}, settings.OCPP_SETTLE)
    else:
        request = {"requestId": charger.pk, "reportBase": "FullInventory"}
        _ask(charger, "GetBaseReport", request, settings.OCPP_SETTLE)


def take(command: OcppCommand) -> None:
    """The outcome of what was asked here."""
    if command.status != OcppCommand.Status.OK:
        return
    charger = Charger.objects.select_for_update().get(pk=command.charger_id)
    asked, told = codec.decode(command.payload.encode()), codec.decode(command.result.encode())
    match command.action:
        case "GetConfiguration":
            found = [
                Setting(str(item.get("key")), item.get("value"), bool(item.get("readonly")))
                for item in _objects(told, "configurationKey")
            ]
            _store(charger, found)
            _set_differing(charger, found)
        case "ChangeConfiguration":
            _is_set(charger, asked["key"], asked["value"], str(told.get("status")))
        case "SetVariables":
            values = {_name(item): item["attributeValue"] for item in asked["setVariableData"]}
            for item in _objects(told, "setVariableResult"):
                if (name := _name(item)) in values:
                    _is_set(charger, name, values[name], str(item.get("attributeStatus")))


@transaction.atomic
def take_report(charger_id: int, part: int, found: Iterable[Setting], *, is_last: bool) -> None:
    """A part of the report of 2.0.1. A part that never comes leaves the configuration unread: it is asked for again."""
    charger = Charger.objects.select_for_update().get(pk=charger_id)
    known = {} if part == 0 else _known(charger)
    settings_found = {**known, **{setting.name: [setting.value, setting.is_fixed] for setting in found}}
    charger.configuration = codec.encode_text(settings_found)
    charger.save(update_fields=["configuration"])
    if is_last:
        whole = [Setting(name, value, is_fixed) for name, (value, is_fixed) in settings_found.items()]
        _store(charger, whole)
        _set_differing(charger, whole)


def _store(charger: Charger, found: Iterable[Setting]) -> None:
    charger.configuration = codec.encode_text({setting.name: [setting.value, setting.is_fixed] for setting in found})
    charger.configured_for = _firmware(charger)
    charger.save(update_fields=["configuration", "configured_for"])
    sending.configured(charger)


def _set_differing(charger: Charger, found: Iterable[Setting]) -> None:
    """Set what we want and the charger has, but with another value."""
    wanted = _V16 if charger.version == "1.6" else _V201
    if settings.OCPP_LOCAL_LISTS:
        wanted = wanted | _WITH_LISTS
    for setting in found:
        value = wanted.get(setting.name)
        if value is not None and not setting.is_fixed and (setting.value or "").lower() != value.lower():
            _set(charger, setting.name, value)


def _set(charger: Charger, name: str, value: str) -> None:
    if charger.version == "1.6":
        _ask(charger, "ChangeConfiguration", {"key": name, "value": value})
        return
    component, variable = name.split(".")
    item = {"attributeValue": value, "component": {"name": component}, "variable": {"name": variable}}
    _ask(charger, "SetVariables", {"setVariableData": [item]})


def _is_set(charger: Charger, name: str, value: str, status: str) -> None:
    """Note what became of one setting."""
    if status in ("Accepted", "RebootRequired"):
        charger.configuration = codec.encode_text({**_known(charger), name: [value, False]})
    elif name in _SHORTENED and "," in value:
        _set(charger, name, value.rpartition(",")[0])
    if status == "RebootRequired":
        charger.reboot_required = True
        sounding.sound_once(charger.pk, Alarm.Kind.REBOOT_REQUIRED, text=f"{name} is set with the next boot")
    charger.save(update_fields=["configuration", "reboot_required"])


def _ask(charger: Charger, action: str, payload: Mapping[str, Any], delay: float = 0) -> None:
    purpose = OcppCommand.Purpose.CONFIGURATION
    queue.put(charger, action, payload, purpose=purpose, timeout=TIMEOUT, delay=delay)


def _under_way(charger: Charger) -> bool:
    waiting = (OcppCommand.Status.QUEUED, OcppCommand.Status.SENT)
    purpose = OcppCommand.Purpose.CONFIGURATION
    return OcppCommand.objects.filter(charger=charger, purpose=purpose, status__in=waiting).exists()


def _firmware(charger: Charger) -> str:
    return f"{charger.version} {charger.firmware_version}"[:200]


def _known(charger: Charger) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = codec.decode(charger.configuration.encode()) if charger.configuration else {}
    return found


def _objects(told: Any, member: str) -> list[dict[str, Any]]:
    found = told.get(member) if isinstance(told, dict) else None
    return [item for item in found or () if isinstance(item, dict)] if isinstance(found, list) else []


def _name(item: Mapping[str, Any]) -> str:
    """The name of the setting that an entry of SetVariables, or of its answer, is about."""
    component, variable = item.get("component"), item.get("variable")
    names = [part.get("name") if isinstance(part, dict) else None for part in (component, variable)]
    return ".".join(str(name) for name in names)
