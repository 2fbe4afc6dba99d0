"""Liveness and readiness."""

import threading

import pytest

from config import embedded


def test_healthz_needs_nothing(client):
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_readyz_names_each_part(client):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert set(answer.json()["checks"]) == {"database", "migrations", "redis", "jobs"}


@pytest.mark.django_db
def test_readyz_is_503_with_the_reason_when_redis_does_not_answer(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["redis"].startswith("unreachable")


@pytest.mark.django_db
def test_readyz_is_503_when_a_job_thread_has_died(client):
    dead = threading.Thread(target=lambda: None, name="worker")
    dead.start()
    dead.join()
    embedded._threads.append(dead)
    try:
        answer = client.get("/readyz")
    finally:
        embedded._threads.remove(dead)
    assert answer.status_code == 503
    assert answer.json()["checks"]["jobs"] == "stopped: worker"
