"""One web process under load: a page, a page deep in a million rows, a status change."""

import contextlib
import sys
from collections.abc import Iterator

import httpx

from ocpi.transport.pagination import next_link
from tests.bench import data, load, nodes, processes
from tests.bench.load import Round, Target
from tests.bench.nodes import LOCATIONS, Node, Partner
from tests.bench.options import Options
from tests.bench.processes import CaseFailed, Pinned
from tests.bench.report import Figure

PARTIES = "CPO:NL*OCP:Example Charging,EMSP:NL*OSP:Example Mobility"
OWN = "NL*OCP"
PARTNER = Partner("partner", "DE*BEN", "EMSP")
CPO = Partner("cpo", "DE*BEN", "CPO")
LIMIT = 100
DEEP = 0.99
_PAGE_LOCATIONS = 10_000
_PATCH_LOCATIONS = 5_000


@contextlib.contextmanager
def bare(node: Node, owner: str) -> Iterator[tuple[str, Pinned]]:
    """The bare application on a node's database and the product's core, with the same server and options."""
    port, log = nodes.free_port(), node.directory / "bare.log"
    command = [sys.executable, "-m", "uvicorn", "tests.bench.bare:application", "--port", str(port)]
    command += ["--no-access-log", "--no-server-header"]
    env = {**node.env, "BENCH_OWNER": owner}
    with processes.running(command, env, processes.PRODUCT_CORE, log) as process:
        url = f"http://127.0.0.1:{port}"
        processes.await_http(url, process, log, nodes.headers(PARTNER.party))
        yield url, process


def _compared(node: Node, path: str, owner: str, script: str, options: Options) -> dict[str, list[Round]]:
    headers = nodes.headers(PARTNER.party)
    with node.web() as product, bare(node, owner) as (url, reference):
        targets = [
            Target("node", product, node.url + path, headers, script),
            Target("bare", reference, url + path, headers, script),
        ]
        return load.interleaved(targets, options.rounds, options.seconds, options.postgres)


def _ratio(case: str, what: str, rounds: dict[str, list[Round]], least: float) -> Figure:
    product, reference = load.median(rounds["node"]), load.median(rounds["bare"])
    ratio = product.rate / reference.rate
    measured = f"{product.rate:,.0f} req/s, p99 {product.p99_ms:.1f} ms; bare {reference.rate:,.0f} req/s"
    return Figure(case, what, measured, f"≥ {least} x bare", ratio, ratio >= least, load.details(rounds))


def _cpu(case: str, rounds: dict[str, list[Round]], most: int) -> Figure:
    product, reference = load.median(rounds["node"]), load.median(rounds["bare"])
    measured = (
        f"{product.cpu_us:,.0f} µs web, {product.postgres_us:,.0f} µs PostgreSQL; "
        f"bare {reference.cpu_us:,.0f} and {reference.postgres_us:,.0f}"
    )
    ratio = product.cpu_us / reference.cpu_us
    return Figure(case, "CPU per request", measured, f"≤ {most} µs web", ratio, product.cpu_us <= most)


def page(options: Options) -> list[Figure]:
    """A page of 100 own Locations."""
    with nodes.node("page", PARTIES, options.directory) as node:
        node.connect(PARTNER)
        size = data.fill(node.database, OWN, _PAGE_LOCATIONS, with_evses=_PAGE_LOCATIONS)
        rounds = _compared(node, f"{LOCATIONS}?limit={LIMIT}", OWN, "", options)
    what = f"GET page of {LIMIT} Locations, {size / 1000:.1f} kB each, {load.CONNECTIONS} connections"
    return [_ratio("page", what, rounds, 0.7), _cpu("page", rounds, 900)]


def patch(options: Options) -> list[Figure]:
    """EVSE status changes, each committed to disk."""
    path = "/ocpi/2.2.1/receiver/locations/DE/BEN"
    with nodes.node("patch", PARTIES, options.directory) as node:
        source = node.connect(CPO)[CPO.name]
        data.fill(node.database, CPO.party, _PATCH_LOCATIONS, with_evses=_PATCH_LOCATIONS, source=source)
        script = load.script_of("patch.lua", path=path, locations=_PATCH_LOCATIONS)
        rounds = _compared(node, path, CPO.party, script, options)
    what = f"PATCH EVSE status, {2 * _PATCH_LOCATIONS:,} EVSEs, {load.CONNECTIONS} connections, durable"
    return [_ratio("patch", what, rounds, 0.3), _cpu("patch", rounds, 650)]


def depth(options: Options) -> list[Figure]:
    """The first page against one behind 99 % of all rows, one request at a time."""
    with nodes.node("depth", PARTIES, options.directory) as node:
        node.connect(PARTNER)
        data.fill(node.database, OWN, options.rows, with_evses=min(options.rows, _PAGE_LOCATIONS))
        with node.web() as process:
            return _depth(node, process, options)


def _depth(node: Node, process: Pinned, options: Options) -> list[Figure]:
    headers = nodes.headers(PARTNER.party)
    first = f"{node.url}{LOCATIONS}?limit={LIMIT}"
    before = int(options.rows * DEEP) - LIMIT
    bare_offset = f"{first}&offset={before + LIMIT}"
    link = following(f"{first}&offset={before}", headers, before + LIMIT)
    urls = {"page 0": first, "Link": link, "offset": bare_offset}
    targets = [Target(name, process, url, headers) for name, url in urls.items()]
    rounds = load.interleaved(targets, options.rounds, options.seconds, options.postgres, connections=1)
    p50 = {name: load.median(found).p50_ms for name, found in rounds.items()}
    ratio = p50["Link"] / p50["page 0"]
    return [
        Figure(
            "depth",
            f"page at {DEEP:.0%} of {options.rows:,} Locations behind Link",
            f"p50 {p50['Link']:.2f} ms; page 0 {p50['page 0']:.2f} ms",
            "≤ 1.5 x page 0",
            ratio,
            ratio <= 1.5,
            load.details(rounds),
        ),
        Figure(
            "depth",
            "the same page at a bare offset",
            f"p50 {p50['offset']:.1f} ms",
            "≤ 100 ms",
            p50["offset"] / p50["page 0"],
            p50["offset"] <= 100,
        ),
    ]


def following(url: str, headers: dict[str, str], offset: int) -> str:
    """The Link of a page, which must lead to where `offset` leads."""
    with httpx.Client(headers=headers, trust_env=False, timeout=60) as client:
        link = next_link(client.get(url).headers.get("Link"))
        if not link or "cursor=" not in link:
            raise CaseFailed(f"{url} has no Link with a cursor: {link}")
        behind, counted = client.get(link).json(), client.get(f"{url.partition('&')[0]}&offset={offset}").json()
    if not behind["data"] or behind["data"] != counted["data"]:
        raise CaseFailed(f"{link} and offset {offset} differ")
    return link
