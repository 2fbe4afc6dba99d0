"""The other modules under load: authorization, Session PATCH, CDR POST, a list of a million Tokens."""

import contextlib
from collections.abc import Iterator

from tests.bench import load, modules_data, nodes
from tests.bench.load import Round, Target
from tests.bench.nodes import Node
from tests.bench.options import Options
from tests.bench.report import Figure
from tests.bench.web_cases import CPO, LIMIT, PARTIES, bare, following

EMSP = "NL*OSP"
TOKENS = "/ocpi/2.2.1/sender/tokens"
EMPTY = "/ocpi/versions"
_SESSIONS = 10_000


def _requests(method: str, path: str, body: str, rows: int) -> str:
    return load.script_of("requests.lua", method=method, path=path, body=body, rows=rows)


@contextlib.contextmanager
def _million(options: Options) -> Iterator[Node]:
    with nodes.node("tokens", PARTIES, options.directory) as node:
        node.connect(CPO)
        modules_data.fill_tokens(node.database, EMSP, options.rows)
        yield node


def authorize(options: Options) -> list[Figure]:
    """Real-time authorizations among a million Tokens, against our own smallest authenticated answer."""
    with _million(options) as node, node.web() as process:
        headers = nodes.headers(CPO.party)
        script = _requests("POST", f"{TOKENS}/CARD@N@/authorize", "", options.rows)
        asked = Target("authorize", process, node.url, headers, script)
        empty = Target("empty", process, node.url + EMPTY, headers)
        rounds = load.interleaved([asked, empty], options.rounds, options.seconds, options.postgres)
        alone = load.interleaved([asked], options.rounds, options.seconds, options.postgres, connections=1)
    loaded, single, least = (load.median(found) for found in (rounds["authorize"], alone["authorize"], rounds["empty"]))
    what = f"authorization among {options.rows:,} Tokens"
    ratio, spread = loaded.rate / least.rate, loaded.p99_ms / loaded.p50_ms
    return [
        Figure(
            "authorize",
            f"{what}, one at a time",
            f"p50 {single.p50_ms:.2f} ms, p99 {single.p99_ms:.2f} ms",
            "p99 < 20 ms",
            None,
            single.p99_ms < 20,
            load.details(alone),
        ),
        Figure(
            "authorize",
            f"{what}, {load.CONNECTIONS} connections",
            f"{loaded.rate:,.0f}/s, {loaded.cpu_us:,.0f} µs web; empty answer {least.rate:,.0f}/s",
            "≥ 0.6 x empty",
            ratio,
            ratio >= 0.6,
            load.details(rounds),
        ),
        Figure(
            "authorize",
            "p99 against p50 there",
            f"p99 {loaded.p99_ms:.1f} ms, p50 {loaded.p50_ms:.1f} ms",
            "≤ 3 x p50",
            spread,
            spread <= 3,
        ),
    ]


def _against_bare(node: Node, script: str, owner: str, options: Options) -> dict[str, list[Round]]:
    headers = nodes.headers(CPO.party)
    with node.web() as product, bare(node, owner) as (url, reference):
        targets = [
            Target("node", product, node.url, headers, script),
            Target("bare", reference, url, headers, script),
        ]
        return load.interleaved(targets, options.rounds, options.seconds, options.postgres)


def _written(case: str, what: str, rounds: dict[str, list[Round]]) -> list[Figure]:
    product, reference = load.median(rounds["node"]), load.median(rounds["bare"])
    ratio = product.rate / reference.rate
    measured = (
        f"{product.rate:,.0f} req/s, p99 {product.p99_ms:.1f} ms, {product.cpu_us:,.0f} µs web, "
        f"{product.postgres_us:,.0f} µs PostgreSQL; bare {reference.rate:,.0f} req/s"
    )
    return [Figure(case, what, measured, "", ratio, None, load.details(rounds))]


def session(options: Options) -> list[Figure]:
    """Session PATCHes of energy, durable, against the smallest thing that does the same work in PostgreSQL."""
    with nodes.node("session", PARTIES, options.directory) as node:
        source = node.connect(CPO)[CPO.name]
        modules_data.fill_sessions(node.database, CPO.party, EMSP, _SESSIONS, source)
        body = '{"kwh":@COUNT@.125,"last_updated":"@NOW@"}'
        script = _requests("PATCH", "/ocpi/2.2.1/receiver/sessions/DE/BEN/S@N@", body, _SESSIONS)
        rounds = _against_bare(node, script, CPO.party, options)
    return _written("session", f"Session PATCH, {_SESSIONS:,} Sessions, durable", rounds)


def cdr(options: Options) -> list[Figure]:
    """New CDRs, durable, against a bare INSERT."""
    with nodes.node("cdr", PARTIES, options.directory) as node:
        source = node.connect(CPO)[CPO.name]
        modules_data.fill_cdrs(node.database, CPO.party, EMSP, _SESSIONS, source)
        script = _requests("POST", "/ocpi/2.2.1/receiver/cdrs", modules_data.cdr(CPO.party, EMSP), _SESSIONS)
        rounds = _against_bare(node, script, CPO.party, options)
    return _written("cdr", "CDR POST, durable", rounds)


def tokens(options: Options) -> list[Figure]:
    """A page of a million Tokens, at the beginning and behind 99 % of them."""
    with _million(options) as node, node.web() as process:
        headers = nodes.headers(CPO.party)
        first = f"{node.url}{TOKENS}?limit={LIMIT}"
        at = int(options.rows * 0.99)
        link = following(f"{first}&offset={at - LIMIT}", headers, at)
        targets = [Target(name, process, url, headers) for name, url in (("page 0", first), ("Link", link))]
        rounds = load.interleaved(targets, options.rounds, options.seconds, options.postgres, connections=1)
    p50 = {name: load.median(found).p50_ms for name, found in rounds.items()}
    ratio = p50["Link"] / p50["page 0"]
    measured = f"p50 {p50['Link']:.2f} ms; page 0 {p50['page 0']:.2f} ms"
    what = f"page of {LIMIT} at 99 % of {options.rows:,} Tokens behind Link"
    return [Figure("tokens", what, measured, "≤ 1.5 x page 0", ratio, ratio <= 1.5, load.details(rounds))]
