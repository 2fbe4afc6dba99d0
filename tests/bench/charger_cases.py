"""What a process that holds chargers does: messages, connections, and answers while partners hang."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg

from tests.bench import data, nodes, processes
from tests.bench.charge_points import MIX, PASSWORD, identity
from tests.bench.hanging_case import hanging_server
from tests.bench.nodes import Node, Partner
from tests.bench.options import Options
from tests.bench.processes import CaseFailed, Pinned
from tests.bench.report import Figure

_PARTY = "NL*OCP"
_PARTIES = f"CPO:{_PARTY}:Example Charging,EMSP:NL*OSP:Example Mobility"
_TALKING = 100  # connections that flood
_CROWD, _RETURNING, _FEW = 5000, 1000, 50
_METERED, _BEATING, _HANGING = 1000, 100, 500
_SERVER = [
    "--host",
    "127.0.0.1",
    "--ws",
    "websockets-sansio",
    "--ws-max-size",
    "1048576",
    "--ws-ping-interval",
    "45",
    "--ws-ping-timeout",
    "30",
    "--ws-per-message-deflate",
    "false",
    "--backlog",
    "2048",
    "--no-access-log",
    "--no-server-header",
]


class _Fleet:
    """Charge points in a process of their own on the other core; `tests.bench.charge_points` says what they do."""

    def __init__(self, what: str, url: str, count: int, seconds: float, env: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.charge_points", what, url, str(count), str(seconds)],
                cwd=processes.ROOT,
                env={**os.environ, **env},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                preexec_fn=lambda: processes.pin(processes.OTHER_CORE),
            )

    def told(self) -> Any:
        """The next line it prints."""
        assert self._process.stdout is not None
        if not (line := self._process.stdout.readline()):
            raise CaseFailed(f"the charge points gave up\n{self._log.read_text(errors='replace')[-1500:]}")
        return json.loads(line)

    def __enter__(self) -> "_Fleet":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)


def ocpp_messages(options: Options) -> list[Figure]:
    """Messages read, checked and answered, before anything is kept: ours and PyPI's `ocpp` on `websockets`."""
    log = options.directory / "ocpp_messages.log"
    ours, peer = nodes.free_port(), nodes.free_port()
    env = {**os.environ, "NODE_LOG_DAYS": "0", "OCPP_RATE": "1000000"}
    commands = {
        "ours": [sys.executable, "-m", "uvicorn", "tests.bench.door_only:application", *_SERVER, "--port", str(ours)],
        "peer": [sys.executable, "-m", "tests.bench.peer_ocpp", str(peer)],
    }
    rates, costs = dict[str, list[float]](), dict[str, list[float]]()
    with contextlib.ExitStack() as stack:
        servers = {
            name: stack.enter_context(processes.running(command, env, processes.PRODUCT_CORE, log))
            for name, command in commands.items()
        }
        for port in (ours, peer):
            processes.await_port(port, log)
        for _ in range(options.rounds):
            for name, port in (("ours", ours), ("peer", peer)):
                before = servers[name].cpu()
                with _Fleet("flood", f"http://127.0.0.1:{port}", _TALKING, options.seconds, {}, log) as fleet:
                    found = fleet.told()
                rates.setdefault(name, []).append(found["messages"] / found["seconds"])
                costs.setdefault(name, []).append((servers[name].cpu() - before) / found["messages"] * 1e6)
    rate, reference = statistics.median(rates["ours"]), statistics.median(rates["peer"])
    cost, peers = statistics.median(costs["ours"]), statistics.median(costs["peer"])
    what = f"{_TALKING} chargers, 8 of {len(MIX)} messages MeterValues of six samples, before persistence"
    told = f"{rate:,.0f}/s; PyPI ocpp + websockets {reference:,.0f}/s"
    details = {"rates": rates, "cpu_us": costs}
    return [
        Figure("ocpp_messages", what, told, "≥ 8 x", rate / reference, rate >= 8 * reference, details),
        Figure("ocpp_messages", "CPU per message", f"{cost:.0f} µs; {peers:.0f} µs", "≤ 70 µs", None, cost <= 70),
    ]


@contextlib.contextmanager
def _registered(name: str, options: Options, count: int) -> Iterator[Node]:
    """A node with so many chargers, each with a Location of one EVSE of its own."""
    with nodes.node(name, _PARTIES, options.directory) as node:
        locations, chargers = (options.directory / f"{name}.{ending}" for ending in ("json", "csv"))
        data.write(locations, _PARTY, count)
        node.command("manage.py", "import_locations", str(locations), "--party", _PARTY, "--format", "ocpi", "--json")
        rows = (f"{identity(at)},LOC{at + 1:07},E{at + 1:07}-1,{PASSWORD}\n" for at in range(count))
        chargers.write_text(f"identity,location,evses,password\n{''.join(rows)}")
        node.command("manage.py", "import_chargers", str(chargers), "--json")
        yield node


