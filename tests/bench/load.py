"""wrk: requests as fast as eight connections allow. Every single answer is checked; one bad one fails the case."""

import json
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench import processes
from tests.bench.processes import CaseFailed, Pinned, Postgres

CONNECTIONS = 8
_WARM_UP_SECONDS = 1
_ATTEMPTS = 4  # at most, at a round that the host disturbs
_DISTURBED = 0.01  # of a round's time: a stall is a hundred requests late, which a p99 is made of

# Counts answers that are not HTTP 2xx with OCPI status 1000. The status is looked for at both ends of the body, for
# `data` may be large.
_CHECKS = """
local threads = {}
function setup(thread) table.insert(threads, thread); thread:set("number", #threads) end
bad, sample = 0, ""
function response(status, headers, body)
  local ends = #body > 400 and (body:sub(1, 200) .. body:sub(-200)) or body
  if status < 200 or status > 299 or not ends:find('"status_code":1000', 1, true) then
    bad = bad + 1
    if sample == "" then sample = status .. " " .. ends end
  end
end
function done(summary, latency, requests)
  local wrong, first = 0, ""
  for _, thread in ipairs(threads) do
    wrong = wrong + thread:get("bad")
    if first == "" then first = thread:get("sample") end
  end
  local e = summary.errors
  io.stderr:write(string.format(
    "requests=%d\\nmicroseconds=%d\\nsockets=%d\\nbad=%d\\np50=%d\\np99=%d\\nsample=%s\\n",
    summary.requests, summary.duration, e.connect + e.read + e.write + e.timeout, wrong,
    latency:percentile(50), latency:percentile(99), first))
end
"""


@dataclass(frozen=True, slots=True)
class Target:
    """What is put under load: a process, and the requests as wrk has them."""

    name: str
    process: Pinned
    url: str
    headers: Mapping[str, str]
    script: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """One burst. Shares of its time: `foreign` is what other processes had of the product's core, `stolen` what the
    host took of both cores."""

    rate: float
    cpu_us: float
    postgres_us: float
    p50_ms: float
    p99_ms: float
    requests: int
    foreign: float
    stolen: float


def median(rounds: Sequence[Round]) -> Round:
    """The medians of all figures."""
    values = {name: statistics.median(asdict(item)[name] for item in rounds) for name in asdict(rounds[0])}
    return Round(**values)


def interleaved(
    targets: Sequence[Target], rounds: int, seconds: float, postgres: Postgres, connections: int = CONNECTIONS
) -> dict[str, list[Round]]:
    """A B A B …: every target's rounds by name. A first burst of each only warms up.

    A round that the host disturbs is taken again, a few times; the quietest counts, whatever its figures are.
    """
    for target in targets:
        _checked(target, _wrk(target, _WARM_UP_SECONDS, connections))
    found: dict[str, list[Round]] = {target.name: [] for target in targets}
    for _ in range(rounds):
        for target in targets:
            found[target.name].append(_quietest(partial(_burst, target, seconds, postgres, connections)))
    return found


def _quietest(burst: Callable[[], Round]) -> Round:
    attempts: list[Round] = []
    while len(attempts) < _ATTEMPTS and (not attempts or attempts[-1].stolen > _DISTURBED):
        attempts.append(burst())
    return min(attempts, key=lambda attempt: attempt.stolen)


def _burst(target: Target, seconds: float, postgres: Postgres, connections: int) -> Round:
    """One run of wrk; raises CaseFailed when any answer was not a success."""
    before = _clocks(target, postgres)
    summary = _wrk(target, seconds, connections)
    web, database, core, stolen = (now - then for now, then in zip(_clocks(target, postgres), before, strict=True))
    requests = _checked(target, summary)
    if not requests:
        raise CaseFailed(f"{target.name}: no request was answered within {seconds} s")
    elapsed = int(summary["microseconds"]) / 1e6
    return Round(
        rate=requests / elapsed,
        cpu_us=web / requests * 1e6,
        postgres_us=database / requests * 1e6,
        p50_ms=int(summary["p50"]) / 1000,
        p99_ms=int(summary["p99"]) / 1000,
        requests=requests,
        foreign=max(0.0, core - web) / elapsed,
        stolen=stolen / elapsed,
    )


def _checked(target: Target, summary: Mapping[str, str]) -> int:
    """The number of requests; raises CaseFailed when any answer was not a success."""
    requests, bad, sockets = (int(summary[name]) for name in ("requests", "bad", "sockets"))
    if bad or sockets:
        first = f"; first: {summary['sample']}" if bad else ""
        raise CaseFailed(f"{target.name}: {bad} bad answers, {sockets} socket errors in {requests} requests{first}")
    return requests


def _clocks(target: Target, postgres: Postgres) -> tuple[float, ...]:
    cpu = target.process.cpu(), postgres.cpu()
    return *cpu, processes.core_busy(processes.PRODUCT_CORE), processes.stolen()


def _wrk(target: Target, seconds: float, connections: int) -> dict[str, str]:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_CHECKS + target.script)
        script.flush()
        headers = [part for name, value in target.headers.items() for part in ("-H", f"{name}: {value}")]
        length = max(1, round(seconds))
        done = subprocess.run(
            [
                "wrk",
                "-t1",
                f"-c{connections}",
                f"-d{length}s",
                "--timeout",
                "30s",
                "-s",
                script.name,
                *headers,
                target.url,
            ],
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=partial(processes.pin, processes.OTHER_CORE),
        )
    if done.returncode:
        raise CaseFailed(f"wrk: {done.stderr or done.stdout}")
    return dict(line.split("=", 1) for line in done.stderr.splitlines() if "=" in line)


def details(rounds: Mapping[str, Sequence[Round]]) -> dict[str, Any]:
    """Every round, for the JSON file."""
    return {
        name: [{key: round(value, 3) for key, value in asdict(item).items()} for item in found]
        for name, found in rounds.items()
    }


def script_of(name: str, **values: Any) -> str:
    """A Lua script beside this file, its `@NAME@` marks filled in."""
    text = (Path(__file__).parent / name).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key.upper()}@", json.dumps(value) if isinstance(value, str) else str(value))
    return text
