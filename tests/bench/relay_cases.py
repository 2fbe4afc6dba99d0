"""The hub under load: messages passed on, against nginx and against a bare relay, to the same sink."""

import contextlib
import shutil
import statistics
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.bench import load, nodes, processes
from tests.bench.load import Round, Target
from tests.bench.nodes import Partner
from tests.bench.options import Options
from tests.bench.processes import CaseFailed, Pinned
from tests.bench.report import Figure

HUB = "HUB:NL*HUB:Example Hub"
EMSP = Partner("emsp", "DE*BEN", "EMSP")
RECEIVER = "NL*CPO"
PATH = "/ocpi/2.2.1/receiver/locations/DE/BEN/LOC@N@"
_FEW, _MANY = 50, 500
_OFTEN = 4  # times the rounds: of bursts of the same code side by side half differ by a tenth and more
ANSWER = '{"status_code":1000,"status_message":"Success","timestamp":"2026-01-01T00:00:00Z"}'
_MAIN = """
daemon off; master_process off; pid @DIRECTORY@/pid; error_log @DIRECTORY@/error.log;
events { worker_connections 4096; }
http {
    access_log off; keepalive_requests 1000000;
    client_body_temp_path @DIRECTORY@/body; proxy_temp_path @DIRECTORY@/proxy;
    fastcgi_temp_path @DIRECTORY@/f; uwsgi_temp_path @DIRECTORY@/u; scgi_temp_path @DIRECTORY@/s;
    @REST@
}
"""
SINK = "server { listen 127.0.0.1:@PORT@; location / { default_type application/json; return 200 '@ANSWER@'; } }"
_PROXY = """
    upstream sink { server @SINK@; keepalive 512; }
    server {
        listen 127.0.0.1:@PORT@;
        location / { proxy_pass http://sink; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }
"""


@contextlib.contextmanager
def nginx(name: str, rest: str, core: int, directory: Path) -> Iterator[tuple[str, Pinned]]:
    """nginx with one process on a core; @PORT@ in its configuration is a free one."""
    binary = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if binary is None:
        raise CaseFailed("nginx is not installed (Debian package: nginx-light)")
    own, port = directory / name, nodes.free_port()
    own.mkdir()
    configuration = _MAIN.replace("@REST@", rest).replace("@DIRECTORY@", str(own)).replace("@PORT@", str(port))
    (own / "nginx.conf").write_text(configuration)
    command = [binary, "-p", str(own), "-c", str(own / "nginx.conf")]
    with processes.running(command, {}, core, own / "log") as process:
        url = f"http://127.0.0.1:{port}"
        processes.await_http(url, process, own / "log")
        yield url, process


@contextlib.contextmanager
def _bare(sink: str, directory: Path, env: dict[str, str], client: str = "ours") -> Iterator[tuple[str, Pinned]]:
    port, log = nodes.free_port(), directory / f"bare-relay-{client}.log"
    more = {**env, "DJANGO_SETTINGS_MODULE": "config.settings", "BENCH_SINK": sink, "BENCH_CLIENT": client}
    command = [sys.executable, "-m", "uvicorn", "tests.bench.bare_relay:application", "--port", str(port)]
    command += ["--loop", "config.loop:Loop", "--no-access-log", "--no-server-header"]
    with processes.running(command, more, processes.PRODUCT_CORE, log) as process:
        url = f"http://127.0.0.1:{port}"
        processes.await_http(url, process, log, nodes.headers(EMSP.party))
        yield url, process


