"""Who holds a charger, when many want it at once; and what may be configured."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings as node
from django.core.checks import run_checks
from django.db import connection
from django.utils import timezone

from cpo_backend.commanding import bus, concluding, queue
from cpo_backend.models import Charger, OcppCommand, OcppConnection, OcppNode
from cpo_backend.ocpp import fencing
from tests.kit.chargers import add_charger, eventually

THREADS = 6


def at_once(work: Any) -> list[Any]:
    """What `work` returns in each of several threads."""

    def closing(place: int) -> Any:
        try:
            return work(place)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(closing, range(THREADS)))


def test_of_connections_at_once_one_holds_the_charger(threaded_db: None) -> None:
    charger = add_charger()
    nodes = [fencing.enter() for _ in range(THREADS)]
    generations = at_once(lambda place: fencing.hold(nodes[place], charger.pk, "1.6", 1, "192.0.2.1"))
    held = OcppConnection.objects.get()
    assert held.generation in generations
    assert nodes[generations.index(held.generation)] == held.node_id
    for generation in generations:
        if generation != held.generation:
            fencing.release([generation])
    assert OcppConnection.objects.get().generation == held.generation
    assert Charger.objects.get().offline_since is None


def test_a_command_is_claimed_once_and_concluded_once(threaded_db: None) -> None:
    charger = add_charger()
    node = fencing.enter()
    held = {charger.pk: fencing.hold(node, charger.pk, "1.6", 1, "")}
    command = queue.put(charger, "ClearCache", {})
    claimed = [found.id for claims in at_once(lambda _: queue.claim(node, held, [])) for found in claims]
    assert claimed == [command.pk]
    concluded = at_once(lambda _: concluding.conclude(command.pk, OcppCommand.Status.OK, "{}"))
    assert sorted(concluded) == [False] * (THREADS - 1) + [True]


@pytest.mark.django_db
def test_a_process_claims_only_for_connections_that_are_its_own() -> None:
    charger = add_charger()
    node, other = fencing.enter(), fencing.enter()
    generation = fencing.hold(node, charger.pk, "1.6", 1, "")
    queue.put(charger, "ClearCache", {})
    assert queue.claim(other, {charger.pk: generation}, []) == []
    assert queue.claim(node, {charger.pk: uuid4()}, []) == []
    assert queue.claim(node, {charger.pk: generation}, [charger.pk]) == []
    assert len(queue.claim(node, {charger.pk: generation}, [])) == 1


@pytest.mark.django_db
def test_a_process_that_was_given_up_has_lost_its_connections() -> None:
    charger = add_charger()
    node = fencing.enter()
    generation = fencing.hold(node, charger.pk, "1.6", 1, "")
    assert fencing.lost(node, [generation]) == set()
    OcppNode.objects.update(seen_at=timezone.now() - fencing.TERM - timedelta(seconds=1))
    assert fencing.bury() == 1
    fencing.renew(node)
    assert fencing.lost(node, [generation]) == {generation}


@pytest.mark.parametrize(
    ("name", "value", "id"),
    [
        ("OCPP_COMMISSIONING_KEY", "short", "cpo_backend.E001"),
        ("OCPP_MIN_PROFILE", 4, "cpo_backend.E002"),
        ("OCPP_MIN_PROFILE", 1, "cpo_backend.W001"),
    ],
)
def test_settings_that_are_wrong_are_told_at_start(db: None, settings: Any, name: str, value: Any, id: str) -> None:
    setattr(settings, name, value)
    assert id in {message.id for message in run_checks(include_deployment_checks=True)}


@pytest.mark.skipif(not node.REDIS_URL, reason="needs Redis, by REDIS_URL")
def test_a_wake_up_reaches_other_processes_through_redis(settings: Any) -> None:
    heard = threading.Event()
    end = bus.listen(heard.set)
    try:
        with redis.Redis.from_url(settings.REDIS_URL) as client:  # as another process does it
            eventually(lambda: client.publish("ocpp:wake", b"") and heard.wait(0.1), "the wake-up")
    finally:
        end()


def test_a_wake_up_is_not_heard_any_more_after_the_end() -> None:
    heard = threading.Event()
    end = bus.listen(heard.set)
    bus.wake_here()
    assert heard.is_set()
    heard.clear()
    end()
    bus.wake_here()
    assert not heard.is_set()
