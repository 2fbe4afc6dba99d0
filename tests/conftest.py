"""Fixtures of all tests. Tests run on SQLite, or on PostgreSQL when DATABASE_URL names one."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as node
from django.db import connection
from django.test import TransactionTestCase

from roaming import directory as directories
from roaming.breaker import strikes
from roaming.directory import directory
from roaming.exchanges.log import ExchangeLog
from roaming.hub.relay import Relay
from roaming.models import Party
from roaming.sightings import sightings
from tests.kit import commands, database, exchanges
from tests.kit.caller import PartnerClient
from tests.kit.commands import FakeChargePoints
from tests.kit.front_door import serve
from tests.kit.migrated import migrated
from tests.kit.peer import FakePeer
from tests.kit.platforms import Registered, register

# Tests that want an exchange log ask for `exchange_log`; a thread that outlives its test must not find one.
node.NODE_LOG_DAYS = 0
# Static files are found when they are asked for: else the client of each test would first read them all.
node.WHITENOISE_AUTOREFRESH = True
# Passwords of staff are worth a tenth of a second each, but not here.
node.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


class _Loggers(dict[str, Any]):
    """All loggers. pytest walks through them around each test, while a thread that outlives its test may add one."""

    def values(self) -> Any:
        return list(super().values())


logging.root.manager.loggerDict = _Loggers(logging.root.manager.loggerDict)


@pytest.fixture(scope="session")
def migrated_sqlite() -> Path:
    """A SQLite database with every migration applied, to be copied."""
    return migrated(node.VAR_DIR / "migrated")


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """On SQLite the database is there already: a copy of the migrated one."""
    return connection.vendor == "sqlite"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None,
    worker_id: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> None:
    """Of tests side by side each process has a PostgreSQL cluster of its own (tests/kit/services.py).

    Threads give their connections back after each piece of work, or the database could not be dropped. On SQLite it is
    a file, as ever else: threads that share one in memory do not wait for each other, but fail.
    """
    if connection.vendor == "sqlite":
        database = tmp_path_factory.mktemp("database") / "test.sqlite3"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), database)
        connection.settings_dict["TEST"]["NAME"] = str(database)
        options = connection.settings_dict["OPTIONS"]
        options["init_command"] = options["init_command"].replace("synchronous=NORMAL", "synchronous=OFF")
    if connection.vendor == "postgresql":
        connection.settings_dict["CONN_MAX_AGE"] = 0
    urls = os.environ.get("DATABASE_URLS", "").split()
    if len(urls) > 1 and worker_id != "master":
        connection.settings_dict["PORT"] = urlsplit(urls[int(worker_id.removeprefix("gw"))]).port


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda test: database.empty())
        yield


@pytest.fixture(autouse=True)
def _fresh_directory() -> Iterator[None]:
    """The directory remembers platforms by a version number, which a rolled-back test would use again."""
    directory.forget()
    strikes.forget()
    sightings.forget()
    yield
    directory.forget()


@pytest.fixture
def exchange_log(settings: Any, monkeypatch: pytest.MonkeyPatch) -> ExchangeLog:
    """The exchange log, which writes when it is told to `flush`."""
    monkeypatch.setattr(exchanges, "exchange_log", ExchangeLog(threaded=False))
    settings.OCPI = {**settings.OCPI, "exchange_log": "tests.kit.exchanges.exchange_log"}
    settings.NODE_LOG_DAYS = 30
    return exchanges.exchange_log


@pytest.fixture
def threaded_db(transactional_db: None) -> Iterator[None]:
    """A database that several threads use at once; it is emptied afterwards."""
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


@pytest.fixture
def hub(transactional_db: None) -> Iterator[str]:
    """The URL of this node, a hub."""
    from config.asgi import bridge  # the whole node: only where it is wanted

    Party.objects.create(party="NL*HUB", role="HUB", name="Example Hub")
    directories.changed()
    relay = Relay(bridge, directory)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{message['type']}.complete"})
            relay.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await relay(scope, receive, send)

    with serve(application) as url:
        yield url
