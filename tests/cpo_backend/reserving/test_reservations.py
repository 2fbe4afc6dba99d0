"""RESERVE_NOW and CANCEL_RESERVATION, from an eMSP to a charger and back (notes 7)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cpo_backend import tasks
from cpo_backend.models import Charger, Reservation
from cpo_backend.reserving import holding
from ocpi.models import Cdr
from tests.kit import charging
from tests.kit.charger import V201, CallError, FakeCharger
from tests.kit.chargers import connected, eventually, status_of
from tests.kit.charging import start
from tests.kit.commands import driver_token
from tests.kit.platforms import register
from tests.kit.remote import EXPIRY, UID, Emsp, sessions, taken

RESERVE, CANCEL, ACCEPTED = "ReserveNow", "CancelReservation", {"status": "Accepted"}


def accepting(cp: FakeCharger) -> FakeCharger:
    """All its EVSEs are free."""
    for action in (RESERVE, CANCEL, "RemoteStartTransaction"):
        cp.answers[action] = ACCEPTED
    cp.status(1, "Available")
    cp.status(2, "Available")
    return cp


def reserved(cp: FakeCharger, emsp: Emsp, **changes: Any) -> dict[str, Any]:
    """What the charger was asked for a reservation that stands."""
    taken(emsp.reserve(**changes))
    asked = cp.wait_asked(RESERVE)
    assert emsp.told() == "ACCEPTED"
    return asked


def states() -> list[str]:
    return list(Reservation.objects.order_by("pk").values_list("state", flat=True))


def test_a_reservation_has_a_number_of_ours_and_makes_the_evse_reserved(url: str, charger: Charger, emsp: Emsp) -> None:
    """The eMSP's id never goes to the charger; what the charger says does not matter."""
    with connected(url) as cp:
        asked = reserved(accepting(cp), emsp)
        row = Reservation.objects.get()
        assert asked == {
            "connectorId": 1,
            "expiryDate": EXPIRY.replace("Z", ".000Z"),
            "idTag": UID,
            "reservationId": row.told_id,
        }
        eventually(lambda: status_of("LOC-1-1") == "RESERVED", "RESERVED")
        assert status_of("LOC-1-2") == "AVAILABLE"
    (session,) = sessions().values()
    assert session == "RESERVATION"


def test_the_newer_version_names_the_token_by_its_type(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url, subprotocol=V201) as cp:
        asked = reserved(accepting(cp), emsp)
    assert (asked["evseId"], asked["idToken"]) == (1, {"idToken": UID, "type": "Central"})
    assert asked["id"] == Reservation.objects.get().told_id


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ({"status": "Occupied"}, "EVSE_OCCUPIED"),
        ({"status": "Faulted"}, "EVSE_INOPERATIVE"),
        ({"status": "Unavailable"}, "EVSE_INOPERATIVE"),
        ({"status": "Rejected"}, "REJECTED"),
        (CallError("NotSupported"), "NOT_SUPPORTED"),
    ],
)
def test_why_a_charger_does_not_reserve_is_told(
    url: str, charger: Charger, emsp: Emsp, answer: Any, result: str
) -> None:
    with connected(url) as cp:
        cp.answers[RESERVE] = answer
        taken(emsp.reserve())
        assert emsp.told() == result
    assert states() == ["refused"]
    assert not sessions()


def test_the_same_again_replaces_under_the_same_number(url: str, charger: Charger, emsp: Emsp) -> None:
    """R9.15: ids of whatever case."""
    with connected(url) as cp:
        first = reserved(accepting(cp), emsp)
        taken(emsp.reserve(evse_uid=None, id="res-1", expiry_date="2097-01-01T00:00:00Z"))
        again = cp.wait_asked(RESERVE, 2)
        assert emsp.told(2) == "ACCEPTED"
    assert again["reservationId"] == first["reservationId"]
    assert again["expiryDate"] > first["expiryDate"]
    assert states() == ["replaced", "active"]
    assert len(sessions()) == 1


