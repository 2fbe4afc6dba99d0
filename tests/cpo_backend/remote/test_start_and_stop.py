"""START_SESSION and STOP_SESSION, from an eMSP to a charger and back (notes 7)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cpo_backend import tasks
from cpo_backend.models import Charger, OcppCommand, RemoteStart, TagAlias, Transaction
from ocpi.types import codec
from roaming.command_models import CommandOutcome
from tests.kit import charging
from tests.kit.charger import V16, V201, CallError, FakeCharger
from tests.kit.chargers import connected, eventually
from tests.kit.charging import start, stopping
from tests.kit.commands import driver_token
from tests.kit.remote import UID, Emsp, sessions, taken

ACCEPTED = {"status": "Accepted"}
START, REQUEST = "RemoteStartTransaction", "RequestStartTransaction"


def accepting(cp: FakeCharger) -> FakeCharger:
    for action in (START, REQUEST, "RemoteStopTransaction", "RequestStopTransaction"):
        cp.answers[action] = ACCEPTED
    return cp


def only_session() -> dict[str, Any]:
    return charging.session()


# --- OCPP 1.6 -------------------------------------------------------------------------------------------------------


def test_a_start_becomes_a_session_that_the_transaction_goes_on_with(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        accepting(cp)
        taken(emsp.start(authorization_reference="REF-1"))
        assert cp.wait_asked(START) == {"idTag": UID, "connectorId": 1}
        assert emsp.told() == "ACCEPTED"
        pending = only_session()
        assert (pending["status"], pending["auth_method"]) == ("PENDING", "COMMAND")
        assert (pending["evse_uid"], pending["connector_id"], pending["kwh"]) == ("LOC-1-1", "1", 0)
        assert pending["authorization_reference"] == "REF-1"
        id = start(cp, tag=UID)
        charging.make()
        active = only_session()
        assert (active["id"], active["status"]) == (pending["id"], "ACTIVE")
        taken(emsp.stop(active["id"]))
        assert cp.wait_asked("RemoteStopTransaction") == {"transactionId": id}
        assert emsp.told(2) == "ACCEPTED"
        cp.call("StopTransaction", stopping(id, reason="Remote"))
    charging.make()
    assert only_session()["status"] == "COMPLETED"
    cdr = charging.cdr()
    assert (cdr["session_id"], cdr["auth_method"]) == (pending["id"], "COMMAND")
    assert cdr["authorization_reference"] == "REF-1"
    assert (cdr["cdr_token"]["uid"], cdr["cdr_token"]["party_id"]) == (UID, "MSP")


def test_a_start_that_comes_again_is_the_same(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        accepting(cp)
        taken(emsp.start())
        emsp.told()
        assert start(cp, tag=UID) == start(cp, tag=UID)
    assert RemoteStart.objects.get().state == "taken"
    assert Transaction.objects.count() == 1


def test_a_start_is_taken_once(url: str, charger: Charger, emsp: Emsp) -> None:
    """The next transaction with that tag is a Session of its own."""
    with connected(url) as cp:
        accepting(cp)
        taken(emsp.start())
        emsp.told()
        first = start(cp, tag=UID)
        cp.call("StopTransaction", stopping(first))
        cp.call("StartTransaction", charging.starting(tag=UID, at=90))
    ids = set(Transaction.objects.values_list("bill__session_id", flat=True))
    assert len(ids) == 2


def test_the_transaction_may_be_faster_than_the_answer(url: str, charger: Charger, emsp: Emsp) -> None:
    def begins(_: dict[str, Any]) -> dict[str, Any]:
        cp.send(codec.encode_text([2, "first", "StartTransaction", charging.starting(tag=UID)]))
        eventually(Transaction.objects.exists, "the transaction")
        connection.close()  # that of the charger's thread
        return ACCEPTED

    with connected(url) as cp:
        cp.answers[START] = begins
        taken(emsp.start())
        assert emsp.told() == "ACCEPTED"
        charging.make()
        assert list(sessions().values()) == ["ACTIVE"]


def test_without_an_evse_one_that_is_free_is_chosen(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        accepting(cp)
        cp.status(1, "Charging")
        cp.status(2, "Available")
        taken(emsp.start(evse_uid=None))
        assert cp.wait_asked(START)["connectorId"] == 2
        emsp.told()
        again = emsp.start(evse_uid=None)
        assert (again.data["result"], again.data["message"][0]["text"]) == (
            "REJECTED",
            "no charge point is free at this Location",
        )


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ({"status": "Rejected"}, "REJECTED"),
        (CallError("NotSupported"), "NOT_SUPPORTED"),
        (CallError("NotImplemented"), "NOT_SUPPORTED"),
        (CallError("InternalError"), "FAILED"),
    ],
)
def test_what_the_charger_says_is_what_the_partner_is_told(
    url: str, charger: Charger, emsp: Emsp, answer: Any, result: str
) -> None:
    with connected(url) as cp:
        cp.answers[START] = answer
        taken(emsp.start())
        assert emsp.told() == result
    assert not sessions()
    assert RemoteStart.objects.get().state == "refused"


def test_a_charger_that_is_not_connected_fails_at_once(charger: Charger, emsp: Emsp) -> None:
    """A start is never kept for later."""
    taken(emsp.start())
    assert CommandOutcome.objects.get().result == "FAILED"
    assert OcppCommand.objects.get().status == "offline"
    assert RemoteStart.objects.get().state == "refused"


def test_a_charger_that_leaves_without_an_answer_fails(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        cp.answers[START] = None
        taken(emsp.start())
        cp.wait_asked(START)
    assert emsp.told() == "FAILED"


def test_a_late_start_is_a_session_all_the_same(url: str, charger: Charger, emsp: Emsp) -> None:
    """After TIMEOUT, and after its time is over, with what authorized it."""
    with connected(url) as cp:
        cp.answers[START] = None
        taken(emsp.start(authorization_reference="REF-1"))
        cp.wait_asked(START)
        OcppCommand.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
        RemoteStart.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
        tasks.sweep_chargers()
        assert emsp.told() == "TIMEOUT"
        assert RemoteStart.objects.get().state == "expired"
        start(cp, tag=UID)
        charging.make()
    late = only_session()
    assert (late["status"], late["authorization_reference"]) == ("ACTIVE", "REF-1")


def test_a_session_that_never_begins_ends_as_invalid(url: str, charger: Charger, emsp: Emsp) -> None:
    """The eMSP is told; a start after that is another Session."""
    with connected(url) as cp:
        accepting(cp)
        taken(emsp.start())
        emsp.told()
        assert list(sessions().values()) == ["PENDING"]
        RemoteStart.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        tasks.sweep_chargers()
        assert list(sessions().values()) == ["INVALID"]
        assert only_session()["end_date_time"]
        start(cp, tag=UID)
        charging.make()
    assert sorted(sessions().values()) == ["ACTIVE", "INVALID"]


def test_a_charger_that_asks_about_the_tag_is_told_that_it_may(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        accepting(cp)
        taken(emsp.start())
        cp.wait_asked(START)
        assert cp.call("Authorize", {"idTag": UID.lower()})["idTagInfo"]["status"] == "Accepted"


def test_a_uid_that_is_too_long_for_a_tag_has_an_alias(url: str, charger: Charger, emsp: Emsp) -> None:
    uid = "0123456789-0123456789-0123456789"
    with connected(url) as cp:
        accepting(cp)
        taken(emsp.start(token=driver_token(uid=uid)))
        tag = cp.wait_asked(START)["idTag"]
        assert len(tag) <= 20
        assert cp.call("Authorize", {"idTag": tag})["idTagInfo"]["status"] == "Accepted"
        emsp.told()
        start(cp, tag=tag)
        charging.make()
    assert only_session()["cdr_token"]["uid"] == uid
    assert TagAlias.objects.get().alias == tag


def test_a_session_that_does_not_go_on_cannot_be_stopped(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url) as cp:
        accepting(cp)
        taken(emsp.start())
        emsp.told()
        answer = emsp.stop(only_session()["id"])
        assert answer.data["result"] == "REJECTED"
    assert emsp.stop("NO-SUCH-SESSION").data["result"] == "UNKNOWN_SESSION"


# --- OCPP 2.0.1 -----------------------------------------------------------------------------------------------------


def test_the_newer_version_names_the_start(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url, subprotocol=V201) as cp:
        accepting(cp)
        taken(emsp.start(authorization_reference="REF-1"))
        asked = cp.wait_asked(REQUEST)
        assert asked["idToken"] == {"idToken": UID, "type": "Central"}
        assert asked["evseId"] == 1
        assert emsp.told() == "ACCEPTED"
        pending = only_session()
        assert pending["status"] == "PENDING"
        started, *others = charging.course(tag=UID)
        started["transactionInfo"]["remoteStartId"] = asked["remoteStartId"]
        started["idToken"]["type"] = "Central"
        assert cp.call("TransactionEvent", started)["idTokenInfo"]["status"] == "Accepted"
        charging.make()
        assert sessions() == {pending["id"]: "ACTIVE"}
        taken(emsp.stop(pending["id"]))
        assert cp.wait_asked("RequestStopTransaction") == {"transactionId": "T-1"}
        for told in others:
            cp.call("TransactionEvent", told)
    charging.make()
    assert charging.cdr()["authorization_reference"] == "REF-1"


def test_events_that_come_first_do_not_leave_a_session_behind(url: str, charger: Charger, emsp: Emsp) -> None:
    """The start is told late: its transaction has a Session already."""
    charging.add_token()
    with connected(url, subprotocol=V201) as cp:
        accepting(cp)
        taken(emsp.start())
        asked = cp.wait_asked(REQUEST)
        emsp.told()
        started, updated, *_ = charging.course(tag=UID)
        started["transactionInfo"]["remoteStartId"] = asked["remoteStartId"]
        cp.call("TransactionEvent", updated)
        cp.call("TransactionEvent", started)
        charging.make()
    assert sorted(sessions().values()) == ["ACTIVE", "INVALID"]


@pytest.mark.parametrize(("subprotocol", "action"), [(V16, START), (V201, REQUEST)])
def test_staff_see_which_command_a_call_carries_out(
    url: str, charger: Charger, emsp: Emsp, subprotocol: str, action: str
) -> None:
    with connected(url, subprotocol=subprotocol) as cp:
        accepting(cp)
        taken(emsp.start())
        emsp.told()
    call = OcppCommand.objects.get()
    assert (call.action, call.purpose, call.remote.command) == (action, "remote", "START_SESSION")
