"""Processes pinned to a core, and what they cost: CPU seconds and memory from /proc."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg

ROOT = Path(__file__).resolve().parents[2]
PRODUCT_CORE = 0
OTHER_CORE = min(1, len(os.sched_getaffinity(0)) - 1)
START_SECONDS = 60
_TICK = os.sysconf("SC_CLK_TCK")


class CaseFailed(Exception):
    """A case could not run, or was answered with an error."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A running process; `cpu` and `memory` are of itself with all its threads, children excluded."""

    pid: int

    def cpu(self) -> float:
        """CPU seconds so far."""
        return _cpu(self.pid)

    def memory(self) -> dict[str, float]:
        """MB (10^6 bytes) now: resident, proportional (PSS), and the highest ever resident."""
        kilobytes = dict.fromkeys(("VmRSS", "VmHWM", "Pss"), 0)
        for name in ("status", "smaps_rollup"):
            for line in Path(f"/proc/{self.pid}/{name}").read_text().splitlines():
                key, _, rest = line.partition(":")
                if key in kilobytes:
                    kilobytes[key] = int(rest.split()[0])
        return {key: round(value * 1024 / 1e6, 1) for key, value in kilobytes.items()}


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def core_busy(core: int) -> float:
    """Seconds a core has worked for anybody since boot, time stolen by the host included."""
    user, nice, system, _, _, irq, softirq, steal = _clock(f"cpu{core}")
    return (user + nice + system + irq + softirq + steal) / _TICK


def stolen() -> float:
    """Seconds since boot in which a core had work and the host let others have it; of all cores together."""
    return _clock("cpu")[-1] / _TICK


def _clock(name: str) -> list[int]:
    line = next(row for row in Path("/proc/stat").read_text().splitlines() if row.startswith(f"{name} "))
    return [int(value) for value in line.split()[1:9]]


def pin(core: int) -> None:
    """Confine the calling process, and what it starts, to one core."""
    os.sched_setaffinity(0, {core})


@contextlib.contextmanager
def running(command: Sequence[str], env: Mapping[str, str], core: int, log: Path) -> Iterator[Pinned]:
    """Start a command in the project's root on one core; SIGTERM at the end, its output goes to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(env),
            stdout=output,
            stderr=output,
            preexec_fn=partial(pin, core),
            start_new_session=True,
        )
        try:
            yield Pinned(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def await_http(url: str, process: Pinned, log: Path, headers: Mapping[str, str] | None = None) -> None:
    """Wait until a URL answers 200."""
    deadline = time.monotonic() + START_SECONDS
    answer = "no answer"
    while time.monotonic() < deadline and not _has_ended(process.pid):
        with contextlib.suppress(httpx.HTTPError):
            response = httpx.get(url, headers=headers, timeout=5, trust_env=False)
            if response.status_code == 200:
                return
            answer = f"{response.status_code} {response.text[:300]}"
        time.sleep(0.05)
    raise CaseFailed(f"{url}: {answer}\n{log.read_text(errors='replace')[-1500:]}")


def await_port(port: int, log: Path) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        time.sleep(0.05)
    raise CaseFailed(f"nobody listens at {port}\n{log.read_text(errors='replace')[-1500:]}")


def _has_ended(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


class Postgres:
    """The database server: confined to a core while the suite runs, and its CPU seconds."""

    def __init__(self, url: str) -> None:
        self._postmaster: int | None = None
        if urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}:
            with contextlib.suppress(psycopg.Error), psycopg.connect(url, autocommit=True) as connection:
                row = connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone()
                self._postmaster = int(row[0].split()[0]) if row else None

    @contextlib.contextmanager
    def on_core(self, core: int) -> Iterator[bool]:
        """Confine the server and its backends, present and to come; yields whether that was allowed."""
        before: dict[int, set[int]] = {}
        try:
            for pid in self._pids():
                with contextlib.suppress(ProcessLookupError):
                    before[pid] = os.sched_getaffinity(pid)
                    os.sched_setaffinity(pid, {core})
            yield bool(before)
        except PermissionError:
            yield False
        finally:
            for pid, cores in before.items():
                with contextlib.suppress(OSError):
                    os.sched_setaffinity(pid, cores)

    def cpu(self) -> float:
        """CPU seconds of all processes that run now."""
        total = 0.0
        for pid in self._pids():
            with contextlib.suppress(OSError):
                total += _cpu(pid)
        return total

    def _pids(self) -> list[int]:
        if self._postmaster is None:
            return []
        children = Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children").read_text().split()
        return [self._postmaster, *map(int, children)]
