"""What many do at once: each start is taken by one transaction, each reservation used by one."""

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from cpo_backend.models import Charger, RemoteStart, Reservation
from cpo_backend.remote import starts
from cpo_backend.reserving import using
from cpo_backend.tokens import aliases
from cpo_backend.transactions.facts import Start
from ocpi.types import codec
from tests.kit import chargers
from tests.kit.objects import cdr_token

MANY = 8


def at_once(do: Callable[[int], Any]) -> list[Any]:
    """What each of many threads gets."""
    found: list[Any] = []
    begin = threading.Barrier(MANY)

    def run(number: int) -> None:
        try:
            begin.wait()
            found.append(do(number))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == MANY
    return found


def promised(charger: Charger) -> dict[str, Any]:
    """What a start and a reservation have in common."""
    now = timezone.now()
    return {
        "charger": charger,
        "number": 1,
        "id_tag": "A1",
        "cdr_token": codec.encode_text(cdr_token(uid="A1")),
        "session_id": "S-1",
        "created_at": now,
        "expires_at": now + timedelta(minutes=5),
    }


def test_a_start_is_taken_by_one_transaction(threaded_db: None) -> None:
    charger = chargers.add_charger()
    RemoteStart.objects.create(**promised(charger))
    start = Start(number=1, id_tag="a1", told="2026-03-09T10:00:00Z", meter=Decimal(0))
    permits = at_once(lambda number: starts.permit_of_start(charger.pk, start, f"transaction {number}"))
    assert sum(permit is not None for permit in permits) == 1


def test_the_same_transaction_gets_the_same_permit(threaded_db: None) -> None:
    charger = chargers.add_charger()
    RemoteStart.objects.create(**promised(charger))
    start = Start(number=1, id_tag="A1", told="2026-03-09T10:00:00Z", meter=Decimal(0))
    permits = at_once(lambda _: starts.permit_of_start(charger.pk, start, "transaction"))
    assert {permit.session_id for permit in permits} == {"S-1"}


def test_a_reservation_is_used_by_one_transaction(threaded_db: None) -> None:
    charger = chargers.add_charger()
    about = {"party": "NL*OCP", "commander": "DE*MSP", "location_id": "LOC-1", "reservation_id": "R", "command_id": 1}
    Reservation.objects.create(**promised(charger), **about, state=Reservation.State.ACTIVE, told_id=7)
    permits = at_once(lambda number: using.permit(charger.pk, 1, "A1", 7, f"transaction {number}"))
    assert sum(permit is not None for permit in permits) == 1


def test_a_token_has_one_alias(threaded_db: None) -> None:
    found = at_once(lambda _: aliases.tag("0123456789-0123456789", "RFID"))
    assert len(set(found)) == 1
