"""Charging profiles, from an eMSP to a charger and back (notes 7)."""

from decimal import Decimal
from typing import Any

import pytest

from cpo_backend.models import Charger, SessionProfile, Transaction
from ocpi.types import codec
from roaming.command_models import ProfileFollower
from tests.kit import charging
from tests.kit.charger import V201, FakeCharger
from tests.kit.chargers import connected, eventually
from tests.kit.charging import start
from tests.kit.commands import RESPONSE_URL, charging_profile
from tests.kit.remote import UID, Emsp, taken

ACCEPTED = {"status": "Accepted"}
SCHEDULE = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}], "duration": 1800}
COMPOSITE = {"status": "Accepted", "connectorId": 1, "scheduleStart": "2026-03-09T10:05:00Z"}


def begun(cp: FakeCharger, emsp: Emsp) -> tuple[int, str]:
    """A transaction that the eMSP started, and its Session's id."""
    cp.answers |= {
        "RemoteStartTransaction": ACCEPTED,
        "SetChargingProfile": ACCEPTED,
        "ClearChargingProfile": ACCEPTED,
        "GetCompositeSchedule": COMPOSITE | {"chargingSchedule": SCHEDULE},
    }
    taken(emsp.start())
    emsp.told()
    id = start(cp, tag=UID)
    charging.make()
    return id, str(charging.session()["id"])


def wanted(**changes: Any) -> dict[str, Any]:
    return {"response_url": RESPONSE_URL, "charging_profile": charging_profile(**changes)}


def test_a_profile_is_set_and_what_applies_is_told(url: str, charger: Charger, emsp: Emsp) -> None:
    """R9.17: the sender hears of it, and only once it has set one."""
    with connected(url) as cp:
        id, session_id = begun(cp, emsp)
        taken(emsp.profiled("PUT", session_id, body=wanted(start_date_time="2026-03-09T10:00:00Z")))
        asked = cp.wait_asked("SetChargingProfile")
        assert asked["connectorId"] == 1
        assert asked["csChargingProfiles"] == {
            "chargingProfileId": id,
            "transactionId": id,
            "stackLevel": 1,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "duration": 900,
                "startSchedule": "2026-03-09T10:00:00.000Z",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
            },
        }
        assert emsp.told(2) == "ACCEPTED"
        assert cp.wait_asked("GetCompositeSchedule")["connectorId"] == 1
        eventually(lambda: ProfileFollower.objects.exclude(document="").exists(), "the active profile")
    told = codec.decode(ProfileFollower.objects.get().document.encode())
    assert told["charging_profile"]["charging_profile_period"] == [{"start_period": 0, "limit": Decimal("16.0")}]
    assert SessionProfile.objects.get().applied


def test_a_profile_without_a_time_begins_with_the_charging(url: str, charger: Charger, emsp: Emsp) -> None:
    """§mod_charging_profiles_charging_profile_class"""
    with connected(url) as cp:
        _, session_id = begun(cp, emsp)
        taken(emsp.profiled("PUT", session_id, body=wanted()))
        asked = cp.wait_asked("SetChargingProfile")["csChargingProfiles"]["chargingSchedule"]
    began = Transaction.objects.get().start_told_at
    assert began is not None
    assert asked["startSchedule"].startswith(f"{began:%Y-%m-%dT%H:%M:%S}")


def test_the_newer_version_has_a_list_of_schedules(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url, subprotocol=V201) as cp:
        cp.answers |= {"RequestStartTransaction": ACCEPTED, "SetChargingProfile": ACCEPTED}
        cp.answers["GetCompositeSchedule"] = {"status": "Rejected"}
        taken(emsp.start())
        started = charging.course(tag=UID)[0]
        started["transactionInfo"]["remoteStartId"] = cp.wait_asked("RequestStartTransaction")["remoteStartId"]
        emsp.told()
        cp.call("TransactionEvent", started)
        charging.make()
        taken(emsp.profiled("PUT", charging.session()["id"], body=wanted()))
        asked = cp.wait_asked("SetChargingProfile")
        assert emsp.told(2) == "ACCEPTED"
        cp.wait_asked("GetCompositeSchedule")
    assert (asked["evseId"], asked["chargingProfile"]["transactionId"]) == (1, "T-1")
    assert len(asked["chargingProfile"]["chargingSchedule"]) == 1


def test_what_the_charger_does_not_accept_is_rejected(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        _, session_id = begun(cp, emsp)
        cp.answers["SetChargingProfile"] = {"status": "NotSupported"}
        taken(emsp.profiled("PUT", session_id, body=wanted()))
        assert emsp.told(2) == "REJECTED"
    assert not SessionProfile.objects.get().applied
    assert not ProfileFollower.objects.exists()


def test_a_profile_without_periods_is_rejected_at_once(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        _, session_id = begun(cp, emsp)
        answer = emsp.profiled("PUT", session_id, body=wanted(charging_profile_period=[]))
        assert answer.data["result"] == "REJECTED"


@pytest.mark.parametrize(("answer", "result"), [("Accepted", "ACCEPTED"), ("Unknown", "UNKNOWN")])
def test_clearing_takes_away_ours_alone(url: str, charger: Charger, emsp: Emsp, answer: str, result: str) -> None:
    with connected(url) as cp:
        id, session_id = begun(cp, emsp)
        taken(emsp.profiled("PUT", session_id, body=wanted()))
        emsp.told(2)
        cp.answers["ClearChargingProfile"] = {"status": answer}
        taken(emsp.profiled("DELETE", session_id, params={"response_url": RESPONSE_URL}))
        assert cp.wait_asked("ClearChargingProfile") == {"id": id}
        assert emsp.told(3) == result


def test_what_applies_is_read_from_the_charger(url: str, charger: Charger, emsp: Emsp) -> None:
    """R9.16"""
    with connected(url) as cp:
        _, session_id = begun(cp, emsp)
        params = {"duration": 600, "response_url": RESPONSE_URL}
        taken(emsp.profiled("GET", session_id, params=params))
        assert cp.wait_asked("GetCompositeSchedule") == {"connectorId": 1, "duration": 600}
        document = emsp.documents(2)[-1]
    assert document["result"] == "ACCEPTED"
    assert document["profile"]["start_date_time"] == "2026-03-09T10:05:00Z"


def test_without_any_profile_it_is_what_the_connector_can_do(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        _, session_id = begun(cp, emsp)
        cp.answers["GetCompositeSchedule"] = COMPOSITE
        taken(emsp.profiled("GET", session_id, params={"duration": 600, "response_url": RESPONSE_URL}))
        profile = emsp.documents(2)[-1]["profile"]["charging_profile"]
    assert profile["charging_profile_period"][0]["limit"] > 0
    assert profile["duration"] == 600
