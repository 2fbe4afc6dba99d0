"""A hub of a thousand platforms: what a message costs there, and when a change is seen by every process."""

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice, pairwise

import httpx

from tests.bench import load, nodes, processes
from tests.bench.load import Round, Target
from tests.bench.nodes import Node, Partner
from tests.bench.options import Options
from tests.bench.processes import CaseFailed
from tests.bench.relay_cases import ANSWER, EMSP, HUB, PATH, RECEIVER, SINK, nginx
from tests.bench.report import Figure

_PLATFORMS = 1_000
_PROCESSES = 3
_CHANGES = 5
_PATIENCE = 30
_BODY = '{"country_code":"DE","party_id":"BEN","id":"LOC"}'


def routes(options: Options) -> list[Figure]:
    """The same message at a hub of two platforms and at one of a thousand with five parties each."""
    script = load.script_of("requests.lua", method="PUT", path=PATH, body=_BODY, rows=10_000)
    with contextlib.ExitStack() as stack:
        configuration = SINK.replace("@ANSWER@", ANSWER)
        sink, _ = stack.enter_context(nginx("routes", configuration, processes.OTHER_CORE, options.directory))
        targets, hubs = [], []
        for number, (name, others) in enumerate({"small": [], "large": list(_crowd())}.items(), 1):
            node = stack.enter_context(nodes.node(f"routes_{name}", HUB, options.directory, number))
            node.connect(EMSP, Partner("cpo", RECEIVER, "CPO", sink), *others)
            targets.append(Target(name, stack.enter_context(node.web()), node.url, _headers(RECEIVER), script))
            hubs.append(node)
        rounds = load.interleaved(targets, options.rounds, options.seconds, options.postgres)
        seen = _changes(hubs[-1])
    return [_cost(rounds), _visibility(seen)]


def _crowd() -> Iterator[Partner]:
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    names = (f"{country}*{a}{b}{c}" for country in ("DE", "FR") for a in digits for b in digits for c in digits)
    return (Partner(f"crowd {number}", " ".join(islice(names, 5)), "CPO") for number in range(_PLATFORMS))


def _headers(receiver: str) -> dict[str, str]:
    to = {"OCPI-to-country-code": receiver[:2], "OCPI-to-party-id": receiver[3:]}
    return {**nodes.headers(EMSP.party), **to}


def _changes(node: Node) -> list[float]:
    """Another process gives the receiver a new id, a few times: seconds until all web processes know it."""
    took = []
    with contextlib.ExitStack() as stack:
        served = [node]
        for number in range(1, _PROCESSES):
            served.append(replace(node, name=f"{node.name}_{number}", port=nodes.free_port()))
            stack.enter_context(served[-1].web())
        pool = stack.enter_context(ThreadPoolExecutor(_PROCESSES))
        for old, new in pairwise([RECEIVER, *(f"SE*N{number:02}" for number in range(_CHANGES))]):
            found = [pool.submit(_reached, one.url, new) for one in served]
            committed = node.command("-m", "tests.bench.rename_party", old, new, core=processes.OTHER_CORE)
            took.append(max(one.result() for one in found) - committed)
    return took


def _reached(url: str, receiver: str) -> float:
    """When a message to the receiver was first passed on."""
    deadline = time.monotonic() + _PATIENCE
    with httpx.Client(trust_env=False) as client:
        while True:
            answer = client.put(url + PATH.replace("@N@", "1"), content=_BODY, headers=_headers(receiver)).json()
            if answer["status_code"] == 1000:
                return time.monotonic()
            if answer["status_code"] != 4001 or time.monotonic() > deadline:
                raise CaseFailed(f"a new party cannot be reached at {url}: {answer}")
            time.sleep(0.01)


def _cost(rounds: dict[str, list[Round]]) -> Figure:
    small, large = (load.median(rounds[name]) for name in ("small", "large"))
    ratio = large.rate / small.rate
    return Figure(
        "routes",
        f"relayed PUT at a hub of {_PLATFORMS:,} platforms and {5 * _PLATFORMS:,} parties",
        f"{large.rate:,.0f} req/s, {large.cpu_us:,.0f} µs web; with two platforms {small.rate:,.0f}",
        "≥ 0.9 x two platforms",
        ratio,
        ratio >= 0.9,
        load.details(rounds),
    )


def _visibility(seen: list[float]) -> Figure:
    return Figure(
        "routes",
        f"a party's new id there, until the last of {_PROCESSES} web processes knows it",
        f"after {min(seen):.2f} to {max(seen):.2f} s",
        "≤ 2 s",
        None,
        max(seen) <= 2,
    )
