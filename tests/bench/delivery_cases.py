"""Twenty partners are kept up to date: how fast, at what cost, and what those notice whose neighbours are slow."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg

from tests.bench import bare_delivery, data, nodes, processes
from tests.bench.nodes import Node, Partner
from tests.bench.options import Options
from tests.bench.processes import CaseFailed, Pinned
from tests.bench.relay_cases import ANSWER, SINK, nginx
from tests.bench.report import Figure

_OWNER = "NL*OCP"
_PARTNERS, _BAD = 20, 3
_LOCATIONS = 30_000  # of two EVSEs each
_BURST = 2_000  # changes, each for twenty partners
_BARE = 3_000  # deliveries of the reference
_MEAN, _PEAK = 6, 60  # changes per second
_SECONDS = 20
_IMPORTED = 100_000
_PATIENCE = 90
_TIMEOUT = "10"  # NODE_PARTNER_TIMEOUT, as it is in production


def _partners(urls: Sequence[str]) -> list[Partner]:
    return [Partner(f"emsp {number}", f"NL*E{number:02}", "EMSP", f"{url}/{number}") for number, url in enumerate(urls)]


@contextlib.contextmanager
def _node(name: str, urls: Sequence[str], options: Options, locations: int) -> Iterator[tuple[Node, dict[str, int]]]:
    """A CPO's node whose partners hold all its Locations; yields it and their ids."""
    with nodes.node(name, f"CPO:{_OWNER}:Charging", options.directory) as node:
        node.env["NODE_PARTNER_TIMEOUT"] = _TIMEOUT
        ids = node.connect(*_partners(urls))
        if locations:
            data.fill(node.database, _OWNER, locations, with_evses=locations)
        node.command("-m", "tests.bench.statuses", "acknowledged")
        with psycopg.connect(node.database, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
        time.sleep(2)  # platforms that have just registered are given a moment
        yield node, ids


@contextlib.contextmanager
def _working(node: Node) -> Iterator[Pinned]:
    """One worker process and beat."""
    with node.process("worker", processes.PRODUCT_CORE) as worker, node.process("beat", processes.PRODUCT_CORE):
        yield worker


@contextlib.contextmanager
def _sink(options: Options, name: str, answer: str = ANSWER) -> Iterator[str]:
    with nginx(name, SINK.replace("@ANSWER@", answer), processes.OTHER_CORE, options.directory) as (url, _):
        yield url


def _change(node: Node, count: int, number: int, rate: float = 0) -> None:
    node.command(
        *("-m", "tests.bench.statuses", "change", str(count), "--rate", str(rate), "--round", str(number)),
        core=processes.OTHER_CORE,
    )


def _acknowledged(node: Node) -> int:
    """Status changes that were acknowledged, by all partners together."""
    with psycopg.connect(node.database) as connection:
        row = connection.execute("SELECT coalesce(sum(sent), 0) FROM roaming_feedcursor WHERE stream = 'statuses'")
        return int(next(row)[0])


def _await(node: Node, count: int, poll: float = 0.05) -> float:
    """Wait until so many changes are acknowledged; returns when."""
    deadline = time.monotonic() + _PATIENCE
    while (found := _acknowledged(node)) < count:
        if time.monotonic() > deadline:
            raise CaseFailed(f"{found} of {count} changes were acknowledged within {_PATIENCE} s")
        time.sleep(poll)
    return time.monotonic()


# --- fan-out --------------------------------------------------------------------------------------------------------


def fan_out(options: Options) -> list[Figure]:
    """As many status PATCHes as one worker can bring to twenty partners, against one task for each."""
    with _sink(options, "fan-out-sink") as sink:
        rates, costs = [], []
        with _node("fanout", [sink] * _PARTNERS, options, _LOCATIONS) as (node, _), _working(node) as worker:
            for number in range(options.rounds):
                before, wanted = _acknowledged(node), _BURST * _PARTNERS
                with _held_up(node):
                    _change(node, _BURST, number)
                cpu = worker.cpu()
                # As with the reference: at work already, so that the wait for a wake-up is not among it.
                started, first = _await(node, before + wanted // 10), _acknowledged(node) - before
                rates.append((wanted - first) / (_await(node, before + wanted) - started))
                costs.append((worker.cpu() - cpu) / wanted * 1e6)
        bare = [_bare(sink, options) for _ in range(options.rounds)]
    rate, cost, reference = _median(rates), _median(costs), _median(bare)
    details = {"rates": rates, "microseconds": costs, "bare": bare}
    return [
        Figure(
            "fan_out",
            f"status PATCHes to {_PARTNERS} partners, one worker; reference: one task each, httpx",
            f"{rate:,.0f}/s; reference {reference:,.0f}/s",
            "≥ 1,500/s, ≥ 10 x",
            rate / reference,
            rate >= 1500 and rate >= 10 * reference,
            details,
        ),
        Figure("fan_out", "CPU of the worker for each", f"{cost:,.0f} µs", "≤ 250 µs", None, cost <= 250, details),
    ]


@contextlib.contextmanager
def _held_up(node: Node) -> Iterator[None]:
    """Nothing is sent meanwhile, and everything is due at the end."""
    with psycopg.connect(node.database, autocommit=True) as connection:
        connection.execute("UPDATE roaming_feedcursor SET is_paused = true")
        yield
        connection.execute("UPDATE roaming_feedcursor SET is_paused = false")


def _bare(sink: str, options: Options) -> float:
    """Deliveries per second of a worker that has a task for each."""
    broker = f"{os.environ['REDIS_URL'].removesuffix('/0')}/9"
    bare_delivery.app.conf.broker_url = broker
    headers = nodes.headers(_OWNER) | {"Content-Type": "application/json"}
    body = json.dumps({"status": "CHARGING", "last_updated": "2030-01-01T00:00:00Z"})
    with bare_delivery.app.connection_for_write() as connection, connection.channel() as channel:
        for number in range(_BARE):
            url = f"{sink}/{number % _PARTNERS}/ocpi/2.2.1/receiver/locations/NL/OCP/LOC{number}/E{number}"
            bare_delivery.deliver.apply_async((url, headers, body), connection=connection)
        command = [sys.executable, "-m", "celery", "-A", "tests.bench.bare_delivery", "worker", "--pool", "threads"]
        command += ["--concurrency", "8", "--loglevel", "ERROR", "--without-gossip", "--without-mingle"]
        env = {**os.environ, "BENCH_BROKER": broker}
        with processes.running(command, env, processes.PRODUCT_CORE, options.directory / "bare-worker.log"):

            def waiting() -> int:
                return int(channel.client.llen("celery"))

            _until(lambda: waiting() < _BARE * 0.9)
            started, first = time.monotonic(), waiting()
            _until(lambda: waiting() == 0)
            return first / (time.monotonic() - started)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise CaseFailed("the reference did not come to its end")
        time.sleep(0.02)


# --- sustained ------------------------------------------------------------------------------------------------------


def sustained(options: Options) -> list[Figure]:
    """Statuses change at an even pace: how long until they are acknowledged?"""
    with (
        _sink(options, "sustained-sink") as sink,
        _node("sustained", [sink] * _PARTNERS, options, _LOCATIONS) as (node, ids),
        _working(node) as worker,
    ):
        found = {
            rate: _pace(node, worker, rate, list(ids.values()), number) for number, rate in enumerate((_MEAN, _PEAK))
        }
    return [
        Figure(
            "sustained",
            f"{2 * _LOCATIONS:,} EVSEs, {_PARTNERS} partners, {rate} changes/s for {_SECONDS} s",
            f"p95 {p95:.2f} s to the acknowledgement; worker busy {busy:.0%}",
            "p95 < 2 s",
            None,
            p95 < 2,
        )
        for rate, (p95, busy) in found.items()
    ]


def _pace(node: Node, worker: Pinned, rate: int, platforms: Sequence[int], number: int) -> tuple[float, float]:
    """p95 (s) of change to acknowledgement at these platforms, and the share of its core that the worker needed."""
    with psycopg.connect(node.database) as connection:
        began = next(connection.execute("SELECT now()"))[0]
    cpu, started = worker.cpu(), time.monotonic()
    _change(node, rate * _SECONDS, number, rate)
    busy = (worker.cpu() - cpu) / (time.monotonic() - started)
    deadline = time.monotonic() + _PATIENCE
    while (found := _latencies(node, began, platforms))[0] < rate * _SECONDS * len(platforms):
        if time.monotonic() > deadline:
            raise CaseFailed(f"only {found[0]} changes were acknowledged within {_PATIENCE} s")
        time.sleep(0.5)
    return found[1], busy


def _latencies(node: Node, began: object, platforms: Sequence[int]) -> tuple[int, float]:
    with psycopg.connect(node.database) as connection:
        rows = connection.execute(
            """
            SELECT count(*), coalesce(percentile_cont(0.95) WITHIN GROUP (
                ORDER BY extract(epoch FROM d.acknowledged_at - l.received_at)), 0)::float
            FROM ocpi_evsestatus e JOIN ocpi_location l ON l.id = e.location_id JOIN roaming_delivery d
            ON d.module = 'locations' AND d.object_id = l.id AND d.platform_id = ANY(%s) AND d.version >= l.version
            WHERE l.received_at > %s AND e.revision > 0 AND e.revision = l.version
            """,
            [list(platforms), began],
        )
        count, p95 = next(rows)
        return int(count), float(p95)


# --- bad neighbours -------------------------------------------------------------------------------------------------


def neighbours(options: Options) -> list[Figure]:
    """One partner answers after 3 s, one hangs, one refuses: what do the other seventeen notice?"""
    p95s = {}
    with (
        _sink(options, "neighbours-sink") as sink,
        _sink(options, "refusing", '{"status_code":2001,"timestamp":"2026-01-01T00:00:00Z"}') as refusing,
        _slow(3) as slow,
        _hanging() as hanging,
    ):
        for name, bad in (("all sound", [sink] * _BAD), ("three bad", [slow, hanging, refusing])):
            urls = [*bad, *[sink] * (_PARTNERS - _BAD)]
            with _node("neighbours", urls, options, _LOCATIONS // 10) as (node, ids), _working(node) as worker:
                sound = list(ids.values())[_BAD:]
                _pace(node, worker, _MEAN, sound, 0)
                p95s[name] = [
                    _pace(node, worker, _MEAN * 5, sound, number)[0] for number in range(1, options.rounds + 1)
                ]
    before, after = (_median(found) for found in p95s.values())
    return [
        Figure(
            "neighbours",
            f"p95 of {_PARTNERS - _BAD} partners while one is slow, one hangs, one refuses",
            f"{after:.2f} s; when all are sound {before:.2f} s",
            "≤ 1.1 x",
            after / before,
            after / before <= 1.1,
            p95s,
        )
    ]


@contextlib.contextmanager
def _hanging() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextlib.contextmanager
def _slow(seconds: float) -> Iterator[str]:
    """A server that answers everything well, after a while."""
    content = ANSWER.encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(content),
        content,
    )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    int(row[15:]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length:")
                )
                await reader.readexactly(length)
                await asyncio.sleep(seconds)
                writer.write(answer)
        writer.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(_end_all(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _end_all() -> None:
    """End what else goes on in this loop."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


# --- import ---------------------------------------------------------------------------------------------------------


def importing(options: Options) -> list[Figure]:
    """A bulk import into a node with twenty partners, and into one without."""
    file = options.directory / "imported.json"
    data.write(file, _OWNER, _IMPORTED)
    took: dict[int, list[float]] = {0: [], _PARTNERS: []}
    with _sink(options, "import-sink") as sink:
        for _ in range(options.rounds):
            for partners, found in took.items():
                with _node("importing", [sink] * partners, options, 0) as (node, _), _working(node):
                    found.append(_import(node, file))
    alone, told = _median(took[0]), _median(took[_PARTNERS])
    return [
        Figure(
            "importing",
            f"import of {_IMPORTED:,} Locations with {_PARTNERS} partners connected, worker and beat at work",
            f"{told:.1f} s; without partners {alone:.1f} s",
            "≤ 1.2 x",
            told / alone,
            told / alone <= 1.2,
            {str(partners): found for partners, found in took.items()},
        )
    ]


def _import(node: Node, file: Path) -> float:
    command = [
        sys.executable,
        "manage.py",
        "import_locations",
        str(file),
        "--party",
        _OWNER,
        "--format",
        "ocpi",
        "--json",
    ]
    started = time.monotonic()
    done = subprocess.run(command, cwd=processes.ROOT, env=node.env, capture_output=True, check=False)
    if done.returncode != 0 or json.loads(done.stdout)["created"] != _IMPORTED:
        raise CaseFailed(done.stderr.decode()[-1500:] or done.stdout.decode()[-500:])
    return time.monotonic() - started


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
