"""What staff have chargers do: asked of one or of many, with an outcome for each (notes 9)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from cpo_backend import tasks
from cpo_backend.models import Charger, OperationJob, OperationStep
from cpo_backend.operations.ordering import order
from tests.kit import chargers
from tests.kit.charger import V16, V201, CallError, FakeCharger
from tests.kit.chargers import connected, eventually

Kind = OperationJob.Kind
ACCEPTED = {"status": "Accepted"}
LOCATION = {"location": "https://files.example/upload"}


def outcome(charger: Charger | None = None) -> tuple[str, str]:
    """State and detail of the last step."""
    steps = OperationStep.objects.all() if charger is None else OperationStep.objects.filter(charger=charger)
    step = steps.latest("pk")
    return step.state, step.detail


def becomes(state: str) -> str:
    """The detail with which the last step has come to be in this state."""
    eventually(lambda: outcome()[0] == state, state)
    return outcome()[1]


def asked(cp: FakeCharger, kind: Kind, answer: Any, action: str, **parameters: Any) -> dict[str, Any]:
    """What a charger that answers like this is asked."""
    cp.answers[action] = answer
    order(kind, parameters, Charger.objects.all(), by="staff")
    return cp.wait_asked(action)


@pytest.fixture(autouse=True)
def _registered(charger: Charger) -> None:
    """CP-1."""


@pytest.mark.parametrize(
    ("kind", "parameters", "action", "request_"),
    [
        (Kind.AVAILABILITY, {"operative": False}, "ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
        (Kind.CONFIGURE, {"name": "K", "value": "1"}, "ChangeConfiguration", {"key": "K", "value": "1"}),
        (Kind.TRIGGER, {"message": "Heartbeat"}, "TriggerMessage", {"requestedMessage": "Heartbeat"}),
        (Kind.CLEAR_CACHE, {}, "ClearCache", {}),
    ],
)
def test_what_the_charger_accepts_is_done(
    url: str, kind: Kind, parameters: dict[str, Any], action: str, request_: dict[str, Any]
) -> None:
    with connected(url) as cp:
        assert asked(cp, kind, ACCEPTED, action, **parameters) == request_
        assert becomes("done") == "Accepted"


@pytest.mark.parametrize(
    ("kind", "parameters", "action"),
    [
        (Kind.RESET, {"hard": True}, "Reset"),
        (Kind.AVAILABILITY, {"operative": True, "number": 2}, "ChangeAvailability"),
        (Kind.TRIGGER, {"message": "StatusNotification", "number": 1}, "TriggerMessage"),
        (Kind.DIAGNOSTICS, LOCATION, "GetLog"),
        (Kind.FIRMWARE, LOCATION, "UpdateFirmware"),
    ],
)
def test_the_newer_version_is_asked_in_its_words(url: str, kind: Kind, parameters: dict[str, Any], action: str) -> None:
    """The kit's charger holds each request against the schema."""
    with connected(url, subprotocol=V201) as cp:
        asked(cp, kind, ACCEPTED, action, **parameters)
        eventually(lambda: outcome()[0] in ("done", "running"), "an outcome")


def test_a_setting_of_the_newer_version_is_a_variable(url: str) -> None:
    with connected(url, subprotocol=V201) as cp:
        names = {"component": {"name": "C"}, "variable": {"name": "V"}}
        answer = {"setVariableResult": [{"attributeStatus": "RebootRequired", **names}]}
        asked(cp, Kind.CONFIGURE, answer, "SetVariables", name="C.V", value="1")
        assert becomes("done") == "RebootRequired"


@pytest.mark.parametrize("answer", [{"status": "Rejected"}, CallError("NotSupported"), {"status": "NotSupported"}])
def test_what_the_charger_does_not_accept_has_failed(url: str, answer: Any) -> None:
    with connected(url) as cp:
        asked(cp, Kind.CONFIGURE, answer, "ChangeConfiguration", name="K", value="1")
        assert becomes("failed")


def test_a_reset_is_over_when_the_charger_has_booted(url: str) -> None:
    with connected(url) as cp:
        asked(cp, Kind.RESET, ACCEPTED, "Reset")
        becomes("running")
        cp.boot()
        assert becomes("done") == "it has booted"


def test_a_reset_after_which_nothing_is_heard_has_failed(url: str) -> None:
    with connected(url) as cp:
        asked(cp, Kind.RESET, ACCEPTED, "Reset")
        becomes("running")
    OperationStep.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    tasks.sweep_chargers()
    assert outcome() == ("failed", "nothing more was heard of it")


