"""What Prometheus reads of chargers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from cpo_backend.alarms import sounding
from cpo_backend.commanding import queue
from cpo_backend.models import Alarm, Bill, Charger, OcppNode
from cpo_backend.ocpp import fencing
from tests.kit import chargers, charging
from tests.kit.chargers import connected
from tests.kit.charging import start, stopping


@pytest.fixture
def charger(transactional_db: None) -> Charger:
    charging.add_tariff()
    charging.add_token()
    return charging.add_charger()


@pytest.fixture
def url(charger: Charger) -> Any:
    with chargers.door() as found:
        yield found


def test_connections_transactions_and_bills_are_counted(url: str, charger: Charger, read: Callable[..., float]) -> None:
    with connected(url) as cp:
        id = start(cp)
        assert read("ocpp_connected_chargers", version="1.6") == 1
        assert read("ocpp_chargers", state="accepted") == 1
        assert read("ocpp_open_transactions") == 1
        cp.call("StopTransaction", stopping(id, meter=900_000))
    assert read("ocpp_due_bills") == 0
    Bill.objects.update(cdr_due_at=timezone.now())
    assert read("ocpp_due_bills") == 1
    charging.make()
    assert (read("ocpp_open_transactions"), read("ocpp_held_bills")) == (0, 1)


def test_alarms_and_commands_are_counted_by_what_they_are(charger: Charger, read: Callable[..., float]) -> None:
    sounding.sound(charger.pk, Alarm.Kind.ORPHAN_STOP, "1", "told")
    queue.put(charger, "Reset", {"type": "Soft"})
    assert read("ocpp_open_alarms", kind="orphan stop") == 1
    assert read("ocpp_commands_last_hour", purpose="staff", status="offline") == 1


def test_each_process_tells_its_messages(charger: Charger, read: Callable[..., float]) -> None:
    node = fencing.enter()
    fencing.renew(node, 7, 8)
    host = OcppNode.objects.get().host
    assert read("ocpp_messages_received_total", process=host) == 7
    assert read("ocpp_messages_sent_total", process=host) == 8
