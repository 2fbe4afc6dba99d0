"""Whole registers: a full pull into an empty node, and what an embedded node weighs after one."""

import contextlib
import json
import sqlite3
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg

from ocpi.transport.pagination import next_link
from tests.bench import data, nodes, processes
from tests.bench.nodes import LOCATIONS, Node, Partner
from tests.bench.options import Options
from tests.bench.processes import CaseFailed, Pinned
from tests.bench.report import Figure

REGISTER = processes.ROOT / "../shared/data/bnetza_ladesaeulenregister_2019-07-19.csv.gz"
_GENERATED = 10_000
_SOURCE_PARTY = "DE*SRC"
_PULLER = Partner("puller", "NL*MSP", "EMSP")
_PULL_SECONDS = 120
_PAGE = 500  # what roaming.sync.pull asks for


@contextlib.contextmanager
def _source(options: Options) -> Iterator[tuple[Node, int]]:
    """A node that holds the whole register and answers on the other core; yields how many Locations it has."""
    with nodes.node("source", f"CPO:{_SOURCE_PARTY}:Source", options.directory, number=2) as node:
        node.connect(_PULLER)
        count = _import(node, _SOURCE_PARTY)
        with node.web(processes.OTHER_CORE):
            yield node, count


def _import(node: Node, party: str) -> int:
    """The register if the machine has it, else as many generated Locations; returns how many there are."""
    file, exists = REGISTER.resolve(), REGISTER.exists()
    if not exists:
        file = node.directory / "locations.json"
        data.write(file, party, _GENERATED)
    report = node.command(
        "manage.py", "import_locations", str(file), "--party", party, "--json", tolerated=(0, 3 if exists else 0)
    )
    return int(report["created"])


def _source_platform(source: Node) -> Partner:
    return Partner("source", _SOURCE_PARTY, "CPO", source.url)


def pull(options: Options) -> list[Figure]:
    """`sync_platform --full` against a bare loop, each into empty tables."""
    product: list[float] = []
    reference: list[float] = []
    with (
        _source(options) as (source, count),
        nodes.node("puller", f"EMSP:{_PULLER.party}:Puller", options.directory, number=3) as puller,
    ):
        puller.connect(_source_platform(source))
        for _ in range(options.rounds):
            product.append(_pull_once(puller, count))
            _empty(puller)
            reference.append(bare_once(puller, source, count))
    rate, bare_rate = statistics.median(product), statistics.median(reference)
    return [
        Figure(
            "pull",
            f"full pull of {count:,} Locations into an empty node",
            f"{rate:,.0f} Locations/s; bare {bare_rate:,.0f}",
            "≥ 2,000 Locations/s",
            rate / bare_rate,
            rate >= 2000,
            {"node": product, "bare": reference, "register": REGISTER.exists()},
        )
    ]


def _empty(puller: Node) -> None:
    with psycopg.connect(puller.database, autocommit=True) as connection:
        connection.execute("TRUNCATE ocpi_location, ocpi_evsestatus, ocpi_objectcount")
        connection.execute("CHECKPOINT")


def _pull_once(puller: Node, count: int) -> float:
    _empty(puller)
    command = ("manage.py", "sync_platform", "source", "--full", "--json")
    run: dict[str, Any] = puller.command(*command, core=processes.PRODUCT_CORE)["locations"]
    if run["created"] != count:
        raise CaseFailed(f"sync_platform stored {run} of {count}")
    return count / float(run["seconds"])


def bare_once(puller: Node, source: Node, count: int) -> float:
    """Locations a second of the bare loop."""
    headers = json.dumps(nodes.headers(_PULLER.party))
    url = f"{source.url}{LOCATIONS}?limit={_PAGE}"
    run = puller.command("-m", "tests.bench.bare_pull", url, headers, core=processes.PRODUCT_CORE)
    if run["stored"] != count:
        raise CaseFailed(f"the bare loop stored {run} of {count}")
    return count / float(run["seconds"])


def memory(options: Options) -> list[Figure]:
    """The embedded node with the register as its own Locations: serves every page, and pulls as many from a source."""
    with _source(options) as (source, count):
        parties = f"CPO:DE*EMB:Embedded,EMSP:{_PULLER.party}:Puller"
        node = nodes.embedded("embedded", parties, options.directory)
        own = _import(node, "DE*EMB")
        node.connect(_source_platform(source))
        command = [sys.executable, "manage.py", "runnode", "--port", str(node.port)]
        with processes.running(command, node.env, processes.PRODUCT_CORE, node.log) as process:
            processes.await_http(f"{node.url}/readyz", process, node.log)
            stages = {"ready": process.memory()}
            _crawl(node, own)
            stages["served"] = process.memory()
            _await_pull(node, process, count)
            stages["pulled"] = process.memory()
            _crawl(node, own)
            stages["served again"] = now = process.memory()
    return [
        Figure(
            "memory",
            f"embedded node, {own:,} own Locations served and {count:,} pulled",
            f"{now['VmRSS']:.0f} MB resident, {now['Pss']:.0f} MB proportional, {now['VmHWM']:.0f} MB at most; "
            f"{stages['ready']['VmRSS']:.0f} MB when ready",
            "< 250 MB",
            None,
            now["VmRSS"] < 250,
            stages,
        )
    ]


def _crawl(node: Node, count: int) -> None:
    """Every page of 100, as a partner would."""
    following: str | None = f"{node.url}{LOCATIONS}?limit=100"
    seen = 0
    with httpx.Client(headers=nodes.headers(_SOURCE_PARTY), trust_env=False, timeout=60) as client:
        while following:
            response = client.get(following)
            found = response.json()
            if response.status_code != 200 or found["status_code"] != 1000:
                raise CaseFailed(f"{following}: {response.status_code} {response.text[:200]}")
            seen += len(found["data"])
            following = next_link(response.headers.get("Link"))
    if seen != count:
        raise CaseFailed(f"the embedded node served {seen} of {count} Locations")


def _await_pull(node: Node, process: Pinned, count: int) -> None:
    """Beat finds that the platform was never pulled from; wait until that run is complete."""
    deadline = time.monotonic() + _PULL_SECONDS
    with contextlib.closing(sqlite3.connect(f"file:{node.database}?mode=ro", uri=True)) as connection:
        while time.monotonic() < deadline:
            row = connection.execute("SELECT created, error FROM roaming_syncrun WHERE finished_at IS NOT NULL")
            if found := row.fetchone():
                if found != (count, ""):
                    raise CaseFailed(f"the embedded node pulled {found} of {count}")
                return
            time.sleep(0.2)
    raise CaseFailed(f"no pull within {_PULL_SECONDS} s: {process.memory()} {node.log.read_text()[-500:]}")
