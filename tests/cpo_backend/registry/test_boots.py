"""What a boot changes, the configuration that is read and set, and new passwords."""

from typing import Any

import pytest

from cpo_backend.models import Alarm, Charger, OcppCommand
from cpo_backend.registry import accepting, configuring, passwords
from ocpi.types import codec
from tests.kit.charger import V201, CallError, FakeCharger
from tests.kit.chargers import PASSWORD, connected, eventually

BOOT = {
    "chargePointVendor": "Kit",
    "chargePointModel": "One",
    "chargePointSerialNumber": "S-1",
    "firmwareVersion": "1.2.3",
    "meterType": "M",
    "meterSerialNumber": "M-1",
    "iccid": "8931",
    "imsi": "2040",
}


def test_a_boot_is_answered_with_the_time_and_the_interval(url: str, charger: Charger, settings: Any) -> None:
    settings.OCPP_HEARTBEAT = 123
    with connected(url) as cp:
        answer = cp.boot()
    assert (answer["status"], answer["interval"]) == ("Accepted", 123)
    assert len(answer["currentTime"]) == len("2026-03-01T12:00:00.000Z")


def test_a_boot_says_what_the_charger_is(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.call("BootNotification", BOOT)
    charger.refresh_from_db()
    found = (
        charger.vendor,
        charger.model,
        charger.serial_number,
        charger.firmware_version,
        charger.meter_serial_number,
    )
    assert found == ("Kit", "One", "S-1", "1.2.3", "M-1")
    assert charger.last_boot_at is not None


def test_what_is_too_long_for_a_column_is_cut_off(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        assert cp.call("BootNotification", {**BOOT, "firmwareVersion": "9" * 5000})["status"] == "Accepted"
    charger.refresh_from_db()
    assert len(charger.firmware_version) == 100


def test_boots_again_and_again_are_an_alarm(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        for _ in range(3):
            cp.boot()
        assert not Alarm.objects.exists()
        cp.boot()
    assert Alarm.objects.get().kind == Alarm.Kind.BOOT_LOOP


def test_a_charger_that_is_blocked_while_connected_is_sent_away(
    url: str, charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected(url) as cp:
        accepting.block(charger)
        assert cp.wait_closed() == 1000


# --- configuration ----------------------------------------------------------------------------------------------------


def setting(key: str, value: str | None, *, readonly: bool = False) -> dict[str, Any]:
    return {"key": key, "readonly": readonly, **({} if value is None else {"value": value})}


CONFIGURATION = {
    "configurationKey": [
        setting("MeterValueSampleInterval", "900"),
        setting("StopTransactionOnInvalidId", "TRUE"),
        setting("WebSocketPingInterval", "5", readonly=True),
        setting("VendorThing", None),
    ]
}


def known(charger: Charger) -> dict[str, Any]:
    charger.refresh_from_db()
    found: dict[str, Any] = codec.decode(charger.configuration.encode())
    return found


def test_the_configuration_is_read_once_and_set_where_it_differs(url: str, charger: Charger, settings: Any) -> None:
    settings.OCPP_SETTLE = 0
    with connected(url) as cp:
        cp.answers |= {"GetConfiguration": CONFIGURATION, "ChangeConfiguration": {"status": "Accepted"}}
        cp.call("BootNotification", BOOT)
        assert cp.wait_asked("GetConfiguration") == {}
        assert cp.wait_asked("ChangeConfiguration") == {"key": "MeterValueSampleInterval", "value": "60"}
        eventually(lambda: known(charger)["MeterValueSampleInterval"] == ["60", False], "what was set")
        assert known(charger)["WebSocketPingInterval"] == ["5", True]
        cp.call("BootNotification", BOOT)
        assert not OcppCommand.objects.exclude(status=OcppCommand.Status.OK).filter(purpose="configuration").exists()
        cp.call("BootNotification", {**BOOT, "firmwareVersion": "2.0"})
        cp.wait_asked("GetConfiguration", 2)
    assert [action for action, _ in cp.asked].count("ChangeConfiguration") >= 1


def test_a_list_that_is_rejected_is_tried_again_with_fewer_items(url: str, charger: Charger, settings: Any) -> None:
    settings.OCPP_SETTLE = 0
    items = configuring.MEASURANDS.split(",")

    def change(payload: dict[str, Any]) -> dict[str, Any]:
        return {"status": "Accepted" if payload["value"].count(",") == 1 else "Rejected"}

    with connected(url) as cp:
        cp.answers |= {
            "GetConfiguration": {"configurationKey": [setting("MeterValuesSampledData", "Voltage")]},
            "ChangeConfiguration": change,
        }
        cp.call("BootNotification", BOOT)
        assert cp.wait_asked("ChangeConfiguration", 3)["value"] == ",".join(items[:2])
        eventually(lambda: known(charger)["MeterValuesSampledData"][0] == ",".join(items[:2]), "what was accepted")


def test_that_a_boot_is_needed_is_a_state(url: str, charger: Charger, settings: Any) -> None:
    settings.OCPP_SETTLE = 0
    with connected(url) as cp:
        cp.answers |= {"GetConfiguration": CONFIGURATION, "ChangeConfiguration": {"status": "RebootRequired"}}
        cp.call("BootNotification", BOOT)
        eventually(lambda: Charger.objects.get().reboot_required, "the state")
        assert Alarm.objects.filter(kind=Alarm.Kind.REBOOT_REQUIRED, cleared_at=None).exists()
        cp.call("BootNotification", BOOT)
    assert not Charger.objects.get().reboot_required
    assert not Alarm.objects.filter(cleared_at=None).exists()


def test_a_charger_that_keeps_its_configuration_is_left_alone(url: str, charger: Charger, settings: Any) -> None:
    settings.OCPP_SETTLE = 0
    with connected(url) as cp:
        cp.answers["GetConfiguration"] = CallError("NotSupported")
        cp.call("BootNotification", BOOT)
        eventually(lambda: OcppCommand.objects.filter(status=OcppCommand.Status.ERROR).exists(), "the outcome")
    charger.refresh_from_db()
    assert charger.configured_for == ""


def data(component: str, variable: str, value: str, mutability: str = "ReadWrite") -> dict[str, Any]:
    attribute = {"value": value, "mutability": mutability}
    return {"component": {"name": component}, "variable": {"name": variable}, "variableAttribute": [attribute]}


def test_the_newer_version_reports_in_parts(url: str, charger: Charger, settings: Any) -> None:
    settings.OCPP_SETTLE = 0

    def accepted(payload: dict[str, Any]) -> dict[str, Any]:
        [item] = payload["setVariableData"]
        names = {"component": item["component"], "variable": item["variable"]}
        return {"setVariableResult": [{"attributeStatus": "Accepted", **names}]}

    with connected(url, subprotocol=V201) as cp:
        cp.answers |= {"GetBaseReport": {"status": "Accepted"}, "SetVariables": accepted}
        cp.boot()
        asked = cp.wait_asked("GetBaseReport")
        assert asked["reportBase"] == "FullInventory"
        part = {"requestId": asked["requestId"], "generatedAt": "2026-03-01T12:00:00Z"}
        first = data("SampledDataCtrlr", "TxUpdatedInterval", "900")
        cp.call("NotifyReport", {**part, "seqNo": 0, "tbc": True, "reportData": [first]})
        assert not charger.commands.filter(action="SetVariables").exists()
        last = [data("OCPPCommCtrlr", "WebSocketPingInterval", "5", "ReadOnly"), data("TxCtrlr", "Other", "x")]
        cp.call("NotifyReport", {**part, "seqNo": 1, "reportData": last})
        [item] = cp.wait_asked("SetVariables")["setVariableData"]
        assert item["variable"] == {"name": "TxUpdatedInterval"}
        assert item["attributeValue"] == "60"
        eventually(lambda: known(charger)["SampledDataCtrlr.TxUpdatedInterval"] == ["60", False], "what was set")
        assert set(known(charger)) >= {"OCPPCommCtrlr.WebSocketPingInterval", "TxCtrlr.Other"}


# --- passwords --------------------------------------------------------------------------------------------------------


def test_a_new_password_is_told_to_the_charger_and_kept_nowhere(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.answers["ChangeConfiguration"] = {"status": "Accepted"}
        command = passwords.renew(charger)
        asked = cp.wait_asked("ChangeConfiguration")
        assert asked["key"] == "AuthorizationKey"
        eventually(lambda: OcppCommand.objects.get(pk=command.pk).status == OcppCommand.Status.OK, "the outcome")
    assert asked["value"] not in OcppCommand.objects.get(pk=command.pk).payload
    with FakeCharger(url, "CP-1", asked["value"]) as cp:
        cp.boot()
    charger.refresh_from_db()
    assert charger.new_key_hash == ""


def test_a_charger_that_refuses_a_new_password_keeps_the_old(url: str, charger: Charger) -> None:
    with connected(url, subprotocol=V201) as cp:
        names = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
        cp.answers["SetVariables"] = {"setVariableResult": [{"attributeStatus": "Rejected", **names}]}
        charger.refresh_from_db()
        passwords.renew(charger)
        cp.wait_asked("SetVariables")
        eventually(lambda: Charger.objects.get().new_key_hash == "", "the end of the new one")
    with FakeCharger(url, "CP-1", PASSWORD, subprotocols=(V201,)) as cp:
        cp.boot()


def test_a_charger_that_is_away_gets_no_new_password(charger: Charger) -> None:
    with pytest.raises(passwords.NotConnected):
        passwords.renew(charger)
    charger.refresh_from_db()
    assert charger.new_key_hash == ""
    assert not OcppCommand.objects.exists()
