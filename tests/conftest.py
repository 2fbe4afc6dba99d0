"""Fixtures of all tests. Tests run on SQLite, or on PostgreSQL when DATABASE_URL names one."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection

from roaming.directory import directory
from tests.kit import commands
from tests.kit.caller import PartnerClient
from tests.kit.commands import FakeChargePoints
from tests.kit.peer import FakePeer
from tests.kit.platforms import Registered, register


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, worker_id: str) -> None:
    """Of tests side by side each process has a PostgreSQL cluster of its own (tests/kit/services.py)."""
    urls = os.environ.get("DATABASE_URLS", "").split()
    if len(urls) > 1 and worker_id != "master":
        connection.settings_dict["PORT"] = urlsplit(urls[int(worker_id.removeprefix("gw"))]).port


@pytest.fixture(autouse=True)
def _fresh_directory() -> Iterator[None]:
    """The directory remembers platforms by a version number, which a rolled-back test would use again."""
    directory.forget()
    yield
    directory.forget()


@pytest.fixture
def threaded_db(transactional_db: None) -> Iterator[None]:
    """A database that several threads use at once; a flush follows, and post_migrate makes our parties anew."""
    if connection.vendor != "postgresql":
        pytest.skip("needs transactions side by side: PostgreSQL, by DATABASE_URL (SQLite writes one at a time)")
    yield


@pytest.fixture
def emsp(db: None) -> Registered:
    """A connected eMSP."""
    return register("EMSP:DE*MSP", name="Example eMSP")


@pytest.fixture
def cpo(db: None) -> Registered:
    """A connected CPO, the owner of Locations that are pushed to us."""
    return register("CPO:DE*CPO", name="Example CPO")


@pytest.fixture
def emsp_client(emsp: Registered) -> PartnerClient:
    return emsp.client()


@pytest.fixture
def cpo_client(cpo: Registered) -> PartnerClient:
    return cpo.client()


@pytest.fixture
def fake_peer(settings: Any) -> Iterator[Callable[..., FakePeer]]:
    """Starts partners on loopback, which this node is allowed to call; they stop with the test."""
    settings.NODE_ALLOW_PRIVATE_URLS = True
    settings.NODE_PARTNER_TIMEOUT = 2
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(FakePeer(**options))


@pytest.fixture
def charge_points(settings: Any, monkeypatch: pytest.MonkeyPatch) -> FakeChargePoints:
    """Charge points of ours that accept every command, until their `verdict` is another."""
    monkeypatch.setattr(commands, "fake_charge_points", FakeChargePoints())
    settings.OCPI = {**settings.OCPI, "charge_points": "tests.kit.commands.fake_charge_points"}
    return commands.fake_charge_points
