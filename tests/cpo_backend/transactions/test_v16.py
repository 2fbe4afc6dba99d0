"""Transactions of OCPP 1.6 over a real socket (notes 3)."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from cpo_backend import tasks
from cpo_backend.commanding import asking
from cpo_backend.models import (
    Alarm,
    Bill,
    Charger,
    ChargerEvse,
    MeterSample,
    OrphanStop,
    Transaction,
    TransactionMessage,
)
from cpo_backend.ocpp.wire.v16.actions import FROM_CHARGER
from cpo_backend.transactions import lost, orphans
from cpo_backend.transactions.facts import Arrival, Permit, Start
from cpo_backend.transactions.starting import begin
from ocpi.models import Cdr, Session
from ocpi.types import codec, times
from ocpi.v221.tokens import AllowedType
from tests.kit import charging
from tests.kit.chargers import connected, status_of
from tests.kit.charging import TAG, after, meter, sample, start, starting, stopping


def test_a_start_that_comes_again_gets_the_same_number_and_the_same_word(url: str, charger: Charger) -> None:
    """Notes 3.2: by the same message id and by another, also after a new connection."""
    with connected(url) as cp:
        answers = [cp.call("StartTransaction", starting(), id) for id in ("1", "1", "2")]
    with connected(url) as cp:
        answers.append(cp.call("StartTransaction", starting()))
    assert answers == answers[:1] * 4
    assert Transaction.objects.count() == 1


def test_a_number_is_never_nothing_and_fits_the_wire(url: str, charger: Charger) -> None:
    """Notes 3.3."""
    with connected(url) as cp:
        ids = [start(cp, number) for number in (1, 2)]
    assert ids[0] < ids[1] < 2**31
    assert ids[0] > 0


def test_an_unknown_tag_gets_a_transaction_that_is_kept(url: str, charger: Charger) -> None:
    """Notes 3.3: one that was offline may have charged already. There is nobody to bill: it is held."""
    with connected(url) as cp:
        answer = cp.call("StartTransaction", starting(tag="NOBODY"))
        assert answer["idTagInfo"]["status"] == "Invalid"
        assert answer["transactionId"] > 0
        cp.call("StopTransaction", stopping(answer["transactionId"]))
    charging.make()
    bill = charging.bill()
    assert (bill.state, bill.energy) == (Bill.State.HELD, 7000)
    assert "nobody knows the token" in bill.reason
    assert not Session.objects.exists()


def test_a_stop_that_comes_again_counts_once(url: str, charger: Charger) -> None:
    """Notes 3.2: also after the CDR is out, and with samples it brings again."""
    with connected(url) as cp:
        id = start(cp)
        told = stopping(id, transactionData=[charging.metered(30, sample(4000))])
        for _ in range(2):
            cp.call("StopTransaction", told)
        charging.make()
        cp.call("StopTransaction", told)
    charging.make()
    assert charging.cdr()["total_energy"] == 7
    assert MeterSample.objects.count() == 1


def test_another_stop_of_the_same_transaction_is_kept_for_a_person(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        id = start(cp)
        cp.call("StopTransaction", stopping(id))
        cp.call("StopTransaction", stopping(id, meter=9000))
    charging.make()
    assert charging.cdr()["total_energy"] == 7
    assert "another stop" in TransactionMessage.objects.exclude(needs_attention="").get().needs_attention


def test_a_stop_of_another_chargers_transaction_ends_nothing_there(url: str, charger: Charger) -> None:
    """Notes 3.4."""
    charging.add_charger("CP-2", "LOC-2")
    with connected(url) as cp, connected(url, "CP-2") as other:
        id = start(cp)
        other.call("StopTransaction", stopping(id))
    assert Transaction.objects.get().is_open
    assert OrphanStop.objects.get().charger.identity == "CP-2"


@pytest.mark.parametrize("id", [-1, 0, 77])
def test_a_stop_without_a_number_of_ours_ends_the_only_open_transaction(url: str, charger: Charger, id: int) -> None:
    """Notes 3.4: once."""
    with connected(url) as cp:
        start(cp)
        cp.call("StopTransaction", stopping(id))
        cp.call("StopTransaction", stopping(id))
    charging.make()
    assert charging.cdr()["total_energy"] == 7
    assert not OrphanStop.objects.exists()


@pytest.mark.parametrize("told", [{"meter": 900}, {"at": -5}])
def test_a_stop_that_does_not_fit_is_parked(url: str, charger: Charger, told: dict[str, Any]) -> None:
    with connected(url) as cp:
        start(cp)
        cp.call("StopTransaction", stopping(-1, **told))
        cp.call("StopTransaction", stopping(-1, **told))
    assert Transaction.objects.get().is_open
    assert OrphanStop.objects.count() == 1
    assert Alarm.objects.get(kind=Alarm.Kind.ORPHAN_STOP, cleared_at=None).count == 1


def test_a_stop_that_could_be_of_two_is_parked_until_staff_assign_it(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        id, other = start(cp, 1), start(cp, 2)
        cp.call("StopTransaction", stopping(-1, transactionData=[charging.metered(30, sample(4000))]))
    orphan = OrphanStop.objects.get()
    orphans.assign(orphan, other, "ann")
    charging.make()
    assert charging.cdr()["cdr_location"]["evse_uid"] == "LOC-1-2"
    assert Transaction.objects.get(pk=id).is_open
    assert not Alarm.objects.filter(kind=Alarm.Kind.ORPHAN_STOP, cleared_at=None).exists()
    with pytest.raises(orphans.Unassignable, match="settled before"):
        orphans.assign(orphan, id, "ann")


def test_staff_dismiss_a_stop_of_nobodys(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.call("StopTransaction", stopping(5))
    orphans.dismiss(OrphanStop.objects.get(), "ann")
    assert OrphanStop.objects.get().settled_by == "ann"


def test_a_start_on_a_busy_connector_ends_what_was_lost_there(url: str, charger: Charger) -> None:
    """Notes 3.5: at its last sample in time, at the new start in energy."""
    with connected(url) as cp:
        meter(cp, start(cp), 30, sample(4000))
        start(cp, at=90, meter=5000)
    first, second = Transaction.objects.order_by("pk")
    assert (first.closed_by, second.closed_by) == ("system", "")
    charging.make()
    cdr = charging.cdr()
    assert (cdr["total_energy"], cdr["end_date_time"]) == (4, after(30))
    assert cdr["remark"] == "Ended without a stop: another one began at its connector"


def test_a_register_that_begins_anew_says_nothing_about_what_was_lost(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        meter(cp, start(cp), 30, sample(4000))
        start(cp, at=90, meter=0)
    charging.make()
    assert charging.cdr()["total_energy"] == 3


def test_an_older_start_that_comes_late_does_not_end_the_newer(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        start(cp, at=90, meter=8000)
        id = start(cp, at=0, meter=1000)
        assert [row.is_open for row in Transaction.objects.order_by("pk")] == [True, False]
        cp.call("StopTransaction", stopping(id))
    charging.make()
    assert charging.cdr()["total_energy"] == 7


def test_a_late_stop_corrects_what_is_out(url: str, charger: Charger) -> None:
    """Notes 3.5: a credit CDR and another one, never an edit."""
    with connected(url) as cp:
        id = start(cp)
        meter(cp, id, 30, sample(4000))
        start(cp, at=90, meter=9000)
        charging.make()
        first = charging.cdr()
        assert first["total_energy"] == 8
        cp.call("StopTransaction", stopping(id))
    charging.make()
    bill = Bill.objects.get(pk=id)
    assert (bill.state, bill.reason) == (Bill.State.OUT, "corrected")
    assert charging.cdr(bill.cdr_id)["total_energy"] == 7
    credit = charging.cdr(f"{first['id']}-C")
    assert credit["total_cost"]["excl_vat"] == -first["total_cost"]["excl_vat"]
    assert Cdr.objects.count() == 3


def test_a_connector_that_is_free_ends_its_transaction_after_a_grace(url: str, charger: Charger) -> None:
    """Notes 3.5: some chargers skip the stop."""
    with connected(url) as cp:
        meter(cp, start(cp), 30, sample(4000))
        cp.status(1, "Available")
    assert lost.sweep() == 0
    Transaction.objects.update(free_since=timezone.now() - timedelta(hours=1))
    assert lost.sweep() == 1
    charging.make()
    assert charging.cdr()["total_energy"] == 3


def test_a_connector_that_is_in_use_again_has_not_been_free(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        start(cp)
        cp.status(1, "Available")
        cp.status(1, "Charging")
    assert Transaction.objects.get().free_since is None


def test_a_boot_ends_nothing(url: str, charger: Charger) -> None:
    """Notes 3.6."""
    with connected(url) as cp:
        id = start(cp)
        cp.boot()
        assert Transaction.objects.get().is_open
        cp.call("StopTransaction", stopping(id, reason="PowerLoss"))
    charging.make()
    assert charging.cdr()["remark"] == "Stop reason: PowerLoss"


def test_samples_after_the_stop_count_within_the_window(url: str, charger: Charger, settings: Any) -> None:
    """Notes 3.6: they make the CDR anew if it says something else, and never open the transaction."""
    tariff = charging.by_the_clock()
    charging.add_tariff(**tariff)
    with connected(url) as cp:
        id = start(cp)
        cp.call("StopTransaction", stopping(id))
        charging.make()
        cost = charging.cdr()["total_cost"]
        meter(cp, id, 40, sample(7000))
        charging.make()
        assert charging.cdr(charging.bill().cdr_id)["total_cost"] != cost
        meter(cp, id, 30, sample(6900))
        charging.make()
        bill = charging.bill()
        assert (bill.reason, Cdr.objects.count()) == ("corrected", 5)
        assert not Transaction.objects.get().is_open
        settings.OCPP_LATE_FACTS = -1
        meter(cp, id, 45, sample(7900))
        charging.make()
        assert charging.bill().cdr_id == bill.cdr_id


def test_samples_without_a_number_are_those_of_the_connector(url: str, charger: Charger) -> None:
    """Notes 3.4: chargers say -1 until the start is confirmed, or nothing."""
    with connected(url) as cp:
        start(cp, 1)
        second = start(cp, 2)
        meter(cp, -1, 10, sample(2000), number=2)
        meter(cp, None, 20, sample(3000), number=2)
        meter(cp, 0, 30, sample(4000), number=2)
    assert MeterSample.objects.filter(transaction_id=second).count() == 3


def test_samples_of_a_transaction_that_is_not_there_are_kept_for_a_person(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        meter(cp, 77, 10, sample(2000))
        meter(cp, None, 20, sample(2000))
    assert TransactionMessage.objects.get().needs_attention.startswith("meter values of transaction 77")


def test_a_sample_counts_once(url: str, charger: Charger) -> None:
    """Notes 3.2: by moment, kind, phase, location and context."""
    with connected(url) as cp:
        id = start(cp)
        for _ in range(2):
            meter(cp, id, 10, sample(2000), sample(230, measurand="Voltage", phase="L1"))
        meter(cp, id, 10, sample(2000, context="Sample.Clock"))
    assert MeterSample.objects.count() == 3


def test_an_implausible_transaction_is_held_with_the_reason(url: str, charger: Charger) -> None:
    """Notes 3.7: the connector has 22 kW."""
    with connected(url) as cp:
        cp.call("StopTransaction", stopping(start(cp), meter=101_000))
    charging.make()
    bill = charging.bill()
    assert (bill.state, Cdr.objects.count()) == (Bill.State.HELD, 0)
    assert bill.reason == "implausible: 100.0 kWh within 3600 s, by a connector of 22.08 kW"


def test_nothing_delivered_is_nothing_to_bill(url: str, charger: Charger) -> None:
    """Notes 7: the Session is INVALID."""
    with connected(url) as cp:
        id = start(cp)
        charging.make()
        cp.call("StopTransaction", stopping(id, at=2, meter=1000))
    charging.make()
    assert (charging.bill().state, charging.session()["status"]) == (Bill.State.NOTHING, "INVALID")
    assert not Cdr.objects.exists()


def test_a_clock_that_is_ahead_is_put_right(url: str, charger: Charger) -> None:
    """Notes 3.8."""
    ahead = timezone.now() + timedelta(hours=5)
    with connected(url) as cp:
        id = start(cp, timestamp=ahead.isoformat())
        cp.call("StopTransaction", stopping(id, timestamp=(ahead + timedelta(hours=1)).isoformat()))
    charging.make()
    cdr = charging.cdr()
    assert cdr["total_time"] == 1
    assert times.parse(cdr["end_date_time"]) <= timezone.now()


def test_a_stop_before_its_start_ends_at_the_start(url: str, charger: Charger) -> None:
    """Notes 3.8: never before. Energy in no time is held."""
    with connected(url) as cp:
        cp.call("StopTransaction", stopping(start(cp), at=-30, meter=1100))
    charging.make()
    cdr = charging.cdr()
    assert cdr["end_date_time"] == cdr["start_date_time"]


def test_a_timestamp_that_is_none_is_when_we_were_told(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.call("StopTransaction", stopping(start(cp, timestamp="soon"), timestamp="later", meter=1100))
    charging.make()
    assert charging.cdr()["total_energy"] == Decimal("0.1")


def test_the_state_is_told_of_each_transaction(url: str, charger: Charger) -> None:
    """DESIGN 7: ocppctl state."""
    with connected(url) as cp:
        id = start(cp)
        cp.call("StopTransaction", stopping(id, reason="Remote"))
        other = start(cp, 2, meter=500)
        meter(cp, other, 30, sample("1.5", unit="kWh"), number=2)
        told = json.loads(json.dumps(asking.state("CP-1"), default=str))["transactions"]
    assert told[0] == {
        "id": id,
        "connector": 1,
        "id_tag": TAG,
        "meter_start": 1000,
        "meter_stop": 8000,
        "energy_wh": 7000,
        "status": "completed",
        "stop_time": after(60),
        "stop_reason": "Remote",
    }
    assert (told[1]["id"], told[1]["status"], told[1]["energy_wh"]) == (other, "active", 1000)
    assert (told[1]["meter_stop"], told[1]["stop_time"], told[1]["stop_reason"]) == (None, None, None)


def test_an_evse_with_a_transaction_is_charging_whatever_its_connector_says(url: str, charger: Charger) -> None:
    """Notes 4: plugged in, with a transaction."""
    with connected(url) as cp:
        cp.status(1, "Preparing")
        start(cp)
        charging.eventually_status("LOC-1-1", "CHARGING")
    assert status_of("LOC-1-1") == "CHARGING"


def test_a_start_without_its_effect_has_a_number_and_is_shown_to_a_person(url: str, charger: Charger) -> None:
    """Notes 3.1: whatever fails, here by the Session of another transaction."""
    with connected(url) as cp:
        start(cp, 2)
    taken = Bill.objects.get().session_id
    request = FROM_CHARGER["StartTransaction"].read_request(codec.encode(starting()))
    arrival = Arrival(charger.pk, "StartTransaction", "{}", timezone.now())
    permit = Permit(AllowedType.ALLOWED, session_id=taken)
    found = begin(arrival, Start.of(request), permit)
    assert Transaction.objects.get(pk=found.transaction_id).is_open
    assert "IntegrityError" in TransactionMessage.objects.exclude(needs_attention="").get().needs_attention


def test_a_status_that_cannot_be_published_costs_no_transaction(url: str, charger: Charger) -> None:
    ChargerEvse.objects.update(override="NONSENSE")
    with connected(url) as cp:
        cp.call("StopTransaction", stopping(start(cp)))
    charging.make()
    assert charging.cdr()["total_energy"] == 7


def test_a_transaction_that_goes_on_and_on_is_an_alarm_until_it_ends(url: str, charger: Charger) -> None:
    """Notes 9: longer than 48 hours."""
    with connected(url) as cp:
        id = start(cp)
        Transaction.objects.update(start_received_at=timezone.now() - timedelta(hours=49))
        for _ in range(2):
            assert lost.sweep() == 0
        assert Alarm.objects.get(kind=Alarm.Kind.TRANSACTION, cleared_at=None).count == 1
        cp.call("StopTransaction", stopping(id))
    assert not Alarm.objects.filter(kind=Alarm.Kind.TRANSACTION, cleared_at=None).exists()


def test_what_was_said_offline_is_told_in_its_own_time(url: str, charger: Charger) -> None:
    """Notes 3.8: a whole session, days later; nobody takes its clock for wrong."""
    with connected(url) as cp:
        id = start(cp)
        for minute in (20, 40):
            meter(cp, id, minute, sample(1000 + minute * 100))
        cp.call("StopTransaction", stopping(id))
    charging.make()
    cdr = charging.cdr()
    assert (cdr["start_date_time"], cdr["end_date_time"]) == (after(0), after(60))


def test_a_clock_that_was_never_set_leaves_the_duration_as_it_was_told(url: str, charger: Charger) -> None:
    """Notes 3.8: years before 2020."""
    with connected(url) as cp:
        id = start(cp, timestamp="1970-01-01T00:01:00Z")
        cp.call("StopTransaction", stopping(id, timestamp="1970-01-01T01:01:00Z"))
    charging.make()
    cdr = charging.cdr()
    assert (cdr["total_time"], cdr["total_energy"]) == (1, 7)
    assert cdr["end_date_time"] > after(0)


def test_the_worker_makes_what_is_due(url: str, charger: Charger, settings: Any) -> None:
    settings.OCPP_CDR_DELAY = 0
    with connected(url) as cp:
        cp.call("StopTransaction", stopping(start(cp)))
    tasks.make_bills()
    assert charging.cdr()["total_energy"] == 7
