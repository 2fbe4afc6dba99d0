"""The same message in several threads at once, as two connections of a charger bring it (notes 3.2). PostgreSQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cpo_backend.billing import making
from cpo_backend.models import Bill, Charger, MeterSample, Transaction, TransactionMessage
from cpo_backend.ocpp.wire.v16.actions import FROM_CHARGER as V16
from cpo_backend.transactions import events, permits, readings, starting, stopping
from cpo_backend.transactions.facts import Arrival, Event, Start, Stop
from ocpi.models import Cdr, Session
from ocpi.types import codec
from tests.kit import charging
from tests.kit.charging import TAG, after, metered, sample

THREADS = 8


@pytest.fixture
def charger(threaded_db: None) -> Charger:
    charging.add_tariff()
    charging.add_token()
    return charging.add_charger()


def at_once(what: Callable[[], Any]) -> list[Any]:
    barrier = Barrier(THREADS)

    def run(_: int) -> Any:
        try:
            barrier.wait()
            return what()
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def arrival(charger: Charger, payload: Any) -> Arrival:
    return Arrival(charger.pk, "Message", codec.encode_text(payload), timezone.now())


def begun(charger: Charger) -> starting.Started:
    request = V16["StartTransaction"].read_request(codec.encode(charging.starting()))
    return starting.begin(arrival(charger, {}), Start.of(request), permits.ask(charger.pk, TAG))


def test_one_start_is_one_transaction(charger: Charger) -> None:
    found = at_once(lambda: begun(charger))
    assert len(set(found)) == 1
    assert (Transaction.objects.count(), Bill.objects.count()) == (1, 1)
    assert TransactionMessage.objects.count() == 1


def test_one_stop_is_one_cdr(charger: Charger) -> None:
    id = begun(charger).transaction_id
    payload = charging.stopping(id, transactionData=[metered(30, sample(4000))])
    request = V16["StopTransaction"].read_request(codec.encode(payload))
    values = readings.of_v16(request.transactionData)
    at_once(lambda: stopping.stop(arrival(charger, payload), Stop.of(request), values))
    Bill.objects.update(cdr_due_at=timezone.now())
    at_once(lambda: making.make(id))
    assert (MeterSample.objects.count(), Session.objects.count(), Cdr.objects.count()) == (1, 1, 1)
    assert charging.cdr()["total_energy"] == 7
    assert not TransactionMessage.objects.exclude(needs_attention="").exists()


def test_one_event_counts_once(charger: Charger) -> None:
    told = Event("T-1", "Started", 0, after(0), number=1, id_tag=TAG, token_type="ISO14443")
    permit = permits.ask(charger.pk, TAG)
    at_once(lambda: events.take(arrival(charger, {}), told, readings.Values(), permit))
    assert (Transaction.objects.count(), TransactionMessage.objects.count()) == (1, 1)


def test_two_starts_at_one_connector_leave_one_open(charger: Charger) -> None:
    def begin(number: int) -> None:
        request = V16["StartTransaction"].read_request(codec.encode(charging.starting(at=number, meter=1000 + number)))
        starting.begin(arrival(charger, {}), Start.of(request), permits.NOBODY)

    numbers = iter(range(THREADS))
    at_once(lambda: begin(next(numbers)))
    assert Transaction.objects.count() == THREADS
    assert Transaction.objects.filter(closed_by="").count() == 1
