"""`make demo`: three nodes of this program on loopback do the main job, end to end.

Hub NL*HUB, CPO DE*CPO and eMSP NL*MSP, each with its own processes and its own database. Embedded (SQLite) unless
DATABASE_URL names PostgreSQL; then each node is its Procfile under honcho, with a database and a Redis number of its
own. Every step checks what it claims; the first that does not hold ends the demo.

CPO and eMSP know nobody but the hub: what is for everybody is broadcast by it, what is for one party it passes on.
"""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from config.demo import billing, charging, metering, outage, samples
from config.demo.node import DemoFailed, Node, expect, wait
from config.demo.samples import CPO, MSP
from ocpi.cli import progress
from ocpi.models import Location, OwnedObject, Session, Tariff, Token
from ocpi.transport.pagination import next_link
from ocpi.types import times

SAMPLE = Path(settings.BASE_DIR) / "cpo_backend" / "register" / "sample.json"


@dataclass(frozen=True, slots=True)
class Step:
    """What one step saw, and how long it took."""

    name: str
    saw: str
    seconds: float


def run(locations: Path, tell: Callable[[Step], None]) -> list[Step]:
    """Play the whole story with the sites in `locations`; `tell` hears of each step as it is done."""
    steps: list[Step] = []

    @contextlib.contextmanager
    def step(name: str) -> Iterator[Callable[[str], None]]:
        started = time.monotonic()
        saw: list[str] = []
        yield saw.append
        steps.append(Step(name, "; ".join(saw), time.monotonic() - started))
        tell(steps[-1])

    directory = Path(tempfile.mkdtemp(prefix="demo-", dir=settings.VAR_DIR))
    hub = Node("hub", "HUB:NL*HUB:Example Hub", directory, 1)
    cpo = Node("cpo", "CPO:DE*CPO:Example Charging", directory, 2)
    msp = Node("msp", "EMSP:NL*MSP:Example Mobility", directory, 3)
    try:
        _story(hub, cpo, msp, locations, directory, step)
    except DemoFailed as error:
        raise DemoFailed(f"{error}\n(logs of the nodes: {directory})") from None
    finally:
        codes = {node.name: node.stop() for node in (msp, cpo, hub)}
    with step("stop the nodes") as saw:
        if connection.vendor == "sqlite" and any(codes.values()):
            raise DemoFailed(f"nodes did not drain on SIGTERM: exit codes {codes}")
        saw("SIGTERM drained all three")
    shutil.rmtree(directory)
    return steps


def _story(hub: Node, cpo: Node, msp: Node, locations: Path, directory: Path, step: Callable[..., Any]) -> None:
    with step("start hub, CPO and eMSP") as saw:
        for node in (hub, cpo, msp):
            node.start()
        for node in (hub, cpo, msp):
            node.wait_ready()
        saw(", ".join(f"{node.name} {node.url}" for node in (hub, cpo, msp)))
    _share_locations(hub, cpo, msp, locations, step)
    _share_tariffs_and_tokens(hub, cpo, msp, step)
    _route(hub, cpo, msp, step)
    _charge(cpo, msp, directory, step)
    outage.play(hub, cpo, msp, step)
    charging.play(hub, cpo, msp, step)
    with step("the doctor: hub and CPO examine each other, by reading alone") as saw:
        saw("; ".join(_examined(one, by=other) for one, other in ((cpo, hub), (hub, cpo))))


def _share_locations(hub: Node, cpo: Node, msp: Node, locations: Path, step: Callable[..., Any]) -> None:
    with step("import charging sites at the CPO") as saw:
        report = cpo.manage("import_locations", str(locations), "--party", CPO, "--json", tolerated=(0, 3))
        total = report["created"]
        saw(f"{total} Locations, {report['evses']} EVSEs, {report['rejected']} rows rejected with reasons")
        saw(f"{report['per_second']} Locations/s")
        expect(total > 0 and cpo.count() == total, f"the CPO holds {cpo.count()} of {total}")
    with step("CPO registers with the hub") as saw:
        saw(_register(cpo, hub))
    with step("Broadcast Push: CPO to hub") as saw:
        saw(_flow(hub, total, "the hub's copies"))
    with step("eMSP registers with the hub") as saw:
        saw(_register(msp, hub))
    with step("Broadcast Push: hub to eMSP, with the eMSP's own first pull") as saw:
        saw(_flow(msp, total, "the eMSP's copies"))
    with step("GET All at the eMSP") as saw:
        pulled = msp.manage("sync_platform", "hub", "--module", "locations", "--full", "--json")["locations"]
        expect(pulled["created"] + pulled["updated"] == 0, f"GET All found differences: {pulled}")
        expect(pulled["unchanged"] == total, f"GET All returned {pulled['unchanged']} of {total}")
        saw(f"{pulled['unchanged']} Locations in {pulled['pages']} pages, {pulled['per_second']} Locations/s")
    with step("compare object by object") as saw:
        saw(_compare(Location, cpo, hub, msp))
    with step("change one EVSE's status at the CPO") as saw:
        saw(_change_one(cpo, msp))