def relay(options: Options) -> list[Figure]:
    """PUTs of a Location of 1.2 kB to another party, at 50 and at 500 connections."""
    body = '{"country_code":"DE","party_id":"BEN","id":"LOC@N@","name":"' + "x" * 1100 + '"}'
    script = load.script_of("requests.lua", method="PUT", path=PATH, body=body, rows=10_000)
    headers = {
        **nodes.headers(EMSP.party),
        "OCPI-to-country-code": RECEIVER[:2],
        "OCPI-to-party-id": RECEIVER[3:],
    }
    with contextlib.ExitStack() as stack:
        node = stack.enter_context(nodes.node("relay", HUB, options.directory))
        sink, _ = stack.enter_context(
            nginx("sink", SINK.replace("@ANSWER@", ANSWER), processes.OTHER_CORE, options.directory)
        )
        node.connect(EMSP, Partner("cpo", RECEIVER, "CPO", sink))
        product = stack.enter_context(node.web())
        proxy = _PROXY.replace("@SINK@", sink.removeprefix("http://"))
        proxy_url, proxy_process = stack.enter_context(nginx("proxy", proxy, processes.PRODUCT_CORE, options.directory))
        bare_url, bare = stack.enter_context(_bare(sink, options.directory, node.env))
        library_url, library = stack.enter_context(_bare(sink, options.directory, node.env, "aiohttp"))
        targets = [
            Target("node", product, node.url, headers, script),
            Target("bare", bare, bare_url, headers, script),
            Target("aiohttp", library, library_url, headers, script),
            Target("nginx", proxy_process, proxy_url, headers, script),
        ]
        few = load.interleaved(targets[:2], _OFTEN * options.rounds, options.seconds, options.postgres, _FEW)
        few |= load.interleaved(targets[2:], options.rounds, options.seconds, options.postgres, _FEW)
        many = load.interleaved(targets[:2], options.rounds, options.seconds, options.postgres, _MANY)
    return _figures(few, many)


def _figures(few: dict[str, list[Round]], many: dict[str, list[Round]]) -> list[Figure]:
    return [*_rates(few), *_costs(few), _crowded(many)]


def _rates(few: dict[str, list[Round]]) -> list[Figure]:
    node, bare, library, proxy = (load.median(few[name]).rate for name in ("node", "bare", "aiohttp", "nginx"))
    what = f"relayed PUT of 1.2 kB, {_FEW} connections"
    low, _, high = statistics.quantiles(
        ours.rate / theirs.rate for ours, theirs in zip(few["node"], few["bare"], strict=True)
    )
    told = f"{node:,.0f} req/s; bare, with the same client, {bare:,.0f}; half of the pairs {low:.2f} to {high:.2f}"
    found = [
        (told, "≥ 0.7 x bare", node / bare, 0.7),
        (f"bare, with aiohttp, {library:,.0f} req/s", "≥ 0.7 x bare", node / library, 0.7),
        (f"nginx {proxy:,.0f} req/s", "≥ 0.1 x nginx", node / proxy, 0.1),
    ]
    figures = [Figure("relay", what, told, target, ratio, ratio >= least) for told, target, ratio, least in found]
    return [replace(figures[0], details=load.details(few)), *figures[1:]]


def _costs(few: dict[str, list[Round]]) -> list[Figure]:
    node, bare, proxy = (load.median(few[name]) for name in ("node", "bare", "nginx"))
    told = f"{node.cpu_us:,.0f} µs web, {node.postgres_us:,.0f} µs PostgreSQL; bare {bare.cpu_us:,.0f}"
    later = f"{node.p50_ms:.1f} ms, nginx {proxy.p50_ms:.1f} ms"
    is_quick = node.p50_ms - proxy.p50_ms < 20
    return [
        Figure("relay", "CPU per message", told, "≤ 300 µs web", node.cpu_us / bare.cpu_us, node.cpu_us <= 300),
        Figure("relay", "added latency, p50", later, "< 20 ms more", None, is_quick),
    ]


def _crowded(many: dict[str, list[Round]]) -> Figure:
    node, bare = (load.median(many[name]) for name in ("node", "bare"))
    return Figure(
        "relay",
        f"{_MANY} connections, no errors",
        f"{node.rate:,.0f} req/s, p99 {node.p99_ms:.0f} ms; bare {bare.rate:,.0f}, {bare.p99_ms:.0f} ms",
        "p99 ≤ 1.5 x bare",
        node.p99_ms / bare.p99_ms,
        node.p99_ms <= 1.5 * bare.p99_ms,
        load.details(many),
    )
