"""Private PostgreSQL and Redis servers on free loopback ports, from the binaries of Debian's packages.

Tests, benchmarks and `make prod-local` use them; nothing of the machine's own servers is touched, and everything is
gone afterwards. PostgreSQL refuses to run as root, so root hands it to the user `postgres`.

    python -m tests.kit.services run [--durable] [--clusters N] -- COMMAND …

runs a command with DATABASE_URL and REDIS_URL set (those already set are kept) and ends with its exit code. With
several clusters the others' URLs are in DATABASE_URLS, for tests that run side by side.
"""

import argparse
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Self

import psycopg

START_SECONDS = 30
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_DURABLE = ("fsync=on", "synchronous_commit=on", "shared_buffers=512MB", "max_wal_size=4GB")


class Missing(RuntimeError):
    """A server is not installed; the message names the Debian package."""


class NotStarted(RuntimeError):
    """A server ended, or did not answer in time; the message ends with what it said."""


def postgres_bin() -> Path:
    """Where PostgreSQL's server binaries are; raises Missing."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if initdb := shutil.which("initdb"):
        return Path(initdb).resolve().parent
    raise Missing("PostgreSQL's server is not installed (Debian package: postgresql)")


def redis_server() -> str:
    """The Redis server binary; raises Missing."""
    if found := shutil.which("redis-server"):
        return found
    raise Missing("the Redis server is not installed (Debian package: redis-server)")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _directory(user: str | None = None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="node-services-", ignore_cleanup_errors=True) as name:
        if user:
            shutil.chown(name, user)
        yield Path(name)


class Server:
    """A private server. `kill` ends it as a power cut would; `start` brings it back on what reached its directory."""

    def __init__(
        self,
        url: str,
        command: list[str],
        directory: Path,
        answers: Callable[[], bool],
        *,
        stop: signal.Signals,
        kill: signal.Signals,
        user: str | None = None,
    ) -> None:
        self.url = url
        self._command, self._directory, self._answers, self._user = command, directory, answers, user
        self._stop, self._kill = stop, kill
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it answers; raises NotStarted. Its session is its own: Ctrl-C reaches the command alone."""
        log = self._directory / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._directory,
                user=self._user,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace")[-1000:].strip()
                raise NotStarted(f"{self._command[0]} does not answer: {said}")
            time.sleep(0.05)

    def stop(self) -> None:
        self._end(self._stop)

    def kill(self) -> None:
        self._end(self._kill)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=20)
        self._process.kill()
        self._process.wait()
        self._process = None

    @contextlib.contextmanager
    def running(self) -> Iterator[Self]:
        try:
            self.start()
            yield self
        finally:
            self.stop()


@contextlib.contextmanager
def postgres(*, durable: bool = False) -> Iterator[Server]:
    """A PostgreSQL server with an empty database `node`, which its URL names. `durable`: commits reach the disk."""
    binaries, port = postgres_bin(), free_port()
    user = "postgres" if os.geteuid() == 0 else None
    name = user or pwd.getpwuid(os.geteuid()).pw_name
    base = f"postgres://{name}@127.0.0.1:{port}"

    def answers() -> bool:
        """It accepts connections a while before it serves them, so ask for something."""
        with (
            contextlib.suppress(psycopg.OperationalError),
            psycopg.connect(f"{base}/postgres", connect_timeout=2) as connection,
        ):
            connection.execute("SELECT 1")
            return True
        return False

    with _directory(user) as directory:
        data = str(directory / "data")
        initdb = [binaries / "initdb", "-D", data, "-A", "trust", "-U", name, "-E", "UTF8", "--locale=C.UTF-8"]
        done = subprocess.run([*initdb, "--no-sync"], capture_output=True, text=True, cwd=directory, user=user)
        if done.returncode:
            raise NotStarted(f"initdb failed: {done.stderr.strip()}")
        settings = ("listen_addresses=127.0.0.1", f"unix_socket_directories={directory}", "max_connections=200")
        options = [part for setting in (*settings, *(_DURABLE if durable else _QUICK)) for part in ("-c", setting)]
        command = [str(binaries / "postgres"), "-D", data, "-p", str(port), *options]
        end = {"stop": signal.SIGINT, "kill": signal.SIGQUIT}
        with Server(f"{base}/node", command, directory, answers, user=user, **end).running() as server:
            with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE node")
            yield server


@contextlib.contextmanager
def redis() -> Iterator[Server]:
    """A Redis server without persistence: once killed it comes back empty."""
    port = free_port()

    def answers() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    command = [redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with _directory() as directory:
        url = f"redis://127.0.0.1:{port}/0"
        with Server(url, command, directory, answers, stop=signal.SIGTERM, kill=signal.SIGKILL).running() as server:
            yield server


def run(command: list[str], *, durable: bool, clusters: int = 1) -> int:
    """Run a command with both servers in its environment; passes SIGINT and SIGTERM on; returns its exit code."""
    process: subprocess.Popen[bytes] | None = None
    early: list[int] | None = None  # signals that came while the command was being launched

    def pass_on(number: int, _: FrameType | None) -> None:
        if process is None:
            if early is None:
                sys.exit(128 + number)  # the servers are still starting: unwind, so that what has started stops
            early.append(number)
            return
        # The terminal has sent Ctrl-C to the command already, and a second one means "at once" to many.
        if number != signal.SIGINT or not sys.stdin.isatty():
            process.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, pass_on)
    environment = dict(os.environ)
    with contextlib.ExitStack() as stack:
        if "DATABASE_URL" not in environment:
            urls = [stack.enter_context(postgres(durable=durable)).url for _ in range(clusters)]
            environment |= {"DATABASE_URL": urls[0], "DATABASE_URLS": " ".join(urls)}
        if "REDIS_URL" not in environment:
            environment["REDIS_URL"] = stack.enter_context(redis()).url
        early = []
        process = subprocess.Popen(command, env=environment)
        for number in early:
            process.send_signal(number)
        code = process.wait()
    return code if code >= 0 else 128 - code


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kit.services", description=__doc__.splitlines()[0])
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("check", help="exit code 0 if both servers are installed")
    running = actions.add_parser("run", help="run a command with DATABASE_URL and REDIS_URL")
    running.add_argument("--durable", action="store_true", help="commits reach the disk, as in production")
    running.add_argument("--clusters", type=int, default=1, metavar="N", help="so many PostgreSQL servers")
    running.add_argument("command", nargs="+", metavar="COMMAND", help="after --: the command and its arguments")
    options = parser.parse_args()
    try:
        if options.action == "check":
            return 0 if postgres_bin() and redis_server() else 1
        return run(options.command, durable=options.durable, clusters=options.clusters)
    except (Missing, NotStarted) as error:
        print(error, file=sys.stderr)
        return 1
    except FileNotFoundError as error:
        print(f"no such command: {error.filename}", file=sys.stderr)
        return 127


if __name__ == "__main__":
    sys.exit(main())
