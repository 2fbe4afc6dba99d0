"""A node as in production: the Procfile's processes on servers of its own, each of which can be killed and comes back.

with production("HUB:NL*HUB:Example Hub", directory) as node:
    tokens = node.enter(peer)
    node.start("web")
    node.wait_ready()
    node.kill("web")
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg

from tests.kit.peer import FakePeer
from tests.kit.services import Server, free_port, postgres, redis

ROOT = Path(__file__).parents[2]
PROCESSES = ("web", "worker", "beat")
_READY_SECONDS = 60


class Production:
    """One node. `database` and `broker` are its own, and can be killed as well."""

    def __init__(self, parties: str, directory: Path, database: Server, broker: Server) -> None:
        self.port = free_port()
        self.url, self.log = f"http://127.0.0.1:{self.port}", directory / "log"
        self._servers = {"postgres": database, "redis": broker}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("NODE_")}
        self._env = inherited | {
            "DATABASE_URL": database.url,
            "REDIS_URL": broker.url,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "NODE_URL": self.url,
            "NODE_PARTIES": parties,
            "NODE_ALLOW_PRIVATE_URLS": "1",
            "LOG_LEVEL": "WARNING",
        }

    def enter(self, *peers: FakePeer, clients: tuple[str, ...] = ()) -> dict[str, str]:
        """Migrate, and enter connected platforms: partners that are servers, and such as only call, each `ROLE:CC*PID`.

        Returns the token of each, by its party.
        """
        rows = [
            {
                "party": f"{peer.role}:{peer.party}",
                "endpoints": [[*interface, url] for interface, url in peer.endpoints().items()],
                "versions_url": peer.versions_url,
                "outbound_token": peer.token,
            }
            for peer in peers
        ] + [{"party": party, "endpoints": [], "versions_url": "", "outbound_token": ""} for party in clients]
        done = subprocess.run(
            [sys.executable, "-m", "tests.kit.enter"],
            cwd=ROOT,
            env=self._env,
            input=json.dumps(rows),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        found: dict[str, str] = json.loads(done.stdout)
        return found

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self._servers["postgres"].url, autocommit=True, connect_timeout=5) as connection:
            for statement in statements:
                connection.execute(statement)

    # --- life and death ---------------------------------------------------------------------------------------------

    def start(self, name: str) -> None:
        """Start a process of the Procfile, or a server; only of the latter it is known then that it answers."""
        if name in self._servers:
            self._servers[name].start()
            return
        found = re.search(rf"^{name}: (.+)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
        assert found, f"the Procfile has no process {name}"
        with self.log.open("ab") as log:
            self._running[name] = subprocess.Popen(
                ["sh", "-c", f"exec {found[1]}"],
                cwd=ROOT,
                env=self._env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """End it without warning: SIGKILL; PostgreSQL at once, without a checkpoint. Fails if it has ended before."""
        if name in self._servers:
            self._servers[name].kill()
            return
        assert name not in self.ended(), f"{name} has ended by itself: {self.said()}"
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def ended(self) -> dict[str, int]:
        """The processes that have ended by themselves, with their exit codes."""
        return {name: process.returncode for name, process in self._running.items() if process.poll() is not None}

    def wait_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == 200:
                    return
            assert time.monotonic() < deadline, f"the node is not ready: {self.said()}"
            time.sleep(0.05)

    def said(self) -> str:
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def end(self) -> None:
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def production(parties: str, directory: Path) -> Iterator[Production]:
    """A node that runs no process yet, on a PostgreSQL that loses nothing, and a Redis that loses all."""
    with postgres(durable=True) as database, redis() as broker:
        node = Production(parties, directory, database, broker)
        try:
            yield node
        finally:
            node.end()
