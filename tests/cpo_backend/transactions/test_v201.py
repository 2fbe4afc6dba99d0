"""Transactions of OCPP 2.0.1 over a real socket: events in any order, each once (notes 3.9)."""

import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from cpo_backend.models import Bill, Charger, OcppCommand, Transaction, TransactionMessage
from cpo_backend.transactions import asking
from ocpi.models import Cdr, Session
from tests.kit import charging
from tests.kit.charger import V201, FakeCharger
from tests.kit.chargers import connected, eventually
from tests.kit.charging import TAG, course, event


def tell(cp: FakeCharger, *events: dict[str, Any]) -> list[dict[str, Any]]:
    return [cp.call("TransactionEvent", told) for told in events]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[5::6])
def test_events_make_the_same_in_any_order(url: str, charger: Charger, order: tuple[int, ...]) -> None:
    with connected(url, subprotocol=V201) as cp:
        tell(cp, *(course()[place] for place in order))
    charging.make()
    cdr = charging.cdr()
    assert (cdr["total_energy"], cdr["start_date_time"]) == (7, charging.after(0))
    assert (cdr["end_date_time"], cdr["remark"]) == (charging.after(60), "Stop reason: EVDisconnected")
    assert charging.session()["status"] == "COMPLETED"


def test_an_event_that_comes_again_counts_once(url: str, charger: Charger) -> None:
    with connected(url, subprotocol=V201) as cp:
        answers = tell(cp, *course(), *course())
    assert answers[:4] == answers[4:]
    assert TransactionMessage.objects.count() == 4
    charging.make()
    assert charging.cdr()["total_energy"] == 7


def test_another_event_of_the_same_number_is_kept_for_a_person(url: str, charger: Charger) -> None:
    with connected(url, subprotocol=V201) as cp:
        tell(cp, *course(), event("Updated", 2, 41, wh=6500))
    assert "used before" in TransactionMessage.objects.exclude(needs_attention="").get().needs_attention


def test_a_meter_that_was_read_beside_start_and_end_is_read_at_them(url: str, charger: Charger) -> None:
    """A program takes the time of the event and that of the sample one after the other, and tells no context."""
    started, *_, ended = course()
    for told, at in ((started, -0.001), (ended, 60.001)):
        told["meterValue"][0]["timestamp"] = charging.after(at)
        del told["meterValue"][0]["sampledValue"][0]["context"]
    with connected(url, subprotocol=V201) as cp:
        tell(cp, started, event("Updated", 1, 30, wh=2000), ended | {"seqNo": 2})
    charging.make()
    cdr = charging.cdr()
    assert (cdr["total_energy"], cdr["end_date_time"]) == (7, charging.after(60))


def test_a_charger_that_does_not_count_its_events_is_billed_all_the_same(url: str, charger: Charger) -> None:
    """As a widely used simulator: every event has the number 0."""
    with connected(url, subprotocol=V201) as cp:
        tell(cp, *(told | {"seqNo": 0} for told in course()))
        assert not Transaction.objects.get().is_open
        tell(cp, *(told | {"seqNo": 0} for told in course()))
    assert TransactionMessage.objects.count() == 4
    assert "does not count" in TransactionMessage.objects.exclude(needs_attention="").get().needs_attention
    charging.make()
    cdr = charging.cdr()
    assert (cdr["total_energy"], cdr["end_date_time"]) == (7, charging.after(60))


def test_a_charger_that_counts_anew_after_a_restart_is_billed_to_the_end(url: str, charger: Charger) -> None:
    started, first, second, ended = course()
    with connected(url, subprotocol=V201) as cp:
        tell(cp, started, first, second | {"seqNo": 0}, ended | {"seqNo": 1})
    charging.make()
    cdr = charging.cdr()
    assert (cdr["total_energy"], cdr["remark"]) == (7, "Stop reason: EVDisconnected")


def test_another_start_of_a_transaction_does_not_begin_it_anew(url: str, charger: Charger) -> None:
    """After a power failure, say."""
    started, first, second, ended = course()
    with connected(url, subprotocol=V201) as cp:
        tell(cp, started, first, second | {"eventType": "Started"}, ended)
    charging.make()
    cdr = charging.cdr()
    assert (cdr["total_energy"], cdr["start_date_time"]) == (7, charging.after(0))


def test_the_same_name_at_two_chargers_is_two_transactions(url: str, charger: Charger) -> None:
    charging.add_charger("CP-2", "LOC-2")
    with connected(url, subprotocol=V201) as cp, connected(url, "CP-2", subprotocol=V201) as other:
        tell(cp, *course())
        tell(other, *course())
    charging.make()
    assert Cdr.objects.count() == 2


def test_with_a_gap_the_charger_is_asked_and_the_cdr_waits(url: str, charger: Charger) -> None:
    """Until what was missing is here."""
    started, first, second, ended = course()
    with connected(url, subprotocol=V201) as cp:
        cp.answers["GetTransactionStatus"] = {"messagesInQueue": True, "ongoingIndicator": False}
        tell(cp, started, second, ended)
        assert cp.wait_asked("GetTransactionStatus") == {"transactionId": "T-1"}
        due_at = charging.bill().cdr_due_at
        assert due_at is not None
        assert due_at > timezone.now() + timedelta(minutes=5)
        tell(cp, first)
    due_at = charging.bill().cdr_due_at
    assert due_at is not None
    assert due_at < timezone.now() + timedelta(minutes=1)


