"""A full reconcile: everything is on the list and unchanged, but for what has disappeared."""

import statistics
from typing import Any

import psycopg

from tests.bench import data, nodes, processes
from tests.bench.nodes import Node, Partner
from tests.bench.options import Options
from tests.bench.processes import CaseFailed
from tests.bench.register_cases import bare_once
from tests.bench.report import Figure

_COUNT, _GONE = 100_000, 100
_SOURCE_PARTY = "DE*SRC"
_PULLER = Partner("puller", "NL*MSP", "EMSP")
_MOST_MB = 200


def reconcile(options: Options) -> list[Figure]:
    """`sync_platform --full` of a list that is known already, against a bare loop that stores what it downloads."""
    product, reference, peaks = [], [], []
    with (
        nodes.node("listed", f"CPO:{_SOURCE_PARTY}:Source", options.directory, number=2) as source,
        nodes.node("reconciler", f"EMSP:{_PULLER.party}:Puller", options.directory, number=3) as puller,
    ):
        data.fill(source.database, _SOURCE_PARTY, _COUNT, with_evses=0)
        source.connect(_PULLER)
        with source.web(processes.OTHER_CORE):
            puller.connect(Partner("source", _SOURCE_PARTY, "CPO", source.url))
            first = _once(puller, created=_COUNT)
            left = _COUNT
            for _ in range(options.rounds):
                left = _take_away(source, left)
                done = _once(puller, unchanged=left, disappeared=_COUNT - left)
                product.append(left / float(done["result"]["seconds"]))
                peaks.append(done["peak_mb"])
                reference.append(bare_once(puller, source, left))
    rate, bare, peak = statistics.median(product), statistics.median(reference), max([first["peak_mb"], *peaks])
    return [
        Figure(
            "reconcile",
            f"full reconcile of {_COUNT:,} known Locations, {_GONE} gone each time",
            f"{rate:,.0f} Locations/s; bare {bare:,.0f}; {peak:.0f} MB at most",
            f"≥ 2,000 Locations/s, ≤ {_MOST_MB} MB",
            rate / bare,
            rate >= 2000 and peak <= _MOST_MB,
            {"node": product, "bare": reference, "peak_mb": peaks, "first": first},
        )
    ]


def _take_away(source: Node, left: int) -> int:
    """Some Locations are no more at the source; returns how many there are."""
    with psycopg.connect(source.database, autocommit=True) as connection:
        gone = f"loc{left - _GONE:07}"
        connection.execute("DELETE FROM ocpi_location WHERE key > %s", [gone])
        connection.execute("UPDATE ocpi_objectcount SET count = %s WHERE module = 'locations'", [left - _GONE])
    return left - _GONE


def _once(puller: Node, **expected: int) -> dict[str, Any]:
    command = ("-m", "tests.bench.peak", "sync_platform", "source", "--module", "locations", "--full", "--json")
    done: dict[str, Any] = puller.command(*command, core=processes.PRODUCT_CORE)
    done["result"] = done["result"]["locations"]
    found = {name: done["result"][name] for name in expected}
    if found != expected:
        raise CaseFailed(f"{found} instead of {expected}: {done}")
    return done