@contextlib.contextmanager
def _holding(node: Node) -> Iterator[Pinned]:
    """The Procfile's process that holds chargers, ready."""
    with node.process("ocpp", processes.PRODUCT_CORE) as process:
        processes.await_http(f"{node.url}/readyz", process, node.log)
        yield process


def ocpp_connections(options: Options) -> list[Figure]:
    """A thousand chargers that all come at once, and what five thousand cost in memory."""
    with _registered("ocpp_connections", options, _CROWD) as node:
        with _holding(node), _Fleet("crowd", node.url, _RETURNING, 0, node.env, node.log) as fleet:
            returned = fleet.told()
        with _holding(node) as process:
            # What the first ones load is no memory of theirs.
            with _Fleet("crowd", node.url, _FEW, 0, node.env, node.log) as fleet:
                fleet.told()
            time.sleep(_SETTLING)
            before = process.memory()["VmRSS"]
            with _Fleet("crowd", node.url, _CROWD, 0, node.env, node.log) as fleet:
                crowd = fleet.told()
                time.sleep(_SETTLING)
                after = process.memory()["VmRSS"]
    each = (after - before) * 1e3 / _CROWD
    return [
        Figure(
            "ocpp_connections",
            f"{_RETURNING:,} chargers connect and boot at once",
            f"{returned['accepted']:,} accepted after {returned['seconds']:.1f} s",
            "all within 30 s",
            None,
            returned["accepted"] == _RETURNING and returned["seconds"] <= 30,
        ),
        Figure(
            "ocpp_connections",
            f"memory of {_CROWD:,} connected chargers, booted",
            f"{each:.1f} kB each ({before:.0f} MB before, {after:.0f} MB with them); {crowd['seconds']:.0f} s to boot",
            "< 30 kB each",
            None,
            crowd["accepted"] == _CROWD and each < 30,
        ),
    ]


_SETTLING = 8.0  # seconds until what is asked of a charger after its boot has been asked


def ocpp_metering(options: Options) -> list[Figure]:
    """MeterValues of six samples each, stored and answered."""
    with _registered("ocpp_metering", options, _METERED) as node, _holding(node):
        with _Fleet("meter", node.url, _METERED, max(options.seconds, 20), node.env, node.log) as fleet:
            found = fleet.told()
        with psycopg.connect(node.env["DATABASE_URL"]) as connection:
            row = connection.execute("SELECT count(*) FROM cpo_backend_metersample").fetchone()
    stored, rate = row[0] if row else 0, found["messages"] / found["seconds"]
    is_whole = stored == 6 * found["messages"]
    return [
        Figure(
            "ocpp_metering",
            f"MeterValues of {_METERED:,} transactions on PostgreSQL",
            f"{rate:,.0f}/s; {stored:,} samples stored of {6 * found['messages']:,}",
            "≥ 1,000/s, all stored",
            None,
            is_whole and rate >= 1000,
            found,
        )
    ]


def ocpp_heartbeats(options: Options) -> list[Figure]:
    """How long Heartbeats take while authorizations wait for a partner."""
    with contextlib.ExitStack() as stack:
        node = stack.enter_context(_registered("ocpp_heartbeats", options, _HANGING + _BEATING))
        node.connect(Partner("hanging", "NL*EMS", "EMSP", stack.enter_context(hanging_server())))
        stack.enter_context(_holding(node))
        hanging = stack.enter_context(_Fleet("hang", node.url, _HANGING, 0, node.env, node.log))
        asked = hanging.told()["asked"]
        first = {"BENCH_FIRST_CHARGER": str(_HANGING)}
        with _Fleet("beats", node.url, _BEATING, max(options.seconds, 10), {**node.env, **first}, node.log) as fleet:
            taken = fleet.told()["milliseconds"]
    p50, p99 = (taken[int(len(taken) * share)] for share in (0.5, 0.99))
    return [
        Figure(
            "ocpp_heartbeats",
            f"Heartbeats of {_BEATING} chargers while {asked} authorizations hang at a partner",
            f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, of {len(taken):,}",
            "p99 < 50 ms",
            None,
            p99 < 50,
        )
    ]
