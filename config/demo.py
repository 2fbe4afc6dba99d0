"""`make demo`: three nodes of this program on loopback do the main job, end to end.

Hub NL*HUB, CPO DE*CPO and eMSP NL*MSP, each with its own processes and its own database. Embedded (SQLite) unless
DATABASE_URL names PostgreSQL; then each node is its Procfile under honcho, with a database and a Redis number of its
own. Every step checks what it claims; the first that does not hold ends the demo.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environ
import httpx
from django.conf import settings
from django.db import connection, connections

from ocpi.cli import progress
from ocpi.models import Location
from ocpi.store.documents import Document
from ocpi.types import codec, times

PATIENCE_SECONDS = 300
SAMPLE = Path(settings.BASE_DIR) / "cpo_backend" / "register" / "sample.json"


class DemoFailed(Exception):
    """A step of the demo did not hold."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step saw, and how long it took."""

    name: str
    saw: str
    seconds: float


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

    def manage(self, *arguments: str, tolerated: Sequence[int] = (0,)) -> Any:
        """Run a management command of this node; returns its JSON, if it printed any."""
        done = subprocess.run(  # noqa: S603
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=self._env,
            capture_output=True,
            check=False,
        )
        if done.returncode not in tolerated:
            tail = done.stderr.decode()[-1500:]
            raise DemoFailed(f"{self.name}: manage.py {' '.join(arguments)} exited {done.returncode}\n{tail}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def locations(self) -> dict[str, Document]:
        """Every Location the node holds, by owner and id."""
        rows = Location.objects.using(self.name).values_list("owner", "key", "document")
        return {f"{owner} {key}": codec.decode(document.encode()) for owner, key, document in rows}

    def count(self) -> int:
        return Location.objects.using(self.name).count()

    def location(self, key: str) -> Document | None:
        text = Location.objects.using(self.name).filter(key=key).values_list("document", flat=True).first()
        return codec.decode(text.encode()) if text else None


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


def run(locations: Path, tell: Callable[[Step], None]) -> list[Step]:
    """Play the whole story with the sites in `locations`; `tell` hears of each step as it is done."""
    steps: list[Step] = []

    @contextlib.contextmanager
    def step(name: str) -> Iterator[Callable[[str], None]]:
        started = time.monotonic()
        saw: list[str] = []
        yield saw.append
        steps.append(Step(name, "; ".join(saw), time.monotonic() - started))
        tell(steps[-1])

    directory = Path(tempfile.mkdtemp(prefix="demo-", dir=settings.VAR_DIR))
    hub = Node("hub", "HUB:NL*HUB:Example Hub", directory, 1)
    cpo = Node("cpo", "CPO:DE*CPO:Example Charging", directory, 2)
    msp = Node("msp", "EMSP:NL*MSP:Example Mobility", directory, 3)
    try:
        _story(hub, cpo, msp, locations, step)
    except DemoFailed as error:
        raise DemoFailed(f"{error}\n(logs of the nodes: {directory})") from None
    finally:
        codes = {node.name: node.stop() for node in (msp, cpo, hub)}
    with step("stop the nodes") as saw:
        if connection.vendor == "sqlite" and any(codes.values()):
            raise DemoFailed(f"nodes did not drain on SIGTERM: exit codes {codes}")
        saw("SIGTERM drained all three")
    shutil.rmtree(directory)
    return steps


def _story(hub: Node, cpo: Node, msp: Node, locations: Path, step: Callable[..., Any]) -> None:
    with step("start hub, CPO and eMSP") as saw:
        for node in (hub, cpo, msp):
            node.start()
        for node in (hub, cpo, msp):
            node.wait_ready()
        saw(", ".join(f"{node.name} {node.url}" for node in (hub, cpo, msp)))

    with step("import charging sites at the CPO") as saw:
        report = cpo.manage("import_locations", str(locations), "--party", "DE*CPO", "--json", tolerated=(0, 3))
        total = report["created"]
        saw(f"{total} Locations, {report['evses']} EVSEs, {report['rejected']} rows rejected with reasons")
        saw(f"{report['per_second']} Locations/s")
        _expect(total > 0 and cpo.count() == total, f"the CPO holds {cpo.count()} of {total}")

    with step("CPO registers with the hub") as saw:
        saw(_register(cpo, hub))
    with step("Broadcast Push: CPO to hub") as saw:
        saw(_flow(hub, total, "the hub's copies"))
    with step("eMSP registers with the hub") as saw:
        saw(_register(msp, hub))
    with step("Broadcast Push: hub to eMSP, with the eMSP's own first pull") as saw:
        saw(_flow(msp, total, "the eMSP's copies"))
    with step("GET All at the eMSP") as saw:
        pulled = msp.manage("sync_platform", "hub", "--full", "--json")["locations"]
        _expect(pulled["created"] + pulled["updated"] == 0, f"GET All found differences: {pulled}")
        _expect(pulled["unchanged"] == total, f"GET All returned {pulled['unchanged']} of {total}")
        saw(f"{pulled['unchanged']} Locations in {pulled['pages']} pages, {pulled['per_second']} Locations/s")
    with step("compare object by object") as saw:
        source, copies = cpo.locations(), (hub.locations(), msp.locations())
        _expect(all(copy == source for copy in copies), "the copies differ from the CPO's Locations")
        saw(f"{len(source)} Locations equal at CPO, hub and eMSP")
    with step("change one EVSE's status at the CPO") as saw:
        saw(_change_one(cpo, msp))


def _register(node: Node, hub: Node) -> str:
    invitation = hub.manage("invite_platform", node.name, "--json")
    report = node.manage("connect_platform", "hub", invitation["versions_url"], invitation["token"], "--json")
    return f"{report['state']} with {', '.join(report['parties'])}, {len(report['endpoints'])} endpoints"


def _flow(node: Node, total: int, what: str) -> str:
    before = node.count()
    with progress(what) as advance:

        def all_there() -> bool:
            advance(node.count(), total)
            return node.count() >= total

        seconds = wait(what, all_there)
    return f"{total} Locations, {round((total - before) / max(seconds, 0.001))} Locations/s"


def _change_one(cpo: Node, msp: Node) -> str:
    document = next(iter(cpo.locations().values()))
    evse, now = document["evses"][0], times.now()
    evse["status"] = "CHARGING" if evse["status"] != "CHARGING" else "AVAILABLE"
    evse["last_updated"] = document["last_updated"] = now
    with tempfile.NamedTemporaryFile("wb", suffix=".json") as file:
        file.write(codec.encode([document]))
        file.flush()
        report = cpo.manage("import_objects", "locations", file.name, "--party", "DE*CPO", "--json")
    _expect(report["updated"] == 1, f"import_objects reports {report}")
    seconds = wait("the eMSP sees the change", lambda: msp.location(document["id"].lower()) == document)
    return f"{document['id']} / {evse['uid']} is {evse['status']} at the eMSP after {seconds:.2f} s"


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise DemoFailed(otherwise)