def _share_tariffs_and_tokens(hub: Node, cpo: Node, msp: Node, step: Callable[..., Any]) -> None:
    with step("Tariffs from the CPO through the hub to the eMSP") as saw:
        cpo.import_objects("tariffs", CPO, samples.tariffs(CPO))
        wait("the Tariffs arrive", lambda: msp.documents(Tariff) == cpo.documents(Tariff))
        saw(_compare(Tariff, cpo, hub, msp))
    with step("Tokens from the eMSP through the hub to the CPO") as saw:
        msp.import_objects("tokens", MSP, samples.tokens(MSP))
        wait("the Tokens arrive", lambda: cpo.documents(Token) == msp.documents(Token))
        saw(_compare(Token, msp, hub, cpo))
    with step("HubClientInfo: the hub tells who is connected") as saw:
        wait("both hear of the other", lambda: all(_knows_others(node) for node in (cpo, msp)))
        saw("; ".join(f"{node.name} knows of {', '.join(sorted(node.connections()))}" for node in (cpo, msp)))


def _route(hub: Node, cpo: Node, msp: Node, step: Callable[..., Any]) -> None:
    """The hub finds the receiver by the headers, or by the content."""
    with step("direct GET through the hub: the eMSP reads the CPO's Locations") as saw:
        first = msp.ask(hub, "GET", "sender/locations?limit=2", to=CPO, party=MSP)
        found, following = first.json(parse_float=Decimal)["data"], next_link(first.headers.get("Link"))
        expect(following is not None and following.startswith(hub.url), f"its Link leads to {following}")
        found += msp.ask(hub, "GET", following or "", to=CPO, party=MSP).json(parse_float=Decimal)["data"]
        expect(len(found) > 2 and all(one in cpo.documents(Location).values() for one in found), "they differ")
        saw(f"{len(found)} Locations in two pages, {first.headers['X-Total-Count']} in all; Link leads through the hub")
    with step("Open Routing: an authorization that names no receiver") as saw:
        card = samples.tokens(MSP)[0]
        answer = cpo.ask(hub, "POST", f"sender/tokens/{card['uid']}/authorize", party=CPO)
        expect(answer.json()["data"]["allowed"] == "ALLOWED", answer.text)
        named = f"{answer.headers['OCPI-from-country-code']}*{answer.headers['OCPI-from-party-id']}"
        expect(named == MSP, f"{named} answered")
        saw(f"the hub knows that {card['uid']} is of {named}, which answers ALLOWED")


def _charge(cpo: Node, msp: Node, directory: Path, step: Callable[..., Any]) -> None:
    location = billing.site(cpo)
    card, blocked = samples.tokens(MSP)[:2]
    with step("real-time authorization from the CPO through the hub to the eMSP") as saw:
        allowed = cpo.manage("authorize_token", card["uid"], "--party", CPO, "--location", location["id"], "--json")
        expect(allowed["allowed"] == "ALLOWED" and allowed["source"] == "REAL_TIME", f"decision {allowed}")
        refused = cpo.manage("authorize_token", blocked["uid"], "--party", CPO, "--json", tolerated=(1,))
        expect(refused["allowed"] == "BLOCKED", f"decision {refused}")
        saw(f"{card['uid']} {allowed['allowed']} in {allowed['milliseconds']} ms: {allowed['reason']}")
        saw(f"{blocked['uid']} {refused['allowed']}")
    session = billing.authorized(location, cpo, allowed["authorization_reference"])
    with step("a Session is pushed while it happens") as saw:
        cpo.import_objects("sessions", CPO, [begun := metering.begun(session)])
        seconds = wait("the Session begins", lambda: msp.document(Session, session["id"]) == begun)
        session["last_updated"] = times.now()
        cpo.import_objects("sessions", CPO, [session])
        seconds += wait("the Session ends", lambda: msp.document(Session, session["id"]) == session)
        saw(f"{session['id']} ACTIVE, then COMPLETED with {session['kwh']} kWh; in all {seconds:.2f} s to the eMSP")
    billing.play(cpo, msp, location, session, directory, step)


def _register(node: Node, host: Node) -> str:
    invitation = host.manage("invite_platform", node.name, "--json")
    report = node.manage("connect_platform", host.name, invitation["versions_url"], invitation["token"], "--json")
    return f"{report['state']} with {', '.join(report['parties'])}, {len(report['endpoints'])} endpoints"


def _examined(node: Node, by: Node) -> str:
    report = by.manage("doctor", node.name, "--json", tolerated=(0, 1))
    rules = {rule["rule"]: rule for rule in report["rules"] if rule["looked_at"]}
    broken = {name: rule["examples"] for name, rule in rules.items() if rule["broken"]}
    expect(not broken, f"{node.name} breaks rules: {broken}")
    return f"{node.name} keeps {len(rules)} rules in {report['requests']} requests"


def _flow(node: Node, total: int, what: str) -> str:
    before = node.count()
    with progress(what) as advance:

        def all_there() -> bool:
            advance(node.count(), total)
            return node.count() >= total

        seconds = wait(what, all_there)
    return f"{total} Locations, {round((total - before) / max(seconds, 0.001))} Locations/s"


def _compare(model: type[OwnedObject], source: Node, *copies: Node) -> str:
    documents = source.documents(model)
    for copy in copies:
        expect(copy.documents(model) == documents, f"the {model.__name__}s at {copy.name} differ from {source.name}'s")
    return f"{len(documents)} {model.__name__}s equal at {', '.join(node.name for node in (source, *copies))}"


def _change_one(cpo: Node, msp: Node) -> str:
    (document,) = outage.change(cpo, [next(iter(cpo.documents(Location).values()))], evses=1)
    evse = document["evses"][0]
    seconds = wait("the eMSP sees the change", lambda: msp.document(Location, document["id"]) == document)
    return f"{document['id']} / {evse['uid']} is {evse['status']} at the eMSP after {seconds:.2f} s"


def _knows_others(node: Node) -> bool:
    return {f"{CPO} CONNECTED", f"{MSP} CONNECTED"} <= node.connections()
