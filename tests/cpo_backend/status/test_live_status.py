"""From a charger's message to what partners read, on the real front door."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from cpo_backend.models import Alarm, Charger, ChargerEvse, ReportedStatus
from cpo_backend.registry import accepting
from cpo_backend.registry.adding import Registration, register
from cpo_backend.status import publishing
from ocpi.store.locations import Path, locations
from ocpi.types import codec, times
from tests.kit.charger import V201
from tests.kit.chargers import OWNER, connected, eventually, status_of

Kind = Alarm.Kind


def open_alarms() -> set[tuple[str, str]]:
    return set(Alarm.objects.filter(cleared_at=None).values_list("kind", "subject"))


def test_a_status_is_published_before_it_is_answered(url: str, charger: Charger) -> None:
    before = datetime.now(UTC)
    with connected(url) as cp:
        cp.status(1, "Available")
        assert (status_of("EVSE-1"), status_of("EVSE-2")) == ("AVAILABLE", "UNKNOWN")
    location = codec.decode((locations.find_part(Path(OWNER, "LOC-1")) or "").encode())
    stamps = {location["last_updated"], location["evses"][0]["last_updated"]}
    assert len(stamps) == 1
    assert datetime.fromisoformat(stamps.pop()) >= before.replace(microsecond=0)


def test_the_newer_version_reports_by_evse_and_connector(url: str, charger: Charger) -> None:
    with connected(url, subprotocol=V201) as cp:
        cp.status(2, "Unavailable", connector=1)
        assert status_of("EVSE-2") == "INOPERATIVE"
        cp.status(2, "Available", connector=2)
        eventually(lambda: status_of("EVSE-2") == "AVAILABLE", "any connector that is available")


def test_of_quick_changes_the_first_and_the_last_are_published(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        for word in ("Charging", "Finishing", "Available"):
            cp.status(1, word)
        assert status_of("EVSE-1") == "CHARGING"
        eventually(lambda: status_of("EVSE-1") == "AVAILABLE", "the last word")


def test_the_same_again_writes_nothing(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.status(1, "Available")
        before = locations.find_part(Path(OWNER, "LOC-1"))
        cp.status(1, "Available")
        assert locations.find_part(Path(OWNER, "LOC-1")) == before


def test_the_station_takes_its_evses_along_and_gives_them_back(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.status(1, "Available")
        cp.status(2, "Faulted")
        cp.status(0, "Unavailable")
        for uid in ("EVSE-1", "EVSE-2"):
            eventually(lambda uid=uid: status_of(uid) == "INOPERATIVE", uid)
        cp.status(0, "Available")
        eventually(lambda: status_of("EVSE-1") == "AVAILABLE", "its own last word")
        eventually(lambda: status_of("EVSE-2") == "OUTOFORDER", "its own last word")


def test_an_evse_that_never_said_anything_is_unknown_when_its_station_is_back(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.status(0, "Faulted")
        eventually(lambda: status_of("EVSE-2") == "OUTOFORDER", "what the station says")
        cp.status(0, "Available")
        eventually(lambda: status_of("EVSE-2") == "UNKNOWN", "nothing")


def test_a_transaction_is_charging_before_the_connector_says_so(url: str, charger: Charger) -> None:
    """Notes 4; there are chargers whose connector says nothing at all while one goes on."""
    start = {"connectorId": 1, "idTag": "A1", "meterStart": 0, "timestamp": times.now()}
    with connected(url) as cp:
        cp.status(1, "Available")
        id = cp.call("StartTransaction", start | {"timestamp": times.now()})["transactionId"]
        eventually(lambda: status_of("EVSE-1") == "CHARGING", "the transaction")
        cp.call("StartTransaction", start | {"connectorId": 2})
        eventually(lambda: status_of("EVSE-2") == "CHARGING", "one where nothing was said before")
        cp.call("StopTransaction", {"transactionId": id, "meterStop": 0, "timestamp": times.now()})
        eventually(lambda: status_of("EVSE-1") == "AVAILABLE", "its end")


def test_a_connector_that_says_that_it_is_free_is_free_whatever_goes_on(url: str, charger: Charger) -> None:
    """Its transaction has lost its stop, or is one of before that comes late."""
    start = {"connectorId": 1, "idTag": "A1", "meterStart": 0, "timestamp": "2026-01-01T12:00:00Z"}
    with connected(url) as cp:
        cp.status(1, "Available")
        cp.call("StartTransaction", start)
        assert status_of("EVSE-1") == "AVAILABLE"
        cp.call("StartTransaction", start | {"timestamp": times.now()})
        eventually(lambda: status_of("EVSE-1") == "CHARGING", "the transaction")
        cp.status(1, "Available")
        eventually(lambda: status_of("EVSE-1") == "AVAILABLE", "what the connector says")


def test_evses_that_share_power_block_each_other(url: str, charger: Charger) -> None:
    ChargerEvse.objects.update(shared_power_group="inverter")
    with connected(url) as cp:
        cp.status(1, "Available")
        cp.status(2, "Charging")
        eventually(lambda: status_of("EVSE-1") == "BLOCKED", "the neighbour in use")
        cp.status(2, "Available")
        eventually(lambda: status_of("EVSE-1") == "AVAILABLE", "the neighbour gone")


def test_an_older_status_of_the_same_connection_is_ignored(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.status(1, "Faulted", timestamp="2026-03-01T12:00:00Z")
        cp.status(1, "Available", timestamp="2026-03-01T11:59:59Z")
        assert ReportedStatus.objects.get(number=1).word == "Faulted"
    with connected(url) as cp:
        cp.status(1, "Available", timestamp="2026-03-01T11:00:00Z")
        assert ReportedStatus.objects.get(number=1).word == "Available"


def test_after_a_boot_the_clock_may_have_gone_back(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.status(1, "Faulted", timestamp="2038-01-01T00:00:00Z")
        cp.boot()
        cp.status(1, "Available", timestamp="2026-03-01T12:00:00Z")
        assert ReportedStatus.objects.get(number=1).word == "Available"


def test_a_time_that_is_none_does_not_spoil_the_status(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.status(1, "Available", timestamp="yesterday")
        assert status_of("EVSE-1") == "AVAILABLE"


def test_a_charger_that_goes_is_unknown_after_the_grace_and_not_before(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.status(1, "Available")
    eventually(lambda: Charger.objects.get().offline_since, "its end")
    publishing.judge_charger(charger.pk)
    assert status_of("EVSE-1") == "AVAILABLE"
    Charger.objects.update(offline_since=timezone.now() - timedelta(seconds=100))
    ChargerEvse.objects.update(due_at=timezone.now())
    eventually(lambda: status_of("EVSE-1") == status_of("EVSE-2") == "UNKNOWN", "the end of the grace")
    assert open_alarms() == {(Kind.OFFLINE, "")}


def test_what_a_charger_said_before_it_went_is_not_published_when_it_is_back(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.status(1, "Available")
    eventually(lambda: Charger.objects.get().offline_since, "its end")
    Charger.objects.update(offline_since=timezone.now() - timedelta(seconds=100))
    with connected(url) as cp:
        cp.boot()
        eventually(lambda: status_of("EVSE-1") == "UNKNOWN", "nothing that counts")
        assert not open_alarms()
        cp.status(1, "Available")
        eventually(lambda: status_of("EVSE-1") == "AVAILABLE", "a new word")


def test_a_charger_that_is_back_is_asked_for_what_it_has_not_told(url: str, charger: Charger, settings: Any) -> None:
    settings.OCPP_SETTLE = 0.5
    with connected(url) as cp:
        cp.answers["TriggerMessage"] = {"status": "Accepted"}
        cp.status(1, "Available")
        assert cp.wait_asked("TriggerMessage") == {"requestedMessage": "StatusNotification", "connectorId": 2}
        assert len(cp.asked) == 1
    with connected(url, subprotocol=V201) as cp:
        cp.answers["TriggerMessage"] = {"status": "Accepted"}
        cp.status(2, "Available")
        asked = {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}}
        assert cp.wait_asked("TriggerMessage") == asked


def test_what_staff_say_wins_over_the_charger(url: str, charger: Charger) -> None:
    ChargerEvse.objects.filter(number=1).update(override="INOPERATIVE")
    with connected(url) as cp:
        cp.status(1, "Available")
        assert status_of("EVSE-1") == "INOPERATIVE"


def test_a_removed_evse_stays_removed(url: str, charger: Charger) -> None:
    ChargerEvse.objects.filter(number=1).update(override="REMOVED")
    publishing.judge_charger(charger.pk)
    assert status_of("EVSE-1") == "REMOVED"
    ChargerEvse.objects.update(override="", published_at=None)
    with connected(url) as cp:
        cp.status(1, "Available")
        assert status_of("EVSE-1") == "REMOVED"


def test_a_planned_charger_is_planned_until_it_is_accepted(url: str, charger: Charger) -> None:
    Charger.objects.update(state=Charger.State.PLANNED)
    publishing.judge_charger(charger.pk)
    assert status_of("EVSE-1") == "PLANNED"
    with connected(url) as cp:
        assert cp.boot()["status"] == "Pending"
        cp.answers["TriggerMessage"] = {"status": "Accepted"}
        accepting.accept(charger)
        assert cp.wait_asked("TriggerMessage") == {"requestedMessage": "BootNotification"}
        assert cp.boot()["status"] == "Accepted"
        cp.status(1, "Available")
        eventually(lambda: status_of("EVSE-1") == "AVAILABLE", "live status")


# --- alarms -----------------------------------------------------------------------------------------------------------


def test_a_fault_is_an_alarm_until_it_is_over(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        for _ in range(3):
            cp.status(1, "Faulted", errorCode="GroundFailure", info="leak", vendorErrorCode="E7")
        alarm = Alarm.objects.get()
        assert (alarm.kind, alarm.subject, alarm.count) == (Kind.FAULT, "1", 3)
        assert alarm.text == "GroundFailure E7 leak"
        cp.status(1, "Available")
        assert not open_alarms()


def test_an_error_code_on_a_connector_that_works_is_a_warning(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.status(1, "Available", errorCode="WeakSignal")
        assert open_alarms() == {(Kind.WARNING, "1")}
        assert status_of("EVSE-1") == "AVAILABLE"


def test_an_unknown_connector_is_kept_and_not_published(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.status(99, "Available")
    assert open_alarms() == {(Kind.UNKNOWN_CONNECTOR, "99")}
    assert ReportedStatus.objects.filter(number=99).exists()


def test_a_connector_that_gets_registered_is_published_with_what_it_said(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.status(7, "Available")
        register(Registration("CP-1", "LOC-1", [("EVSE-1", 1), ("EVSE-2", 7)]))
        assert status_of("EVSE-2") == "AVAILABLE"
        assert not open_alarms()


def test_an_evse_that_is_not_in_its_location_is_an_alarm(url: str, charger: Charger) -> None:
    ChargerEvse.objects.filter(number=1).update(evse_uid="GONE")
    with connected(url) as cp:
        cp.status(1, "Available")
    assert open_alarms() == {(Kind.UNKNOWN_EVSE, "GONE")}


def test_a_clock_that_is_wrong_is_an_alarm_once_that_is_certain(url: str, charger: Charger) -> None:
    late = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    with connected(url) as cp:
        for _ in range(2):
            cp.status(1, "Available", timestamp=late)
        assert not open_alarms()
        cp.status(1, "Available", timestamp=late)
        assert open_alarms() == {(Kind.CLOCK, "")}
        for _ in range(3):
            cp.status(1, "Available", timestamp=datetime.now(UTC).isoformat())
        assert not open_alarms()


def test_a_security_event_is_an_alarm(url: str, charger: Charger) -> None:
    event = {"type": "TamperDetectionActivated", "timestamp": "2026-03-01T12:00:00Z", "techInfo": "lid"}
    for version in ("ocpp1.6", V201):
        with connected(url, subprotocol=version) as cp:
            cp.call("SecurityEventNotification", event)
    assert open_alarms() == {(Kind.SECURITY, "TamperDetectionActivated")}
    assert Alarm.objects.get().count == 2


def test_an_alerting_event_is_an_alarm_until_it_is_cleared(url: str, charger: Charger) -> None:
    event = {
        "eventId": 1,
        "timestamp": "2026-03-01T12:00:00Z",
        "trigger": "Alerting",
        "actualValue": "91",
        "eventNotificationType": "HardWiredMonitor",
        "component": {"name": "Inverter"},
        "variable": {"name": "Temperature"},
    }
    call = {"generatedAt": "2026-03-01T12:00:00Z", "seqNo": 0, "eventData": [event]}
    with connected(url, subprotocol=V201) as cp:
        cp.call("NotifyEvent", call)
        assert open_alarms() == {(Kind.EVENT, "Inverter.Temperature")}
        cp.call("NotifyEvent", {**call, "eventData": [{**event, "cleared": True}]})
        assert not open_alarms()


def test_two_devices_with_one_identity_are_an_alarm(url: str, charger: Charger) -> None:
    secure = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "http"}
    with connected(url) as first, connected(url, headers=secure) as second:
        first.wait_closed()
        second.boot()
    assert (Kind.FLAPPING, "") in open_alarms()
