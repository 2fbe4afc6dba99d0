"""One site in several threads at once: decisions, answers, starts, stops and partners (PostgreSQL)."""

import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from cpo_backend.billing import dues
from cpo_backend.commanding import concluding
from cpo_backend.models import (
    Bill,
    Charger,
    OcppCommand,
    OcppConnection,
    PowerShare,
    PowerSite,
    SentProfile,
    SessionProfile,
    Transaction,
)
from cpo_backend.ocpp import fencing
from cpo_backend.power import deciding, seats, waking
from cpo_backend.profiles import ordering
from cpo_backend.transactions import lost
from ocpi.ids import PartyId
from ocpi.ports import Command, CommandRequest
from tests.cpo_backend.power.conftest import add_node, add_site

THREADS, TIMES = 6, 8
OWNER = PartyId("NL*OCP")
Status = OcppCommand.Status


@pytest.fixture
def site(threaded_db: None) -> PowerSite:
    """All chargers are there and have taken the limit for cars that come."""
    now = timezone.now()
    node = add_node()
    found = add_site()
    for charger in Charger.objects.all():
        Charger.objects.filter(pk=charger.pk).update(version="1.6")
        fencing.hold(node.pk, charger.pk, "1.6", 1, "")
        PowerShare.objects.create(site=found, charger=charger, number=1, default_watts=Decimal(1380), default_at=now)
    return found


def begin(charger_id: int) -> None:
    with transaction.atomic():
        charger = Charger.objects.select_for_update().get(pk=charger_id)
        if Transaction.objects.filter(charger=charger, closed_by="").exists():
            return
        now = timezone.now()
        made = Transaction.objects.create(
            charger=charger, number=1, start_told=uuid4().hex, start_received_at=now, heard_at=now
        )
        dues.opened(made)
        waking.after_commit([charger.pk])


def end(charger_id: int) -> None:
    with transaction.atomic():
        Charger.objects.select_for_update().get(pk=charger_id)
        if found := Transaction.objects.filter(charger=charger_id, closed_by="").first():
            lost.end(found, Transaction.ClosedBy.CHARGER)


def answer(charger_id: int, chance: random.Random) -> None:
    command = OcppCommand.objects.filter(charger=charger_id, status=Status.QUEUED).order_by("pk").first()
    if command is None:
        return
    OcppCommand.objects.filter(pk=command.pk).update(sent_at=timezone.now())
    status, word = chance.choice([(Status.OK, "Accepted")] * 4 + [(Status.OK, "Rejected"), (Status.TIMEOUT, "")])
    concluding.conclude(command.pk, status, f'{{"status":"{word}"}}' if word else "")
    PowerShare.objects.filter(charger=charger_id).update(retry_at=None)


def partner(charger_id: int, chance: random.Random) -> None:
    bill = Bill.objects.filter(transaction__charger=charger_id, transaction__closed_by="").first()
    if bill is None:
        return
    period = {"start_period": 0, "limit": Decimal(chance.choice([6, 16, 32]))}
    document = {"charging_profile": {"charging_rate_unit": "A", "charging_profile_period": [period]}}
    request = CommandRequest(Command.SET_CHARGING_PROFILE, OWNER, OWNER, document, session={"id": bill.session_id})
    with transaction.atomic():
        ordering.apply(chance.randrange(10**9), request)


def decide() -> None:
    PowerSite.objects.update(due_at=timezone.now())
    deciding.decide_due()


def check(site: PowerSite) -> None:
    with transaction.atomic():
        held = PowerSite.objects.select_for_update(no_key=True).get(pk=site.pk)
        committed = sum(seat.committed for seat in seats.of(held))
    assert committed <= site.limit


def test_nobody_overcommits(site: PowerSite) -> None:
    barrier, ids = Barrier(THREADS), list(Charger.objects.values_list("pk", flat=True))

    def run(number: int) -> None:
        chance = random.Random(number)
        try:
            barrier.wait()
            for _ in range(TIMES):
                charger_id = chance.choice(ids)
                match chance.randrange(6):
                    case 0:
                        begin(charger_id)
                    case 1:
                        end(charger_id)
                    case 2:
                        partner(charger_id, chance)
                    case _:
                        answer(charger_id, chance)
                decide()
                check(site)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(run, range(THREADS))) == [None] * THREADS


def test_first_profiles_of_partners_at_once_wait_for_each_other(site: PowerSite) -> None:
    ids = list(Charger.objects.values_list("pk", flat=True))
    for id in ids:
        begin(id)
    barrier = Barrier(THREADS)

    def run(number: int) -> None:
        chance = random.Random(number)
        try:
            for id in ids:
                barrier.wait()
                for _ in range(3):
                    partner(id, chance)
        except Exception:
            barrier.abort()  # or the others would wait for ever
            raise
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(run, range(THREADS)))
    assert SessionProfile.objects.count() == len(ids)
    check(site)


def test_one_decision_is_sent_once(site: PowerSite) -> None:
    for id in Charger.objects.values_list("pk", flat=True):
        begin(id)
    PowerSite.objects.update(due_at=timezone.now())
    barrier = Barrier(THREADS)

    def run(_: int) -> None:
        try:
            barrier.wait()
            deciding.decide(site.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(run, range(THREADS)))
    assert SentProfile.objects.count() == OcppConnection.objects.count() == 4
    assert set(PowerShare.objects.values_list("granted", flat=True)) == {Decimal(2750)}
