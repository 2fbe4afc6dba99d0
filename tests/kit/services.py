"""Private PostgreSQL and Redis servers on free loopback ports, from the binaries of Debian's packages.

Tests, benchmarks and `make prod-local` use them; nothing of the machine's own servers is touched, and everything is
gone afterwards. PostgreSQL refuses to run as root, so root hands it to the user `postgres`.

    python -m tests.kit.services run [--durable] -- COMMAND …

runs a command with DATABASE_URL and REDIS_URL set (those already set are kept) and ends with its exit code.
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
from collections.abc import Iterator
from pathlib import Path

START_SECONDS = 30
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_DURABLE = ("fsync=on", "synchronous_commit=on", "shared_buffers=512MB", "max_wal_size=4GB")


class Missing(RuntimeError):
    """A server is not installed; the message names the Debian package."""


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int, process: subprocess.Popen[bytes], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{what} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{what} does not answer on port {port}")


@contextlib.contextmanager
def _running(command: list[str], port: int, what: str, user: str | None, stop: signal.Signals) -> Iterator[None]:
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user, start_new_session=True
    )
    try:
        _await(port, process, what)
        yield
    finally:
        process.send_signal(stop)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        process.kill()


@contextlib.contextmanager
def postgres(*, durable: bool = False) -> Iterator[str]:
    """A PostgreSQL server with an empty database `node`; yields its URL. `durable`: commits reach the disk."""
    binaries, port = postgres_bin(), _free_port()
    user = "postgres" if os.geteuid() == 0 else None
    name = user or pwd.getpwuid(os.geteuid()).pw_name
    with tempfile.TemporaryDirectory(prefix="node-postgres-", ignore_cleanup_errors=True) as directory:
        if user:
            shutil.chown(directory, user)
        data = f"{directory}/data"
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "user": user}
        subprocess.run(
            [binaries / "initdb", "-D", data, "-A", "trust", "-U", name, "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"],
            **quiet,
        )
        settings = [part for setting in (_DURABLE if durable else _QUICK) for part in ("-c", setting)]
        listen = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={directory}", "-p", str(port)]
        command = [str(binaries / "postgres"), "-D", data, *listen, "-c", "max_connections=200", *settings]
        with _running(command, port, "PostgreSQL", user, signal.SIGINT):
            subprocess.run([binaries / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", name, "node"], **quiet)
            yield f"postgres://{name}@127.0.0.1:{port}/node"


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """A Redis server without persistence; yields its URL."""
    port = _free_port()
    command = [redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with _running(command, port, "Redis", None, signal.SIGTERM):
        yield f"redis://127.0.0.1:{port}/0"


def run(command: list[str], *, durable: bool) -> int:
    """Run a command with both servers in its environment; passes SIGINT and SIGTERM on; returns its exit code."""
    environment = dict(os.environ)
    with contextlib.ExitStack() as stack:
        if "DATABASE_URL" not in environment:
            environment["DATABASE_URL"] = stack.enter_context(postgres(durable=durable))
        if "REDIS_URL" not in environment:
            environment["REDIS_URL"] = stack.enter_context(redis())
        process = subprocess.Popen(command, env=environment)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda received, _: process.send_signal(received))
        return process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kit.services", description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["run", "check"], help="check: exit 0 if both servers are installed")
    parser.add_argument("--durable", action="store_true", help="commits reach the disk, as in production")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        if options.action == "check":
            return 0 if postgres_bin() and redis_server() else 1
        return run([part for part in options.command if part != "--"], durable=options.durable)
    except Missing as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
