"""MeterValues of many chargers, kept by one statement."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from cpo_backend.models import Bill, Charger, MeterSample, TransactionMessage
from cpo_backend.ocpp.wire.v16.actions import FROM_CHARGER as V16
from cpo_backend.transactions import metering, permits, starting
from cpo_backend.transactions.facts import Arrival, Start
from cpo_backend.transactions.metering import Told
from cpo_backend.transactions.readings import REGISTER, Reading, Values
from ocpi.types import codec
from tests.kit import charging
from tests.kit.charging import TAG


@pytest.fixture
def chargers(db: None) -> list[Charger]:
    charging.add_tariff()
    charging.add_token()
    return [charging.add_charger(f"CP-{number}", f"LOC-{number}") for number in (1, 2)]


def arrival(charger: Charger) -> Arrival:
    return Arrival(charger.pk, "MeterValues", "{}", timezone.now())


def begun(charger: Charger) -> int:
    request = V16["StartTransaction"].read_request(codec.encode(charging.starting()))
    started = starting.begin(arrival(charger), Start.of(request), permits.ask(charger.pk, TAG))
    return started.transaction_id


def told(charger: Charger, id: int | None, *values: int, unread: int = 0, measurand: str = REGISTER) -> Told:
    readings = (
        Reading(charging.START + timedelta(minutes=at), measurand, Decimal(value)) for at, value in enumerate(values, 1)
    )
    return Told(arrival(charger), 1, id, Values(tuple(readings), unread=unread))


def kept() -> list[tuple[int, Decimal]]:
    return list(MeterSample.objects.order_by("transaction", "told_at").values_list("transaction_id", "value"))


def test_values_of_several_chargers_are_kept_each_once(chargers: list[Charger]) -> None:
    first, second = map(begun, chargers)
    all_told = [told(chargers[0], first, 1100, 1200), told(chargers[1], second, 5000)]
    assert metering.of_many([*all_told, all_told[0]]) == [True, True, True]
    assert kept() == [(first, Decimal(1100)), (first, Decimal(1200)), (second, Decimal(5000))]


def test_what_is_not_plainly_of_a_running_transaction_is_left_to_be_looked_at_alone(chargers: list[Charger]) -> None:
    first, second = map(begun, chargers)
    assert metering.of_many(
        [
            told(chargers[0], second, 1),  # another charger's
            told(chargers[0], None, 2),
            told(chargers[0], first, 3, unread=1),
            told(chargers[0], -1, 4),
            told(chargers[0], 10_000_000, 5),
            told(chargers[0], first, 1100),
        ]
    ) == [False, False, False, False, False, True]
    assert kept() == [(first, Decimal(1100))]


def test_the_session_follows_after_a_while(chargers: list[Charger]) -> None:
    id = begun(chargers[0])
    Bill.objects.filter(pk=id).update(session_due_at=None)
    metering.of_many([told(chargers[0], id, 1100)])
    due_at = Bill.objects.get(pk=id).session_due_at
    assert due_at is not None and due_at > timezone.now()


def test_values_that_the_database_refuses_keep_those_of_others_from_nothing(chargers: list[Charger]) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite takes texts of any length")
    first, second = map(begun, chargers)
    all_told = [told(chargers[0], first, 1100, measurand="x" * 51), told(chargers[1], second, 5000)]
    with pytest.raises(DatabaseError):
        metering.of_many(all_told)
    for one in all_told:
        metering.meter_values(one)
    assert kept() == [(second, Decimal(5000))]
    assert "DataError" in TransactionMessage.objects.exclude(needs_attention="").get().needs_attention