def test_an_update_goes_on_until_it_is_installed(url: str) -> None:
    with connected(url) as cp:
        asked(cp, Kind.FIRMWARE, {}, "UpdateFirmware", **LOCATION)
        becomes("running")
        cp.call("FirmwareStatusNotification", {"status": "Downloading"})
        assert outcome() == ("running", "Downloading")
        order(Kind.FIRMWARE, LOCATION, Charger.objects.all())
        assert outcome() == ("failed", "the one before has not ended yet")
        cp.call("FirmwareStatusNotification", {"status": "Installed"})
    assert OperationStep.objects.earliest("pk").state == "done"


def test_an_upload_that_fails_has_failed(url: str) -> None:
    with connected(url) as cp:
        asked(cp, Kind.DIAGNOSTICS, {"fileName": "log.zip"}, "GetDiagnostics", **LOCATION)
        becomes("running")
        cp.call("DiagnosticsStatusNotification", {"status": "UploadFailed"})
    assert outcome() == ("failed", "UploadFailed")


def test_an_upload_of_the_newer_version_names_its_request(url: str) -> None:
    with connected(url, subprotocol=V201) as cp:
        request = asked(cp, Kind.DIAGNOSTICS, ACCEPTED, "GetLog", **LOCATION)
        becomes("running")
        cp.call("LogStatusNotification", {"status": "Uploaded", "requestId": request["requestId"] + 1})
        assert outcome()[0] == "running"
        cp.call("LogStatusNotification", {"status": "Uploaded", "requestId": request["requestId"]})
    assert outcome() == ("done", "Uploaded")


def test_nothing_to_upload_is_done(url: str) -> None:
    with connected(url) as cp:
        asked(cp, Kind.DIAGNOSTICS, {}, "GetDiagnostics", **LOCATION)
        assert becomes("done") == "nothing to upload"


def test_many_are_asked_and_each_has_its_outcome(url: str, charger: Charger) -> None:
    other = chargers.add_charger("CP-2", ("E-21",), place="LOC-2")
    with connected(url) as cp:
        cp.answers["ClearCache"] = ACCEPTED
        order(Kind.CLEAR_CACHE, {}, Charger.objects.all())
        eventually(lambda: outcome(charger)[0] == "done", "CP-1")
    assert outcome(other) == ("failed", "the charger is not connected")


@pytest.mark.parametrize(("subprotocol", "kind"), [(V16, Kind.CONFIGURE), (V201, Kind.CONFIGURE), (V16, Kind.FIRMWARE)])
def test_what_lacks_a_parameter_has_failed_with_the_reason(url: str, subprotocol: str, kind: Kind) -> None:
    with connected(url, subprotocol=subprotocol):
        order(kind, {}, Charger.objects.all())
    state, detail = outcome()
    assert (state, "required" in detail) == ("failed", True)


# --- the command line -------------------------------------------------------------------------------------------------


def operate(capsys: pytest.CaptureFixture[str], *arguments: str, **options: Any) -> tuple[int, Any]:
    """Exit code, and what is on stdout."""
    code = 0
    try:
        call_command("operate", *arguments, json=True, **options)
    except SystemExit as ended:
        code = int(str(ended.code))
    except CommandError as error:
        return error.returncode, None
    return code, json.loads(capsys.readouterr().out)["chargers"]


def test_the_command_waits_for_what_each_charger_says(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    chargers.add_charger("CP-2", ("E-21",), place="LOC-2")
    with connected(url) as cp:
        cp.answers["Reset"] = ACCEPTED
        code, told = operate(capsys, "reset", "CP-1", "CP-2", parameters='{"hard": true}')
        assert cp.wait_asked("Reset") == {"type": "Hard"}
    assert code == 3
    assert told["CP-1"] == {"state": "running", "detail": "Accepted"}
    assert told["CP-2"]["state"] == "failed"


@pytest.mark.parametrize(
    ("arguments", "parameters"),
    [
        (("reset", "CP-9"), "{}"),
        (("reset", "CP-1"), "nonsense"),
        (("reset", "CP-1"), "[]"),
        (("configure", "CP-1"), '{"name": "AuthorizationKey", "value": "0"}'),
    ],
)
def test_bad_input_is_2_and_nothing_is_asked(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], parameters: str
) -> None:
    assert operate(capsys, *arguments, parameters=parameters) == (2, None)
    assert not OperationJob.objects.exists()
