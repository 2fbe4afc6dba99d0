"""Stops of OCPP 1.6 that come before their starts, as from a charger that was offline (notes 3, 4)."""

from typing import Any

import pytest

from cpo_backend.models import Alarm, Charger, OrphanStop, Transaction
from ocpi.models import Cdr
from ocpi.types import codec
from tests.kit import charging
from tests.kit.charger import FakeCharger
from tests.kit.chargers import connected
from tests.kit.charging import TAG, metered, sample, start, starting, stopping


def lost(cp: FakeCharger, **told: Any) -> None:
    """A stop of a transaction that nobody has heard of."""
    cp.call("StopTransaction", stopping(-1, **told))


def test_a_start_finds_the_stop_that_came_before_it_once(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        lost(cp, idTag=TAG, transactionData=[metered(30, sample(4000))])
        id = start(cp)
        assert cp.call("StartTransaction", starting())["transactionId"] == id
        lost(cp, idTag=TAG)
        start(cp, at=90, meter=8000)
    closed, running = Transaction.objects.order_by("pk")
    assert (closed.pk, closed.closed_by, running.is_open) == (id, "charger", True)
    orphan = OrphanStop.objects.get()
    assert (orphan.transaction_id, orphan.settled_by) == (id, "its start")
    assert not Alarm.objects.filter(kind=Alarm.Kind.ORPHAN_STOP, cleared_at=None).exists()
    charging.make()
    assert charging.cdr()["total_energy"] == 7


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_a_backlog_in_any_order_each_start_finds_its_own(url: str, charger: Charger, order: tuple[int, int]) -> None:
    starts = [{"meter": 1000}, {"at": 70, "meter": 8000}]
    charger.evses.filter(number=2).delete()
    with connected(url) as cp:
        lost(cp, at=60, meter=8000)
        lost(cp, at=120, meter=12000)
        for place in order:
            start(cp, **starts[place])
    charging.make()
    assert sorted(charging.agreed(codec.decode(row.encode()))["total_energy"] for row in documents()) == [4, 7]


def documents() -> list[str]:
    return list(Cdr.objects.values_list("document", flat=True))


@pytest.mark.parametrize(
    "told",
    [
        {"meter": 900},
        {"at": -5},
        {"at": 60 * 24 * 3},
        {"idTag": "ANOTHER"},
        {"transactionData": [metered(0, sample(500, context="Transaction.Begin"))]},
    ],
)
def test_a_stop_that_does_not_fit_stays_parked(url: str, charger: Charger, told: dict[str, Any]) -> None:
    with connected(url) as cp:
        lost(cp, **told)
        start(cp)
    assert Transaction.objects.get().is_open
    assert OrphanStop.objects.get().settled_at is None


def test_where_two_could_be_meant_a_person_decides(url: str, charger: Charger) -> None:
    """A charger of two connectors, and stops that do not say whose they are."""
    with connected(url) as cp:
        lost(cp, at=60)
        lost(cp, at=61)
        start(cp)
    assert Transaction.objects.get().is_open
