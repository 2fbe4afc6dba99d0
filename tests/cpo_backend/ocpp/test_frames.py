"""What is no proper message is answered in the words of its version, and never ends the conversation."""

import json

import pytest
from ocpp.messages import get_validator

from cpo_backend.models import Charger, ReportedStatus, TransactionMessage
from cpo_backend.ocpp.dialects import DIALECTS
from cpo_backend.ocpp.wire import frames, times
from cpo_backend.ocpp.wire.frames import Code
from tests.kit.charger import V16, V201, CallError
from tests.kit.chargers import connected
from tests.kit.ocpp_samples import Sample

DEEP = "[" * 100_000 + "]" * 100_000
HOSTILE = [
    "",
    "nonsense",
    "{}",
    "[]",
    "[2]",
    "null",
    "12",
    DEEP,
    f"[2,{'9' * 5000}]",
    '["2","id","Heartbeat",{}]',
    "[2,null,null,null]",
    '[2,["id"],"Heartbeat",{}]',
    f'[2,"{"x" * 37}","Heartbeat",{{}}]',
    '[3,"nobody asked",{}]',
    '[4,"nobody asked","GenericError","",{}]',
    '[3,"nobody asked"]',
    '[2,"","Heartbeat",{}]',
]


def code(frame: str) -> str:
    return str(json.loads(frame)[2])


@pytest.mark.parametrize("version", [V16, V201])
def test_no_frame_ends_the_conversation(url: str, charger: Charger, version: str) -> None:
    with connected(url, subprotocol=version) as cp:
        for frame in HOSTILE:
            cp.send(frame)
        assert cp.call("Heartbeat")["currentTime"].endswith("Z")


def test_the_older_version_ignores_what_it_cannot_answer(url: str, charger: Charger) -> None:
    """Its error codes have no word for it, and there is no id to name."""
    with connected(url) as cp:
        for frame in ("nonsense", "{}", '[9,"id",{}]'):
            cp.send(frame)
        cp.call("Heartbeat")
        assert len(cp.frames) == 1


@pytest.mark.parametrize("frame", ["nonsense", "{}", "[2]", '[2,7,"Heartbeat",{}]', DEEP])
def test_the_newer_version_answers_what_it_cannot_read(url: str, charger: Charger, frame: str) -> None:
    with connected(url, subprotocol=V201) as cp:
        cp.send(frame)
        with pytest.raises(CallError) as caught:
            cp.answer_to("-1")
    assert caught.value.code == "RpcFrameworkError"


@pytest.mark.parametrize("frame", ["[3,7,{}]", '[4,null,"GenericError","",{}]', '[3,"id"]', '[4,"id"]'])
def test_an_answer_is_never_answered(url: str, charger: Charger, frame: str) -> None:
    with connected(url, subprotocol=V201) as cp:
        cp.send(frame)
        cp.call("Heartbeat")
        assert len(cp.frames) == 1


def test_a_message_type_that_nobody_knows(url: str, charger: Charger) -> None:
    with connected(url, subprotocol=V201) as cp:
        cp.send('[9,"id",{}]')
        with pytest.raises(CallError) as caught:
            cp.answer_to("id")
    assert caught.value.code == "MessageTypeNotSupported"


BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
FAULTS = [
    ("NoSuchAction", {}, "NotImplemented", "NotImplemented"),
    ("Reset", {}, "NotSupported", "NotSupported"),  # only we may ask for that
    ("Heartbeat", [], "FormationViolation", "FormatViolation"),
    ("Heartbeat", "text", "FormationViolation", "FormatViolation"),
    ("BootNotification", {}, "OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
]


@pytest.mark.parametrize(("action", "payload", "older", "newer"), FAULTS)
@pytest.mark.parametrize("version", [V16, V201])
def test_faults_have_the_code_that_the_version_spells(
    url: str, charger: Charger, version: str, action: str, payload: object, older: str, newer: str
) -> None:
    with connected(url, subprotocol=version) as cp, pytest.raises(CallError) as caught:
        cp.call(action, payload)
    assert caught.value.code == (older if version == V16 else newer)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({**STATUS, "connectorId": "one"}, "TypeConstraintViolation"),
        ({**STATUS, "connectorId": 10**12}, "PropertyConstraintViolation"),
        ({**STATUS, "connectorId": -1}, "PropertyConstraintViolation"),
        ({**STATUS, "status": "Sleeping"}, "PropertyConstraintViolation"),
        ({**STATUS, "status": None}, "TypeConstraintViolation"),
    ],
)
def test_a_status_that_cannot_be_used_is_refused(url: str, charger: Charger, payload: object, code: str) -> None:
    with connected(url) as cp, pytest.raises(CallError) as caught:
        cp.call("StatusNotification", payload)
    assert caught.value.code == code
    assert not ReportedStatus.objects.exists()


