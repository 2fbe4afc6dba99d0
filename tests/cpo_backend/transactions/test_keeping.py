"""What is kept of transactions, and for how long."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cpo_backend import pruning, tasks
from cpo_backend.models import Bill, Charger, MeterSample, OcppCommand, SignedReading, Transaction, TransactionMessage
from cpo_backend.transactions import telling
from ocpi.models import Cdr
from tests.kit import charging
from tests.kit.chargers import connected
from tests.kit.charging import metered, sample, start, stopping


@pytest.fixture
def charged(url: str, charger: Charger) -> Transaction:
    """With readings at 10, 20 and 30 minutes, and what the meter signed in the end."""
    end = sample("OCMF|{}|{}", context="Transaction.End", format="SignedData")
    with connected(url) as cp:
        id = start(cp)
        for minute in (10, 20, 30):
            charging.meter(cp, id, minute, sample(1000 + 100 * minute), sample(7000, measurand="Power.Active.Import"))
        cp.call("StopTransaction", stopping(id, transactionData=[metered(60, end)]))
    charging.make()
    return Transaction.objects.get()


def aged(found: Transaction, days: int) -> None:
    long_ago = timezone.now() - timedelta(days=days)
    Transaction.objects.filter(pk=found.pk).update(closed_at=long_ago)
    TransactionMessage.objects.update(received_at=long_ago)


def test_the_first_and_the_last_reading_stay_when_the_others_are_forgotten(charged: Transaction) -> None:
    before = telling.told(charged.charger)
    aged(charged, 401)
    tasks.prune_chargers()
    tasks.prune_chargers()
    values = MeterSample.objects.order_by("told_at").values_list("measurand", "value")
    assert [(measurand, int(value)) for measurand, value in values] == [
        ("Energy.Active.Import.Register", 2000),
        ("Energy.Active.Import.Register", 4000),
    ]
    assert SignedReading.objects.count() == 1
    assert TransactionMessage.objects.count() == 2
    assert telling.told(charged.charger) == before


def test_what_was_told_goes_later(charged: Transaction) -> None:
    aged(charged, 1101)
    tasks.prune_chargers()
    assert not TransactionMessage.objects.exists()
    assert Transaction.objects.exists()


@pytest.mark.parametrize("state", [Bill.State.HELD, Bill.State.RUNNING])
def test_what_is_not_billed_is_kept(charged: Transaction, state: Bill.State) -> None:
    Bill.objects.update(state=state)
    aged(charged, 5000)
    tasks.prune_chargers()
    assert MeterSample.objects.count() == 6
    assert TransactionMessage.objects.exists()


def test_what_may_still_change_a_bill_is_kept_whatever_is_set(charged: Transaction, settings: Any) -> None:
    settings.OCPP_SAMPLE_DAYS = 1
    aged(charged, 20)
    tasks.prune_chargers()
    assert MeterSample.objects.count() == 6


def test_nothing_is_forgotten_where_that_is_wished(charged: Transaction, settings: Any) -> None:
    settings.OCPP_SAMPLE_DAYS = settings.OCPP_EVIDENCE_DAYS = 0
    aged(charged, 5000)
    tasks.prune_chargers()
    assert MeterSample.objects.count() == 6


def test_a_bill_is_not_corrected_by_what_is_left(charged: Transaction) -> None:
    aged(charged, 401)
    tasks.prune_chargers()
    MeterSample.objects.all().delete()
    Transaction.objects.update(meter_stop=9000)
    Bill.objects.update(cdr_due_at=timezone.now())
    charging.make()
    assert Cdr.objects.count() == 1
    assert "not kept any more" in Bill.objects.get().reason


def test_old_rows_go_a_few_at_a_time_and_no_more_than_wanted(charger: Charger) -> None:
    now = timezone.now()
    made = {"charger": charger, "timeout": 1, "created_at": now, "due_at": now, "expires_at": now}
    OcppCommand.objects.bulk_create(OcppCommand(action="Reset", payload="{}", **made) for _ in range(10))
    assert pruning.delete(OcppCommand.objects.all(), batch=3, most=7) == 7
    assert OcppCommand.objects.count() == 3
