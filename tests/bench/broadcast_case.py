"""One EVSE changes its status, and fifty partners of a hub are told."""

import contextlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.bench import data, nodes, processes
from tests.bench.nodes import Partner
from tests.bench.options import Options
from tests.bench.processes import CaseFailed
from tests.bench.relay_cases import ANSWER, HUB
from tests.bench.report import Figure

_PARTNERS = 50
_CHANGES = 5
_PATIENCE = 60
CPO = Partner("cpo", "DE*BEN", "CPO")


class _Ear(ThreadingHTTPServer):
    """Fifty partners in one server: when was each told last?"""

    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: dict[str, float] = {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Ear

    def log_message(self, format: str, *args: object) -> None: ...

    def do_PATCH(self) -> None:
        self.do_PUT()

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard[self.path.split("/")[1]] = time.monotonic()
        content = ANSWER.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextlib.contextmanager
def _listening() -> Iterator[_Ear]:
    with _Ear() as ear:
        thread = threading.Thread(target=ear.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield ear
        finally:
            ear.shutdown()
            thread.join()


def _all_told(ear: _Ear) -> float:
    """When the last of all partners was told."""
    deadline = time.monotonic() + _PATIENCE
    while len(ear.heard) < _PARTNERS:
        if time.monotonic() > deadline:
            raise CaseFailed(f"{len(ear.heard)} of {_PARTNERS} partners were told within {_PATIENCE} s")
        time.sleep(0.005)
    return max(ear.heard.values())


def broadcast(options: Options) -> list[Figure]:
    """From the CPO's request until the last of fifty partners has the Location."""
    took = []
    with contextlib.ExitStack() as stack:
        node = stack.enter_context(nodes.node("broadcast", HUB, options.directory))
        ear = stack.enter_context(_listening())
        url = f"http://127.0.0.1:{ear.server_port}"
        partners = [
            Partner(f"emsp {number}", f"NL*E{number:02}", "EMSP", f"{url}/{number}") for number in range(_PARTNERS)
        ]
        source = node.connect(CPO, *partners)[CPO.name]
        data.fill(node.database, CPO.party, 1, with_evses=1, source=source)
        stack.enter_context(node.web())
        for name in ("worker", "beat"):
            stack.enter_context(node.process(name, processes.PRODUCT_CORE))
        _all_told(ear)
        headers = {**nodes.headers(CPO.party), "OCPI-to-country-code": "NL", "OCPI-to-party-id": "HUB"}
        path = f"{node.url}/ocpi/2.2.1/receiver/locations/DE/BEN/LOC0000001/E0000001-1"
        for number in range(_CHANGES):
            time.sleep(1)
            ear.heard.clear()
            started = time.monotonic()
            change = {"status": "CHARGING" if number % 2 else "BLOCKED", "last_updated": f"2036-01-01T00:00:0{number}Z"}
            answer = httpx.patch(path, json=change, headers=headers, trust_env=False)
            if answer.json()["status_code"] != 1000:
                raise CaseFailed(answer.text)
            took.append(_all_told(ear) - started)
    slowest = max(took)
    return [
        Figure(
            "broadcast",
            f"one EVSE's status to {_PARTNERS} partners, web, worker and beat on one core",
            f"the last has it after {min(took):.2f} to {slowest:.2f} s",
            "≤ 2 s",
            None,
            slowest <= 2,
            {"seconds": took},
        )
    ]
