"""Nodes to measure: a database of their own, the Procfile's web process, partners entered directly."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.bench import processes
from tests.bench.processes import CaseFailed, Pinned

TOKEN = "bench-credentials-token"
LOCATIONS = "/ocpi/2.2.1/sender/locations"


@dataclass(frozen=True, slots=True)
class Partner:
    """A connected platform: it presents TOKEN to us and we to it. `url` is its base, empty when it has no server.

    `party` may be several, separated by spaces.
    """

    name: str
    party: str
    role: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A node that has a database but runs no process yet."""

    name: str
    port: int
    database: str
    env: dict[str, str]
    directory: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.directory / f"{self.name}.log"

    def command(
        self, *arguments: str, core: int | None = None, tolerated: tuple[int, ...] = (0,), given: str = ""
    ) -> Any:
        """Run a Python program of this node, `manage.py …` or `-m …`, on `given`; returns the JSON it printed."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=processes.ROOT,
            env=self.env,
            input=given.encode(),
            capture_output=True,
            check=False,
            preexec_fn=None if core is None else lambda: processes.pin(core),
        )
        if done.returncode not in tolerated:
            raise CaseFailed(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stderr.decode()[-1500:]}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def connect(self, *partners: Partner) -> dict[str, int]:
        """Enter connected platforms; returns their ids by name."""
        rows = [[partner.name, partner.party, partner.role, partner.url] for partner in partners]
        ids: dict[str, int] = self.command("-m", "tests.bench.enter_partners", given=json.dumps(rows))
        return ids

    @contextlib.contextmanager
    def web(self, core: int = processes.PRODUCT_CORE) -> Iterator[Pinned]:
        """The Procfile's web process with one worker, ready."""
        with self.process("web", core) as process:
            processes.await_http(f"{self.url}/readyz", process, self.log)
            yield process

    @contextlib.contextmanager
    def process(self, name: str, core: int) -> Iterator[Pinned]:
        """A process of the Procfile."""
        procfile = (processes.ROOT / "Procfile").read_text()
        line = re.search(rf"^{name}: (.+)$", procfile, re.MULTILINE)
        if line is None:
            raise CaseFailed(f"the Procfile has no process {name}")
        env = {**self.env, "PORT": str(self.port), "HOST": "127.0.0.1", "WEB_CONCURRENCY": "1"}
        with processes.running(["sh", "-c", f"exec {line[1]}"], env, core, self.log) as process:
            yield process


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def headers(party: str) -> dict[str, str]:
    """What a partner's every request carries."""
    from ocpi.transport import authorization

    return {
        "Authorization": authorization.encode(TOKEN),
        "X-Request-ID": "0b1c2d3e-0000-4000-8000-000000000001",
        "X-Correlation-ID": "0b1c2d3e-0000-4000-8000-000000000002",
        "OCPI-from-country-code": party[:2],
        "OCPI-from-party-id": party[3:],
    }


@contextlib.contextmanager
def node(name: str, parties: str, directory: Path, number: int = 1) -> Iterator[Node]:
    """A migrated node on a PostgreSQL database of its own, dropped afterwards; Redis database `number`."""
    base, database = os.environ["DATABASE_URL"], f"bench_{name}"
    url = f"{base.rsplit('/', 1)[0]}/{database}"
    _administer(base, f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)', f'CREATE DATABASE "{database}"')
    try:
        redis = os.environ.get("REDIS_URL", "")
        backends = {"DATABASE_URL": url, "REDIS_URL": f"{redis.removesuffix('/0')}/{number}" if redis else ""}
        yield _migrated(Node(name, port := free_port(), url, _environment(port, parties, backends), directory))
    finally:
        _administer(base, f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def embedded(name: str, parties: str, directory: Path) -> Node:
    """A migrated node on SQLite and nothing else."""
    url, port = f"sqlite:///{directory / name}.sqlite3", free_port()
    backends = {"DATABASE_URL": url, "REDIS_URL": ""}
    return _migrated(Node(name, port, url.removeprefix("sqlite:///"), _environment(port, parties, backends), directory))


def _environment(port: int, parties: str, backends: dict[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("NODE_")}
    return {
        **inherited,
        **backends,
        "NODE_URL": f"http://127.0.0.1:{port}",
        "NODE_PARTIES": parties,
        "NODE_ALLOW_PRIVATE_URLS": "1",
        "NODE_PARTNER_TIMEOUT": "60",
        "NODE_RATES": "",
    }


def _migrated(found: Node) -> Node:
    found.command("manage.py", "migrate", "--verbosity", "0")
    return found


def _administer(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
