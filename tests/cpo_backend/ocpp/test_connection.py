"""One connection: order, what passes by, what waits, who wins."""

import threading
from typing import Any

import pytest

from cpo_backend.models import Charger, OcppConnection, OcppMessage
from cpo_backend.ocpp import limits
from cpo_backend.ocpp.frame_log import FrameLog
from ocpi import ports
from ocpi.v221.tokens import AllowedType
from tests.kit.charger import V16, V201, CallError
from tests.kit.chargers import add_charger, connected, door, eventually

TOKEN = {"uid": "DEADBEEF", "group_id": "FLEET-1"}


class SlowAuthorizer:
    """Partners who hang until they are released."""

    def __init__(self) -> None:
        self.released, self.asked = threading.Event(), 0
        self.allowed = AllowedType.ALLOWED

    def decide(self, cpo: Any, uid: str, type: Any = None, place: Any = None) -> ports.Decision:
        self.asked += 1
        self.released.wait(10)
        known = uid == TOKEN["uid"]
        return ports.Decision(
            self.allowed if known else AllowedType.NOT_ALLOWED, "kit", "kit", token=TOKEN if known else None
        )


authorizer = SlowAuthorizer()


@pytest.fixture
def partners(settings: Any) -> SlowAuthorizer:
    global authorizer
    authorizer = SlowAuthorizer()
    settings.OCPI = {**settings.OCPI, "authorizer": f"{__name__}.authorizer"}
    return authorizer


def test_a_heartbeat_passes_those_who_wait_for_partners(url: str, charger: Charger, partners: SlowAuthorizer) -> None:
    with connected(url) as cp:
        cp.send('[2,"slow","Authorize",{"idTag":"DEADBEEF"}]')
        assert "currentTime" in cp.call("Heartbeat")
        assert "slow" not in cp._answered
        partners.released.set()
        assert cp.answer_to("slow")["idTagInfo"] == {"status": "Accepted", "parentIdTag": "FLEET-1"}


def test_partners_who_hang_keep_no_other_charger_waiting(url: str, charger: Charger, partners: SlowAuthorizer) -> None:
    add_charger("CP-2", ("OTHER-1",), place="LOC-2")
    with connected(url) as first, connected(url, "CP-2") as second:
        first.send('[2,"slow","Authorize",{"idTag":"DEADBEEF"}]')
        eventually(lambda: partners.asked, "the question")
        assert second.boot()["status"] == "Accepted"
        second.status(1, "Available")
        partners.released.set()


def test_messages_of_a_charger_are_worked_on_in_their_order(
    url: str, charger: Charger, partners: SlowAuthorizer
) -> None:
    with connected(url) as cp:
        cp.send('[2,"first","Authorize",{"idTag":"DEADBEEF"}]')
        cp.send('[2,"second","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]')
        partners.released.set()
        assert cp.answer_to("first")
        assert cp.answer_to("second")["status"] == "Accepted"
        assert [frame[4:9] for frame in cp.frames] == ["first", "secon"]


@pytest.mark.parametrize(
    ("allowed", "older", "newer"),
    [
        (AllowedType.ALLOWED, "Accepted", "Accepted"),
        (AllowedType.BLOCKED, "Blocked", "Blocked"),
        (AllowedType.EXPIRED, "Expired", "Expired"),
        (AllowedType.NO_CREDIT, "Blocked", "NoCredit"),
        (AllowedType.NOT_ALLOWED, "Invalid", "NotAtThisLocation"),
        (AllowedType("SOMETHING_NEW"), "Invalid", "Invalid"),
    ],
)
def test_what_partners_decide_is_told_in_the_words_of_the_version(
    url: str, charger: Charger, partners: SlowAuthorizer, allowed: AllowedType, older: str, newer: str
) -> None:
    partners.released.set()
    partners.allowed = allowed
    with connected(url) as cp:
        assert cp.call("Authorize", {"idTag": "DEADBEEF"})["idTagInfo"]["status"] == older
    with connected(url, subprotocol=V201) as cp:
        token = {"idToken": "DEADBEEF", "type": "ISO14443"}
        assert cp.call("Authorize", {"idToken": token})["idTokenInfo"]["status"] == newer


def test_an_unknown_token_is_invalid_or_unknown(url: str, charger: Charger, partners: SlowAuthorizer) -> None:
    partners.released.set()
    with connected(url) as cp:
        assert cp.call("Authorize", {"idTag": "NOBODY"})["idTagInfo"] == {"status": "Invalid"}
    with connected(url, subprotocol=V201) as cp:
        token = {"idToken": "NOBODY", "type": "ISO14443"}
        assert cp.call("Authorize", {"idToken": token})["idTokenInfo"]["status"] == "Unknown"


def test_what_waits_too_long_stops_the_reader_not_the_charger(
    url: str, charger: Charger, partners: SlowAuthorizer, settings: Any
) -> None:
    settings.OCPP_RATE = 0
    with connected(url) as cp:
        for number in range(limits.MOST_WAITING + 10):
            cp.send(f'[2,"a{number}","Authorize",{{"idTag":"DEADBEEF"}}]')
        cp.send('[2,"h","Heartbeat",{}]')
        partners.released.set()
        assert cp.answer_to(f"a{limits.MOST_WAITING + 9}")
        assert cp.answer_to("h")


