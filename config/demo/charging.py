"""The demo's part about chargers: two of them, of either version of OCPP, and a driver who starts and stops by an app.

The charge points are simulated (`simulate_charger`), the commands go from the eMSP through the hub to the CPO, and the
results come back the same way, to a server that stands for the eMSP's app.
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from config.demo import samples
from config.demo.node import Node, expect, wait
from config.demo.samples import CPO, MSP
from ocpi.models import Cdr, Location, Session
from ocpi.store.documents import Document
from ocpi.types import codec, times

_PARK = "PARK-1"
_CHARGERS = {"1.6": ("CP-OLD", f"{_PARK}-3"), "2.0.1": ("CP-NEW", f"{_PARK}-4")}  # identity and EVSE
_OVER = {"COMPLETED", "INVALID"}


def play(hub: Node, cpo: Node, msp: Node, step: Callable[..., Any]) -> None:
    with contextlib.ExitStack() as stack:
        with step("two chargers are registered, and connect by OCPP 1.6 and 2.0.1") as saw:
            for version, (identity, uid) in _CHARGERS.items():
                found = cpo.manage("add_charger", identity, "--location", _PARK, "--evse", f"{uid}:1", "--json")
                given = ("--password", found["password"], "--url", cpo.chargers_url, "--ocpp", version)
                pace = ("--speed", "600", "--minutes", "600", "--samples", "120")
                stack.enter_context(cpo.going_on("simulate_charger", identity, *given, *pace))
            wait("both are online", lambda: all(_is_online(cpo, identity) for identity, _ in _CHARGERS.values()))
            saw(", ".join(f"{identity} by {version}" for version, (identity, _) in _CHARGERS.items()))
        results = stack.enter_context(_app())
        for version, (_, uid) in _CHARGERS.items():
            _charge(hub, cpo, msp, version, uid, results, step)


def _charge(
    hub: Node, cpo: Node, msp: Node, version: str, uid: str, results: "_Results", step: Callable[..., Any]
) -> None:
    token = next(card for card in samples.tokens(MSP) if card["uid"].endswith("3" if version == "1.6" else "4"))
    before = set(msp.documents(Session))
    with step(f"START_SESSION from the eMSP through the hub to a charger of OCPP {version}") as saw:
        place = {"location_id": _PARK, "evse_uid": uid, "connector_id": "1"}
        told = _command(msp, hub, results, "START_SESSION", token={**token, "last_updated": times.now()}, **place)
        status = wait("the eMSP sees the EVSE in use", lambda: _status(msp, uid) == "CHARGING")
        wait("the Session is ACTIVE", lambda: _session(msp, before).get("status") == "ACTIVE")
        saw(f"{told}; CHARGING at the eMSP {status:.2f} s later, Session ACTIVE")
    with step("the Session grows while the car charges") as saw:
        wait("energy is seen", lambda: _session(msp, before).get("kwh", 0) > 0)
        saw(f"{_session(msp, before)['kwh']} kWh so far, {_session(msp, before)['total_cost']['excl_vat']} EUR")
    with step("STOP_SESSION; the CDR is priced, pushed and audited") as saw:
        session = _session(msp, before)
        told = _command(msp, hub, results, "STOP_SESSION", session_id=session["id"])
        wait("the Session has ended", lambda: _session(msp, before).get("status") in _OVER)
        seconds = wait("the CDR arrives", lambda: _cdr(msp, session) is not None)
        bill = _cdr(msp, session) or {}
        expect(bill["total_energy"] == _session(msp, before)["kwh"], f"the CDR says {bill['total_energy']} kWh")
        report = msp.manage("audit_cdrs", "--json", tolerated=(0, 1))
        wrong = [found["id"] for found in report["cdrs"] if found["id"] == bill["id"]]
        expect(not wrong, f"the audit says {report}")
        saw(f"{told}; the CDR after {seconds:.2f} s: {bill['total_energy']} kWh, audited and ok")
        saw(f"{bill['total_cost']['excl_vat']} EUR ({bill['total_cost']['incl_vat']} with VAT)")


def _command(msp: Node, hub: Node, results: "_Results", name: str, **body: Any) -> str:
    """Send a command as the eMSP, and wait for its result."""
    count = len(results.found)
    document = {"response_url": results.url, **body}
    answer = msp.ask(hub, "POST", f"receiver/commands/{name}", to=CPO, party=MSP, body=document).json()
    expect(answer["data"]["result"] == "ACCEPTED", f"{name} is answered {answer}")
    seconds = wait(f"the result of {name}", lambda: len(results.found) > count)
    result = results.found[-1]["result"]
    expect(result == "ACCEPTED", f"the result of {name} is {results.found[-1]}")
    return f"{name} {result} after {seconds:.2f} s"


def _is_online(cpo: Node, identity: str) -> bool:
    return bool(cpo.manage("ocppctl", "state", given={"identity": identity})["online"])


def _status(msp: Node, uid: str) -> str:
    document = msp.document(Location, _PARK) or {}
    return next((str(evse["status"]) for evse in document.get("evses", ()) if evse["uid"] == uid), "")


def _session(msp: Node, before: set[str]) -> Document:
    """The Session that was not there before."""
    return next((found for key, found in msp.documents(Session).items() if key not in before), {})


def _cdr(msp: Node, session: Document) -> Document | None:
    return next((found for found in msp.documents(Cdr).values() if found.get("session_id") == session["id"]), None)


class _Results(ThreadingHTTPServer):
    """Where the results of commands go."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.found: list[Document] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/results"


class _Handler(BaseHTTPRequestHandler):
    server: _Results

    def do_POST(self) -> None:
        self.server.found.append(codec.decode(self.rfile.read(int(self.headers["Content-Length"]))))
        body = json.dumps({"status_code": 1000, "timestamp": times.now()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None: ...


@contextlib.contextmanager
def _app() -> Iterator[_Results]:
    with _Results() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
