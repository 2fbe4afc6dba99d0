"""What a reservation costs: in the session that used it, or by itself when nobody came (notes 8, pricing 2.3)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from cpo_backend import tasks
from cpo_backend.models import CdrFigures, Charger, Reservation
from cpo_backend.reporting import following
from ocpi.models import Cdr
from ocpi.types import codec, times
from roaming.audit_models import CdrAudit
from roaming.auditing import running
from tests.kit import charging
from tests.kit.charger import V16, V201, FakeCharger
from tests.kit.chargers import connected
from tests.kit.charging import START, component, event, start, stopping
from tests.kit.remote import UID, Emsp, sessions, taken

Document = dict[str, Any]
ENERGY = {"price_components": [component("0.25")]}


def priced(kind: str) -> Document:
    """6.00 an hour of reservation, and something for energy."""
    return {"price_components": [component("6.00", "TIME")], "restrictions": {"reservation": kind}}


def reserved(cp: FakeCharger, emsp: Emsp, since: datetime, until: datetime | None = None) -> int:
    """The charger's number of a reservation that has stood since then."""
    for action in ("ReserveNow", "RemoteStartTransaction", "RequestStartTransaction"):
        cp.answers[action] = {"status": "Accepted"}
    cp.status(1, "Available")
    taken(emsp.reserve())
    cp.wait_asked("ReserveNow")
    assert emsp.told() == "ACCEPTED"
    Reservation.objects.update(active_since=since, **({"expires_at": until} if until else {}))
    return Reservation.objects.get().told_id


def seen(cdr: Document) -> list[dict[str, Any]]:
    return [{one["type"]: one["volume"] for one in period["dimensions"]} for period in cdr["charging_periods"]]


def test_the_hours_before_the_start_are_a_period_of_the_cdr(url: str, charger: Charger, emsp: Emsp) -> None:
    charging.add_tariff(elements=[priced("RESERVATION"), ENERGY])
    with connected(url) as cp:
        number = reserved(cp, emsp, START - timedelta(minutes=30))
        id = start(cp, tag=UID, reservationId=number)
        charging.make()
        told = charging.session()
        cp.call("StopTransaction", stopping(id))
    charging.make()
    cdr = charging.cdr()
    assert seen(cdr)[0] == {"RESERVATION_TIME": Decimal("0.5")}
    assert cdr["total_reservation_cost"]["excl_vat"] == 3
    assert cdr["total_cost"]["excl_vat"] == Decimal("4.75")
    assert cdr["start_date_time"] == times.format(START - timedelta(minutes=30))
    assert told["start_date_time"] == times.format(START)
    assert told["charging_periods"][0]["dimensions"][0]["type"] == "RESERVATION_TIME"


def test_an_event_that_repeats_its_token_does_not_forget_it(url: str, charger: Charger, emsp: Emsp) -> None:
    charging.add_tariff(elements=[priced("RESERVATION"), ENERGY])
    with connected(url, subprotocol=V201) as cp:
        number = reserved(cp, emsp, START - timedelta(minutes=30))
        cp.call("TransactionEvent", event("Updated", 1, 20, wh=3000, tag=UID, reservationId=number))
        cp.call("TransactionEvent", event("Started", 0, 0, wh=1000, tag=UID, reservationId=number))
        cp.call("TransactionEvent", event("Ended", 2, 60, wh=8000))
    charging.make()
    assert charging.cdr()["total_reservation_cost"]["excl_vat"] == 3


def test_a_start_by_the_app_at_what_was_reserved_pays_for_that_too(url: str, charger: Charger, emsp: Emsp) -> None:
    charging.add_tariff(elements=[priced("RESERVATION"), ENERGY])
    with connected(url) as cp:
        reserved(cp, emsp, START - timedelta(minutes=30))
        taken(emsp.start())
        assert emsp.told(2) == "ACCEPTED"
        cp.call("StopTransaction", stopping(start(cp, tag=UID)))
    charging.make()
    assert charging.cdr()["total_reservation_cost"]["excl_vat"] == 3


@pytest.mark.parametrize("subprotocol", [V16, V201])
def test_a_reservation_that_nobody_used_has_a_cdr_where_that_has_a_price(
    url: str, charger: Charger, emsp: Emsp, subprotocol: str
) -> None:
    """Of its time until it expired, once; the audit of whoever receives it has nothing to say."""
    charging.add_tariff(elements=[priced("RESERVATION_EXPIRES"), ENERGY])
    until = timezone.now() - timedelta(seconds=1)
    with connected(url, subprotocol=subprotocol) as cp:
        reserved(cp, emsp, until - timedelta(minutes=15), until)
        tasks.sweep_chargers()
    tasks.make_bills()
    tasks.make_bills()
    cdr = charging.cdr()
    assert seen(cdr) == [{"RESERVATION_TIME": Decimal("0.25")}]
    assert (cdr["total_cost"]["excl_vat"], cdr["total_energy"], cdr["total_time"]) == (Decimal("1.5"), 0, 0)
    assert list(sessions().values()) == ["COMPLETED"]
    assert list(sessions()) == [cdr["session_id"]]
    following.follow()
    assert CdrFigures.objects.count() == 1
    assert audited() == []


def audited() -> list[str]:
    """What an eMSP that received the CDR would find."""
    Cdr.objects.update(source=7)
    running.again(Cdr.objects.values_list("pk", flat=True))
    (row,) = CdrAudit.objects.all()
    return [finding["code"] for finding in codec.decode(row.findings.encode())]


def test_one_that_was_canceled_costs_nothing(url: str, charger: Charger, emsp: Emsp) -> None:
    charging.add_tariff(elements=[priced("RESERVATION_EXPIRES"), ENERGY])
    with connected(url) as cp:
        reserved(cp, emsp, timezone.now() - timedelta(minutes=15))
        cp.answers["CancelReservation"] = {"status": "Accepted"}
        taken(emsp.cancel())
        assert emsp.told(2) == "ACCEPTED"
    tasks.make_bills()
    assert list(sessions().values()) == ["INVALID"]
    assert not Cdr.objects.exists()
