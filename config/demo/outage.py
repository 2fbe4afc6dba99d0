"""The demo's second part: one partner is away while everything changes, and comes back.

Nothing is queued for it: on its return it is sent what differs from what it acknowledged, one request for each EVSE
however often that has changed, and the CDR that it has not got yet.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from django.utils import timezone

from config.demo import samples
from config.demo.node import Node, expect, wait
from config.demo.samples import CPO, HUB, MSP
from ocpi.models import Cdr, Location
from ocpi.store.documents import Document
from ocpi.types import times
from roaming.breaker import STRIKES

_OFTEN, _EVSES = 2, 2  # so often the status of so many EVSEs of each car park changes
_LOG_SECONDS = 0.5  # the exchange log is written every 200 ms
_NEXT = {"AVAILABLE": "CHARGING", "CHARGING": "BLOCKED"}


def play(hub: Node, cpo: Node, msp: Node, step: Callable[..., Any]) -> None:
    with step("fifty car parks more, from the CPO through the hub to the eMSP") as saw:
        cpo.import_objects("locations", CPO, samples.car_parks(CPO))
        seconds = wait("the eMSP has them", lambda: _car_parks(cpo) == _car_parks(msp))
        saw(f"{samples.CAR_PARKS} Locations, {samples.CAR_PARKS * samples.PLACES} EVSEs; {seconds:.2f} s to the eMSP")
    with step("the eMSP stops: requests to it are told so, and the hub stops calling it") as saw:
        msp.stop()
        path = f"receiver/sessions/{CPO[:2]}/{CPO[3:]}/SESSION-1"
        told = {cpo.ask(hub, "GET", path, to=MSP, party=CPO).json()["status_code"] for _ in range(STRIKES)}
        expect(told == {4003}, f"the CPO was told {told}")
        seconds = wait("the CPO hears of it", lambda: f"{MSP} OFFLINE" in cpo.connections())
        saw(f"4003; HubClientInfo says {MSP} OFFLINE at the CPO after {seconds:.2f} s")
    with step("the others notice nothing: statuses change, and a CDR is born") as saw:
        for _ in range(_OFTEN):
            change(cpo, _car_parks(cpo), evses=_EVSES)
            seconds = wait("the hub has them", lambda: _car_parks(cpo) == _car_parks(hub))
        cpo.import_objects("cdrs", CPO, [{**_cdr(cpo, "CDR-1"), "id": "CDR-2", "session_id": "SESSION-2"}])
        changes, evses = _OFTEN * _EVSES * samples.CAR_PARKS, _EVSES * samples.CAR_PARKS
        saw(f"{changes} changes of {evses} EVSEs, the last at the hub after {seconds:.2f} s; CDR-2 waits at the CPO")
    with step("the eMSP comes back, and has the current state of every EVSE and the CDR") as saw:
        saw(_bring_back(hub, cpo, msp, evses))


def _bring_back(hub: Node, cpo: Node, msp: Node, evses: int) -> str:
    back_at = timezone.now()
    msp.start()
    msp.wait_ready()
    msp.ask(hub, "GET", "sender/tariffs?limit=1", to=HUB, party=MSP)  # else it is only found by the next probe
    wait("it is CONNECTED again", lambda: f"{MSP} CONNECTED" in cpo.connections())
    statuses = wait("it has every status", lambda: _car_parks(cpo) == _car_parks(msp))
    bill = wait("it has the CDR", lambda: _cdr(msp, "CDR-2") == _cdr(cpo, "CDR-2"))
    time.sleep(_LOG_SECONDS)
    patches = Counter(hub.sent(msp, "PATCH", "locations", back_at))
    puts = hub.sent(msp, "PUT", "locations", back_at)
    bills = hub.sent(msp, "POST", "cdrs", back_at)
    expect(len(patches) <= evses and max(patches.values(), default=1) == 1, f"it was sent {patches}")
    expect(not puts and len(bills) == 1, f"it was sent {puts} and {bills}")
    return (
        f"statuses after {statuses:.2f} s, by {len(patches)} requests for {evses} EVSEs; "
        f"the CDR, once, after {statuses + bill:.2f} s"
    )


def change(cpo: Node, locations: Sequence[Document], evses: int) -> Sequence[Document]:
    """Change the status of the first EVSEs of own Locations at the CPO; returns the Locations as they are then."""
    now = times.now()
    for document in locations:
        for evse in document["evses"][:evses]:
            evse["status"] = _NEXT.get(evse["status"], "AVAILABLE")
            evse["last_updated"] = document["last_updated"] = now
    report = cpo.import_objects("locations", CPO, locations)
    expect(report["updated"] == len(locations), f"import_objects reports {report}")
    return locations


def _car_parks(node: Node) -> list[Document]:
    found = node.documents(Location, key__startswith="park-")
    return [found[key] for key in sorted(found)]


def _cdr(node: Node, id: str) -> Document:
    return node.document(Cdr, id) or {}
