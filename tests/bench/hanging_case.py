"""One of ten receivers hangs: what do the other nine notice?"""

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping

import httpx

from tests.bench import load, nodes, processes
from tests.bench.load import Target
from tests.bench.nodes import Node, Partner
from tests.bench.options import Options
from tests.bench.processes import CaseFailed
from tests.bench.relay_cases import ANSWER, EMSP, HUB, SINK, nginx
from tests.bench.report import Figure

_RECEIVERS = 10
_WAITING = 50  # requests that wait for the one that hangs
_PATH = "/ocpi/2.2.1/receiver/locations/DE/BEN/LOC"
_BODY = '{"country_code":"DE","party_id":"BEN","id":"LOC","name":"' + "x" * 1100 + '"}'
_CONNECTIONS = 8
_TIMEOUT = 600  # s: nobody gives up before the last round


@contextlib.contextmanager
def hanging_server() -> Iterator[str]:
    """A server that takes every request and answers none."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextlib.contextmanager
def _waiting(node: Node, headers: Mapping[str, str]) -> Iterator[None]:
    """So many requests through the hub that nobody answers; raises CaseFailed when somebody did."""
    client = httpx.Client(
        limits=httpx.Limits(max_connections=_WAITING), timeout=httpx.Timeout(None, pool=None), trust_env=False
    )

    def wait() -> None:
        with contextlib.suppress(httpx.HTTPError):
            client.put(node.url + _PATH, headers=headers, content=_BODY)

    waiting = [threading.Thread(target=wait, daemon=True) for _ in range(_WAITING)]
    for thread in waiting:
        thread.start()
    try:
        yield
        still = sum(thread.is_alive() for thread in waiting)
        if still < _WAITING:
            raise CaseFailed(f"only {still} of {_WAITING} requests still wait")
    finally:
        client.close()


def hanging(options: Options) -> list[Figure]:
    """p99 to nine sound receivers, of a hub whose tenth is asked nothing and of one where requests to it wait."""
    script = load.script_of("receivers.lua", path=_PATH, body=_BODY, receivers=_RECEIVERS - 1)
    headers = {**nodes.headers(EMSP.party), "OCPI-to-country-code": "NL"}
    with contextlib.ExitStack() as stack:
        configuration = SINK.replace("@ANSWER@", ANSWER)
        sink, _ = stack.enter_context(nginx("sound", configuration, processes.OTHER_CORE, options.directory))
        dead = stack.enter_context(hanging_server())
        sound = [Partner(f"sound {number}", f"NL*C{number:02}", "CPO", sink) for number in range(_RECEIVERS - 1)]
        targets = []
        for number, name in enumerate(("alone", "beside"), 1):
            node = stack.enter_context(nodes.node(f"hanging_{name}", HUB, options.directory, number))
            node.env["NODE_PARTNER_TIMEOUT"] = str(_TIMEOUT)
            node.connect(EMSP, *sound, Partner("hanging", "NL*C99", "CPO", dead))
            targets.append(Target(name, stack.enter_context(node.web()), node.url, headers, script))
        with _waiting(node, {**headers, "OCPI-to-party-id": "C99", "Content-Type": "application/json"}):
            rounds = load.interleaved(targets, options.rounds, options.seconds, options.postgres, _CONNECTIONS)
    before, after = (load.median(rounds[target.name]) for target in targets)
    ratio = after.p99_ms / before.p99_ms
    return [
        Figure(
            "hanging",
            f"p99 to {_RECEIVERS - 1} receivers while {_WAITING} requests wait for a tenth",
            f"{after.p99_ms:.1f} ms at {after.rate:,.0f}/s; alone {before.p99_ms:.1f} ms at {before.rate:,.0f}/s",
            "< 1.2 x alone",
            ratio,
            ratio < 1.2,
            load.details(rounds),
        )
    ]