def test_the_newest_connection_wins(url: str, charger: Charger) -> None:
    with connected(url) as old:
        with connected(url) as new:
            assert old.wait_closed() == 1000
            assert new.boot()["status"] == "Accepted"
            assert OcppConnection.objects.filter(charger=charger).count() == 1
        eventually(lambda: not OcppConnection.objects.exists(), "the end")


def test_the_end_of_the_old_connection_does_not_end_the_new(url: str, charger: Charger) -> None:
    with connected(url) as old, connected(url) as new:
        old.wait_closed()
        generation = OcppConnection.objects.get().generation
        new.boot()
        assert OcppConnection.objects.get().generation == generation
        charger.refresh_from_db()
        assert charger.offline_since is None


def test_a_connection_that_another_process_took_over_is_closed(
    url: str, charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with door() as elsewhere, connected(url) as old, connected(elsewhere) as new:
        assert old.wait_closed() == 1000
        assert new.boot()["status"] == "Accepted"


def test_messages_without_a_boot_are_accepted(url: str, charger: Charger) -> None:
    """A link that failed is no boot."""
    with connected(url) as cp:
        cp.status(1, "Available")
        assert "currentTime" in cp.call("Heartbeat")


@pytest.mark.parametrize("version", [V16, V201])
@pytest.mark.parametrize("state", [Charger.State.PENDING, Charger.State.PLANNED])
def test_a_charger_that_waits_for_acceptance_may_only_boot(
    url: str, charger: Charger, version: str, state: Charger.State
) -> None:
    Charger.objects.filter(pk=charger.pk).update(state=state)
    with connected(url, subprotocol=version) as cp:
        assert cp.boot()["status"] == "Pending"
        assert "currentTime" in cp.call("Heartbeat")
        with pytest.raises(CallError) as caught:
            cp.status(1, "Available")
        assert caught.value.code == "SecurityError"
        Charger.objects.filter(pk=charger.pk).update(state=Charger.State.ACCEPTED)
        assert cp.boot()["status"] == "Accepted"
        cp.status(1, "Available")


def test_a_frame_of_a_megabyte_is_the_largest(url: str, charger: Charger) -> None:
    def padded(length: int) -> str:
        frame = '[2,"big","Heartbeat",{"padding":"%s"}]'
        return frame % ("x" * (length - len(frame) + 2))

    with connected(url) as cp:
        cp.send(padded(limits.LARGEST_FRAME))
        assert "currentTime" in cp.answer_to("big")
        cp.send(padded(limits.LARGEST_FRAME + 1))
        assert cp.wait_closed() == 1009


def test_a_charger_that_talks_too_fast_is_slowed_and_not_cut_off(settings: Any) -> None:
    rate = limits.Rate(10)
    assert [rate.delay() for _ in range(40)] == [0.0] * 40
    assert 0 < rate.delay() < 0.2
    assert limits.Rate(0).delay() == 0.0


def test_refusals_of_one_address_come_later_and_later() -> None:
    failures = limits.Failures()
    delays = [failures.delay("192.0.2.1") for _ in range(100)]
    assert delays[0] == 0.0
    assert delays == sorted(delays)
    assert delays[-1] == 5.0
    assert failures.delay("192.0.2.2") == 0.0


def test_frames_are_kept_without_drivers_and_passwords(charger: Charger, settings: Any) -> None:
    settings.NODE_LOG_DAYS = 30
    log = FrameLog(threaded=False)
    with door(log) as url, connected(url) as cp:
        cp.call("Authorize", {"idTag": "DEADBEEF"}, id="a-1")
        cp.call("DataTransfer", {"vendorId": "V", "data": '{"key":"AuthorizationKey","value":"secret"}'})
    log.flush()
    asked, answered = OcppMessage.objects.filter(message_id="a-1").order_by("pk")
    assert (asked.direction, asked.action, asked.identity) == ("IN", "Authorize", "CP-1")
    assert "DEADBEEF" not in asked.text
    assert '"idTag": "~' in asked.text
    assert (answered.direction, answered.action) == ("OUT", "Authorize")
    assert answered.milliseconds is not None


def test_the_frame_log_hides_a_new_password(charger: Charger, settings: Any) -> None:
    settings.NODE_LOG_DAYS = 30
    log = FrameLog(threaded=False)
    log.sent("CP-1", '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"hunter2"}]', "1", "Change")
    log.flush()
    assert "hunter2" not in OcppMessage.objects.get().text


def test_two_versions_are_spoken_side_by_side(url: str, charger: Charger) -> None:
    add_charger("CP-2", ("OTHER-1",), place="LOC-2")
    with connected(url, subprotocol=V16) as first, connected(url, "CP-2", V201) as second:
        assert first.boot()["status"] == second.boot()["status"] == "Accepted"
    charger.refresh_from_db()
    assert (charger.version, charger.vendor, charger.model) == ("1.6", "Kit", "One")
    other = Charger.objects.get(identity="CP-2")
    assert (other.version, other.model, other.serial_number, other.boot_reason) == ("2.0.1", "Two", "S-1", "PowerUp")