def test_a_replacement_that_is_refused_leaves_the_reservation(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        reserved(accepting(cp), emsp)
        cp.answers[RESERVE] = {"status": "Rejected"}
        taken(emsp.reserve())
        assert emsp.told(2) == "REJECTED"
    assert states() == ["active", "refused"]


def test_the_same_id_of_another_emsp_is_another_reservation(url: str, charger: Charger, emsp: Emsp) -> None:
    """§mod_commands_reservenow_object"""
    other = Emsp(register("EMSP:FR*MSP").client())
    with connected(url) as cp:
        first = reserved(accepting(cp), emsp)
        taken(other.reserve("LOC-1-2", token=driver_token(country_code="FR", uid="FR-1")))
        second = cp.wait_asked(RESERVE, 2)
        assert second["reservationId"] != first["reservationId"]
        eventually(lambda: states() == ["active", "active"], "both")
        taken(other.cancel())
        assert cp.wait_asked(CANCEL) == {"reservationId": second["reservationId"]}


def test_a_canceled_reservation_frees_the_evse(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        asked = reserved(accepting(cp), emsp)
        taken(emsp.cancel("res-1"))
        assert cp.wait_asked(CANCEL) == {"reservationId": asked["reservationId"]}
        assert emsp.told(2) == "ACCEPTED"
        eventually(lambda: status_of("LOC-1-1") == "AVAILABLE", "AVAILABLE")
        assert list(sessions().values()) == ["INVALID"]
        assert emsp.cancel().data["result"] == "REJECTED"


def test_a_reservation_that_the_charger_does_not_know_is_unknown(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        reserved(accepting(cp), emsp)
        cp.answers[CANCEL] = {"status": "Rejected"}
        taken(emsp.cancel())
        assert emsp.told(2) == "UNKNOWN_RESERVATION"
    assert states() == ["canceled"]


def test_a_reservation_that_nobody_used_expires(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        reserved(accepting(cp), emsp)
        eventually(lambda: status_of("LOC-1-1") == "RESERVED", "RESERVED")
        Reservation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        tasks.sweep_chargers()
        eventually(lambda: status_of("LOC-1-1") == "AVAILABLE", "AVAILABLE")
        tasks.make_bills()
    assert list(sessions().values()) == ["INVALID"]
    assert not Cdr.objects.exists()


def test_the_transaction_goes_on_with_the_session_of_the_reservation(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        asked = reserved(accepting(cp), emsp, authorization_reference="REF-1")
        (id,) = sessions()
        start(cp, tag=UID, reservationId=asked["reservationId"])
        charging.make()
    assert sessions() == {id: "ACTIVE"}
    assert charging.session()["authorization_reference"] == "REF-1"
    assert states() == ["used"]


def test_a_start_besides_the_reservation_has_the_one_session(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        reserved(accepting(cp), emsp)
        taken(emsp.start())
        assert emsp.told(2) == "ACCEPTED"
        start(cp, tag=UID)
        charging.make()
    assert sorted(sessions().values()) == ["ACTIVE", "INVALID"]
    assert states() == ["used"]


def test_a_reservation_that_the_charger_gives_up_is_canceled_at_its_response_url(
    url: str, charger: Charger, emsp: Emsp
) -> None:
    """R9.15: CANCELED_RESERVATION may follow an ACCEPTED."""
    with connected(url, subprotocol=V201) as cp:
        asked = reserved(accepting(cp), emsp)
        cp.call("ReservationStatusUpdate", {"reservationId": asked["id"], "reservationUpdateStatus": "Removed"})
        assert emsp.told(2) == "CANCELED_RESERVATION"
    assert states() == ["canceled"]


def test_staff_take_a_reservation_back(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        asked = reserved(accepting(cp), emsp)
        assert holding.cancel_ourselves(Reservation.objects.get().pk)
        assert cp.wait_asked(CANCEL) == {"reservationId": asked["reservationId"]}
        assert emsp.told(2) == "CANCELED_RESERVATION"


def test_a_reservation_for_the_past_is_refused(charger: Charger, emsp: Emsp) -> None:
    answer = emsp.reserve(expiry_date="2020-01-01T00:00:00Z")
    assert answer.data["result"] == "REJECTED"
