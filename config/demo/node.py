"""One node of the demo: its environment, its processes, its database."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import environ
import httpx
from django.conf import settings
from django.db import connection, connections

from ocpi.client.messages import Presented, request_headers
from ocpi.ids import PartyId
from ocpi.models import ClientInfo, EvseStatus, Location, OwnedObject
from ocpi.store import evse_status
from ocpi.store.documents import Document
from ocpi.transport.headers import MessageIds, RoutingHeaders
from ocpi.types import codec
from roaming.exchange_models import Exchange
from roaming.models import Platform

PATIENCE_SECONDS = 300


class DemoFailed(Exception):
    """A step of the demo did not hold."""


class Node:
    """One node of the demo: its environment, its processes, its database."""

    def __init__(self, name: str, parties: str, directory: Path, number: int) -> None:
        self.name, self.port = name, _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        inherited = {key: value for key, value in os.environ.items() if key not in {"NODE_PARTIES", "NODE_URL"}}
        self._env = (
            inherited
            | _backends(name, directory, number)
            | {
                "NODE_URL": self.url,
                "NODE_PARTIES": parties,
                "NODE_ALLOW_PRIVATE_URLS": "1",
                "LOG_LEVEL": "WARNING",
                "OCPP_SESSION_EVERY": "2",  # seconds, for nobody wants to wait
                "OCPP_CDR_DELAY": "1",
            }
        )
        self._log = (directory / f"{name}.log").open("wb")
        self._process: subprocess.Popen[bytes] | None = None
        connections.databases[name] = {
            **connections.databases["default"],
            **environ.Env.db_url_config(self._env["DATABASE_URL"]),
        }

    def start(self) -> None:
        """Start the node's processes; `wait_ready` waits for them."""
        port = str(self.port)
        if connection.vendor != "sqlite":
            self.manage("migrate", "--verbosity", "0")
        command = (
            [sys.executable, "manage.py", "runnode", "--port", port]
            if connection.vendor == "sqlite"
            else [str(Path(sys.executable).parent / "honcho"), "start", "--port", port]
        )
        self._process = subprocess.Popen(  # noqa: S603
            command, cwd=settings.BASE_DIR, env=self._env, stdout=self._log, stderr=self._log, start_new_session=True
        )

    def wait_ready(self) -> None:
        """Wait until /readyz answers 200."""
        wait(f"{self.name} is ready", lambda: _is_ready(self.url))

    def stop(self) -> int:
        """SIGTERM, then wait for the node to drain; returns its exit code."""
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            return -signal.SIGKILL

    def manage(self, *arguments: str, tolerated: Sequence[int] = (0,), given: Any = None) -> Any:
        """Run a management command of this node, `given` a document; returns its JSON, if it printed any."""
        done = subprocess.run(  # noqa: S603
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=self._env,
            input=b"" if given is None else codec.encode(given),
            capture_output=True,
            check=False,
        )
        if done.returncode not in tolerated:
            tail = done.stderr.decode()[-1500:]
            raise DemoFailed(f"{self.name}: manage.py {' '.join(arguments)} exited {done.returncode}\n{tail}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    @contextlib.contextmanager
    def going_on(self, *arguments: str) -> Iterator[None]:
        """A management command of this node that goes on until the end of the block."""
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=self._env,
            stdout=self._log,
            stderr=self._log,
        )
        try:
            yield
        finally:
            process.kill()
            process.wait()

    @property
    def chargers_url(self) -> str:
        """Where chargers connect; in production, to a process of their own, to which honcho gives the fourth port."""
        return self.url if connection.vendor == "sqlite" else f"http://127.0.0.1:{self.port + 300}"

    def ask(
        self, host: "Node", method: str, path: str, to: str = "", party: str = "", body: Any = None
    ) -> httpx.Response:
        """One OCPI request as this node's platform to one it has registered with, addressed to a party or to nobody."""
        platform = Platform.objects.using(self.name).get(name=host.name)
        routing = RoutingHeaders(PartyId.parse(to) if to else None, PartyId.parse(party) if party else None)
        presented = Presented(platform.outbound_token, platform.sends_plain_token)
        headers = request_headers(presented, MessageIds(), routing, body=body is not None)
        content = None if body is None else codec.encode(body)
        url = path if path.startswith("http") else f"{host.url}/ocpi/2.2.1/{path}"
        return httpx.request(method, url, headers=headers, content=content, timeout=30, trust_env=False)

    def documents(self, model: type[OwnedObject], **which: Any) -> dict[str, Document]:
        """The objects of a module that the node holds, by owner and key, with the live statuses of EVSEs put in."""
        live: dict[int, evse_status.Live] = {}
        statuses = EvseStatus.objects.using(self.name).filter(location__stale=True)
        for id, key, *status in statuses.values_list("location", "key", "status", "stamp"):
            live.setdefault(id, {})[key] = (status[0], status[1])
        rows = model._default_manager.using(self.name).filter(**which)
        return {f"{row.owner} {row.key}": _current(row, live.get(row.pk, {})) for row in rows}

    def count(self, model: type[OwnedObject] = Location) -> int:
        return model._default_manager.using(self.name).count()

    def document(self, model: type[OwnedObject], key: str) -> Document | None:
        return next(iter(self.documents(model, key=key.lower()).values()), None)

    def connections(self) -> set[str]:
        """Which parties a hub says are connected, and how."""
        infos = self.documents(ClientInfo).values()
        return {f"{info['country_code']}*{info['party_id']} {info['status']}" for info in infos}

    def sent(self, to: "Node", method: str, module: str, since: datetime) -> list[str]:
        """The URLs of the requests of this node that another one's platform has answered, by the exchange log."""
        rows = Exchange.objects.using(self.name).filter(direction=Exchange.Direction.OUT, platform_name=to.name)
        answered = rows.filter(method=method, module=module, at__gte=since).exclude(http_status=None)
        return list(answered.values_list("url", flat=True))

    def import_objects(self, module: str, party: str, documents: Sequence[Document]) -> Any:
        """Import own objects; returns the report."""
        with tempfile.NamedTemporaryFile("wb", suffix=".json") as file:
            file.write(codec.encode(documents))
            file.flush()
            return self.manage("import_objects", module, file.name, "--party", party, "--json")


def _current(row: OwnedObject, live: evse_status.Live) -> Document:
    document: Document = codec.decode(row.document.encode())
    if isinstance(row, Location) and row.stale:
        evse_status.overlay(document, live, row.stamp)
    return document


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _backends(name: str, directory: Path, number: int) -> dict[str, str]:
    if connection.vendor == "sqlite":
        return {"DATABASE_URL": f"sqlite:///{directory / name}.sqlite3", "REDIS_URL": ""}
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "demo_{name}"')
        cursor.execute(f'CREATE DATABASE "demo_{name}"')
    return {
        "DATABASE_URL": f"{os.environ['DATABASE_URL'].rsplit('/', 1)[0]}/demo_{name}",
        "REDIS_URL": f"{os.environ['REDIS_URL'].rstrip('/').removesuffix('/0')}/{number}",
    }


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def wait(what: str, holds: Callable[[], bool]) -> float:
    """Wait until something holds; returns the seconds it took, or raises DemoFailed."""
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > PATIENCE_SECONDS:
            raise DemoFailed(f"{what}: not within {PATIENCE_SECONDS} s")
        time.sleep(0.05)
    return time.monotonic() - started


def expect(holds: bool, otherwise: str) -> None:
    """Raise DemoFailed unless it holds."""
    if not holds:
        raise DemoFailed(otherwise)