def test_what_will_never_come_is_not_waited_for(url: str, charger: Charger) -> None:
    started, _, second, ended = course()
    with connected(url, subprotocol=V201) as cp:
        cp.answers["GetTransactionStatus"] = {"messagesInQueue": False}
        tell(cp, started, second, ended)
        eventually(lambda: (charging.bill().cdr_due_at or timezone.now()) <= timezone.now(), "the end of waiting")
    charging.make()
    assert charging.cdr()["total_energy"] == 7


def test_what_the_charger_does_not_have_any_more_has_ended(url: str, charger: Charger) -> None:
    with connected(url, subprotocol=V201) as cp:
        cp.answers["GetTransactionStatus"] = {"messagesInQueue": False, "ongoingIndicator": False}
        tell(cp, *course()[:3])
        asking.ask(Transaction.objects.get())
        eventually(lambda: not Transaction.objects.get().is_open, "its end")
    charging.make()
    assert charging.cdr()["total_energy"] == 5
    assert OcppCommand.objects.get(action="GetTransactionStatus").status == "ok"


def test_a_transaction_may_begin_without_a_token(url: str, charger: Charger) -> None:
    """Plugged in first: the Session begins with whoever it is for."""
    with connected(url, subprotocol=V201) as cp:
        [answer] = tell(cp, event("Started", 0, 0, wh=1000, state="EVConnected"))
        assert answer == {}
        charging.make()
        assert not Session.objects.exists()
        [answer] = tell(cp, event("Updated", 1, 5, tag=TAG, state="Charging"))
        assert answer["idTokenInfo"]["status"] == "Accepted"
        charging.make()
        assert charging.session()["cdr_token"]["uid"] == TAG
        tell(cp, event("Ended", 2, 60, wh=8000, tag=TAG))
    charging.make()
    assert charging.cdr()["start_date_time"] == charging.after(0)


def test_a_start_by_button_is_accepted_and_billed_to_nobody(url: str, charger: Charger) -> None:
    """OCPP 2.0.1 C02.FR.02."""
    button = {"idToken": {"idToken": "", "type": "NoAuthorization"}}
    with connected(url, subprotocol=V201) as cp:
        assert cp.call("Authorize", button)["idTokenInfo"]["status"] == "Accepted"
        started, *_, ended = course()
        answers = tell(cp, started | button, ended | {"seqNo": 1})
        assert answers == [{"idTokenInfo": {"status": "Accepted"}}, {}]
    charging.make()
    assert not Session.objects.exists()
    assert charging.bill().state == Bill.State.HELD


def test_an_unknown_token_is_refused_and_kept(url: str, charger: Charger) -> None:
    with connected(url, subprotocol=V201) as cp:
        [answer] = tell(cp, event("Started", 0, 0, wh=1000, tag="NOBODY"))
        assert answer["idTokenInfo"]["status"] == "Unknown"
        tell(cp, event("Ended", 1, 10, wh=2000))
    charging.make()
    assert charging.bill().state == Bill.State.HELD


def test_a_start_at_a_busy_evse_ends_what_was_lost_there(url: str, charger: Charger) -> None:
    with connected(url, subprotocol=V201) as cp:
        tell(cp, *course()[:3], event("Started", 0, 90, id="T-2", wh=9000, tag=TAG))
        charging.make()
        first = charging.cdr()
        assert (first["total_energy"], first["end_date_time"]) == (5, charging.after(40))
        tell(cp, course()[3])
    charging.make()
    assert charging.cdr(Bill.objects.get(transaction__told_id="T-1").cdr_id)["total_energy"] == 7


def test_meter_values_outside_of_events_count(url: str, charger: Charger) -> None:
    with connected(url, subprotocol=V201) as cp:
        tell(cp, course()[0])
        value = {"value": 4, "unitOfMeasure": {"unit": "kWh"}}
        cp.call(
            "MeterValues", {"evseId": 1, "meterValue": [{"timestamp": charging.after(30), "sampledValue": [value]}]}
        )
    charging.make()
    assert charging.session()["kwh"] == 3


def test_suspension_by_the_vehicle_is_parking(url: str, charger: Charger) -> None:
    """Notes 8: that by the EVSE is not."""
    with connected(url, subprotocol=V201) as cp:
        tell(
            cp,
            event("Started", 0, 0, wh=1000, tag=TAG, state="Charging"),
            event("Updated", 1, 15, wh=4000, state="SuspendedEVSE"),
            event("Updated", 2, 30, wh=4000, state="SuspendedEV"),
            event("Ended", 3, 60, wh=4000),
        )
    charging.make()
    cdr = charging.cdr()
    assert (cdr["total_time"], cdr["total_parking_time"]) == (1, Decimal("0.5"))


def test_who_ends_a_transaction_is_not_the_one_who_pays(url: str, charger: Charger) -> None:
    """Nor is anybody asked about that token."""
    with connected(url, subprotocol=V201) as cp:
        *others, ended = course()
        tell(cp, *others)
        [answer] = tell(cp, ended | {"idToken": {"idToken": "GUARD", "type": "ISO14443"}})
        assert answer["idTokenInfo"]["status"] == "Accepted"
    charging.make()
    assert charging.cdr()["cdr_token"]["uid"] == TAG


def test_an_evse_is_free_when_none_of_its_connectors_is_in_use(url: str, charger: Charger) -> None:
    with connected(url, subprotocol=V201) as cp:
        tell(cp, course()[0])
        cp.status(1, "Occupied", connector=1)
        cp.status(1, "Available", connector=2)
        assert Transaction.objects.get().free_since is None
        cp.status(1, "Available", connector=1)
        assert Transaction.objects.get().free_since is not None
        cp.status(1, "Occupied", connector=1)
        assert Transaction.objects.get().free_since is None
