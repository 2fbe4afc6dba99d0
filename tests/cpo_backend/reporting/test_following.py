"""Whoever follows the feed of CDRs loses none, in whatever order transactions commit, and reads none twice."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random

import pytest
from django.db import connection, transaction

from cpo_backend import tasks
from cpo_backend.models import CdrFigures
from cpo_backend.reporting import following
from ocpi.models import Cdr
from ocpi.store.catalogue import STORES
from ocpi.store.objects import Arrival
from ocpi.v221.versions import ModuleID
from tests.kit.own_cdrs import ours

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2025, 3, 10, 12, tzinfo=UTC)


def put(id: str, party_id: str = "OCP") -> None:
    """A CDR of one of our own parties, which nobody has read yet."""
    STORES[ModuleID.CDRS].put_many([Arrival(ours(AT, id, party_id=party_id))], source=None)


def read() -> set[str]:
    following.follow()
    return set(CdrFigures.objects.values_list("cdr__key", flat=True))


def test_the_task_reads_what_has_come() -> None:
    put("A")
    put("B")
    tasks.follow_cdrs()
    assert CdrFigures.objects.count() == 2


def test_more_cdrs_than_a_batch_are_all_read() -> None:
    number = following.BATCH + 1
    STORES[ModuleID.CDRS].put_many([Arrival(ours(AT, f"C{n}")) for n in range(number)], source=None)
    assert (following.follow(), CdrFigures.objects.count()) == (number, number)


def test_a_cdr_that_commits_late_is_not_passed_over(threaded_db: None) -> None:
    """The slow transaction takes its place in the feed first and commits last."""
    stored, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                put("SLOW", "SLW")
                stored.set()
                assert go_on.wait(10)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(slow)
        try:
            assert stored.wait(10)
            put("FAST")
            assert read() == set()
        finally:
            go_on.set()
        writer.result(10)
    assert read() == {"slow", "fast"}


def test_followers_beside_writers_lose_nothing_and_read_nothing_twice(threaded_db: None) -> None:
    parties, done = ("OCP", "OCQ", "OCR"), threading.Event()

    def write(party: str) -> None:
        chance = Random(party)
        try:
            for number in range(20):
                with transaction.atomic():
                    put(f"{party}-{number}", party)
                    threading.Event().wait(chance.random() / 200)
        finally:
            connection.close()

    def follow() -> int:
        count = 0
        try:
            while True:
                finished = done.is_set()
                count += following.follow()
                if finished:
                    return count
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        followers = [pool.submit(follow) for _ in range(2)]
        try:
            for writer in [pool.submit(write, party) for party in parties]:
                writer.result(30)
        finally:
            done.set()
        assert sum(follower.result(30) for follower in followers) == 60
    assert Cdr.objects.count() == CdrFigures.objects.filter(is_last=True).count() == 60