def test_a_payload_that_breaks_off_is_answered_under_its_id(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.send('[2,"broken","StatusNotification",{"connectorId":1')
        with pytest.raises(CallError) as caught:
            cp.answer_to("broken")
    assert caught.value.code == "FormationViolation"


def test_a_call_without_payload_is_refused_and_null_is_an_empty_one(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.send('[2,"short","Heartbeat"]')
        with pytest.raises(CallError) as caught:
            cp.answer_to("short")
        assert caught.value.code == "FormationViolation"
        cp.send('[2,"null","Heartbeat",null]')
        assert "currentTime" in cp.answer_to("null")


def test_nul_and_what_databases_do_not_take_is_left_out(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.send(r'[2,"nul","BootNotification",{"chargePointVendor":"V\u0000endor","chargePointModel":"M"}]')
        assert cp.answer_to("nul")["status"] == "Accepted"
        cp.send(r'[2,"lone","BootNotification",{"chargePointVendor":"\ud800","chargePointModel":"M"}]')
        with pytest.raises(CallError):
            cp.answer_to("lone")
    charger.refresh_from_db()
    assert charger.vendor == "Vendor"


def test_a_frame_in_bytes_is_a_frame(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.send(b'[2,"bytes","Heartbeat",{}]')
        assert "currentTime" in cp.answer_to("bytes")


def test_answers_are_compact(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.call("Heartbeat", id="h-1")
        assert cp.frames[0].startswith('[3,"h-1",{"currentTime":"')
        assert cp.frames[0].endswith('Z"}]')


def test_errors_have_a_description_that_fits() -> None:
    text = frames.error("id", Code.GENERIC, "x" * 1000)
    assert len(json.loads(text)[3]) == 255


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z"),
        ("2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123Z"),
        ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00.000Z"),
        ("2026-01-31T12:00:00-0530", "2026-01-31T17:30:00.000Z"),
        ("2026-01-31 12:00:00", "2026-01-31T12:00:00.000Z"),
        ("2026-01-31T12:00Z", "2026-01-31T12:00:00.000Z"),
        ("2026-01-31T12:00:00,5z", "2026-01-31T12:00:00.500Z"),
    ],
)
def test_times_are_read_as_chargers_write_them(text: str, expected: str) -> None:
    assert times.format(times.parse(text)) == expected


@pytest.mark.parametrize(
    "text", ["", "now", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "2026-01-31", "2026-01-31T12:00:00+99:99"]
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert times.read(text) is None


# Who issues certificates to cars is asked in vain: that is not us.
NOT_OURS = {"Get15118EVCertificate"}


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "least"])
@pytest.mark.parametrize("version", [V16, V201])
def test_whatever_a_charger_may_say_is_answered_as_the_schema_has_it(
    url: str, charger: Charger, version: str, whole: bool
) -> None:
    """Every message of the version, with all that it may hold or no more than it must; the kit checks the answers."""
    spoken = version.removeprefix("ocpp")
    with connected(url, subprotocol=version) as cp:
        for action in DIALECTS[spoken].from_charger:
            payload = Sample(get_validator(2, action, spoken).schema, whole=whole).make()
            if action in NOT_OURS:
                with pytest.raises(CallError, match="NotSupported"):
                    cp.call(action, payload)
            else:
                assert isinstance(cp.call(action, payload), dict)
    assert not TransactionMessage.objects.filter(needs_attention__contains="Error")
