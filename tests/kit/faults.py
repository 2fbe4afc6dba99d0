"""A hub in production while everything dies: partners must end up with the truth.

A CPO changes its objects all the time (tests/kit/busy_cpo.py). Meanwhile processes and servers are killed and come
back, one partner is away for a while, one answers 500 now and then, one forgets to answer. When that is over, every
partner must hold each object that is for it as the CPO's books say, no other, and each CDR once.

Compared is everything but `last_updated`: an object that was stamped anew and says the same is no news to a partner.
"""

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from ocpi.types import times
from tests.kit.busy_cpo import BusyCpo
from tests.kit.caller import SENDER, PartnerClient, path_of
from tests.kit.objects import Document
from tests.kit.peer import Behaviour, FakePeer, fails, forgets_to_answer, hangs_up, now_and_then
from tests.kit.production import PROCESSES, Production, production

HUB, CPO = "NL*HUB", "DE*CPO"
MODULES = ("locations", "tariffs", "sessions", "cdrs")
VICTIMS = (*PROCESSES, "redis", "postgres")
_AWAY = (0.25, 0.6)  # of all changes: when the absent partner leaves, and when it is back
_LAST = 10  # changes whose wake-ups are lost
_HURRY = 20  # changes between two moments at which all pauses are over

# What lets every pause be over: those of lanes and of objects after a failure, and that before the next probe.
_OVER = (
    "UPDATE roaming_lane SET retry_at = NULL WHERE retry_at IS NOT NULL",
    "UPDATE roaming_feedcursor SET retry_at = NULL WHERE retry_at IS NOT NULL",
    "UPDATE roaming_delivery SET retry_at = now() WHERE retry_at IS NOT NULL",
    "UPDATE roaming_platform SET probe_at = now() WHERE offline_since IS NOT NULL",
)
_LAPSED = "UPDATE roaming_lane SET claimed_until = now() WHERE claimed_until IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Plan:
    """`rate`: changes per second, about; `kills`: how often each victim dies; `share`: of the requests to unreliable
    partners that go wrong; `patience`: seconds to wait at the end.

    `hurried`: pauses are not waited for, nor the claims of the worker that was killed last.
    """

    seed: int
    changes: int
    rate: float
    kills: int
    share: float
    patience: float
    hurried: bool = False
    sites: int = 30
    points: int = 6


@dataclass(frozen=True, slots=True)
class Outcome:
    """`settled`: seconds from the last fault until every partner held the truth."""

    objects: int
    bills: int
    kills: dict[str, int]
    requests: int
    repeated: int
    settled: float


def play(plan: Plan, directory: Path) -> Outcome:
    """Play the whole story; raises AssertionError when somebody ends up with anything but the truth."""
    with production(f"HUB:{HUB}:Example Hub", directory) as node, _partners(plan) as partners:
        tokens = node.enter(*partners.values(), clients=(f"CPO:{CPO}",))
        drivers = [str(peer.party) for peer in partners.values()]
        cpo = BusyCpo(CPO, tokens[CPO], node.url, drivers, seed=plan.seed, sites=plan.sites, points=plan.points)
        with contextlib.closing(cpo):
            for name in PROCESSES:
                node.start(name)
            node.wait_ready()
            cpo.open()
            killed = _change_and_kill(plan, node, cpo, partners["absent"])
            for peer in partners.values():
                peer.behave()
            _lose_every_wake_up(plan, node, cpo)
            settled = _await_truth(plan, node, cpo.books, partners.values())
            _compare_hub(node, cpo.books, partners.values(), tokens)
            assert node.ended() == {}, f"ended by themselves: {node.ended()}: {node.said()}"
            for peer in partners.values():
                assert not (found := backward(peer)), f"{peer.party} was sent older news after newer: {found}"
        bills = sum(key.startswith("cdrs/") for key in cpo.books)
        requests = sum(len(peer.requests) for peer in partners.values())
        return Outcome(len(cpo.books), bills, killed, requests, cpo.repeated, settled)


@contextlib.contextmanager
def _partners(plan: Plan) -> Iterator[dict[str, FakePeer]]:
    faults: dict[str, Behaviour | None] = {
        "sound": None,
        "absent": None,
        "failing": now_and_then(plan.share, fails(500), plan.seed),
        "forgetful": now_and_then(plan.share, forgets_to_answer(), plan.seed),
    }
    with contextlib.ExitStack() as stack:
        found = {}
        for number, (name, behaviour) in enumerate(faults.items()):
            found[name] = stack.enter_context(FakePeer(f"NL*M{number:02}", "EMSP", modules=MODULES))
            if behaviour:
                found[name].misbehave(behaviour, path="/receiver/", count=10**9)
        yield found


# --- faults ---------------------------------------------------------------------------------------------------------


def _change_and_kill(plan: Plan, node: Production, cpo: BusyCpo, absent: FakePeer) -> dict[str, int]:
    """All changes, at an even pace, among kills at random moments; returns how often each victim died."""
    chance = random.Random(plan.seed)
    victims = list(VICTIMS) * plan.kills
    chance.shuffle(victims)
    moments = sorted(chance.sample(range(plan.changes // 20, plan.changes), len(victims)))
    strikes = dict(zip(moments, victims, strict=True))
    leaves, returns = (int(plan.changes * share) for share in _AWAY)
    under_way: list[Future[None]] = []
    locks = {victim: threading.Lock() for victim in VICTIMS}
    with ThreadPoolExecutor(len(VICTIMS)) as pool:
        started = time.monotonic()
        for number in range(plan.changes):
            if victim := strikes.get(number):
                under_way.append(pool.submit(_strike, node, victim, chance.uniform(0.2, 1.5), locks[victim]))
            if number == leaves:
                absent.misbehave(hangs_up(), count=10**9)
            if number == returns:
                absent.behave()
            cpo.change()
            if plan.hurried and number % _HURRY == 0:
                _let_pauses_be_over(node)
            time.sleep(max(0.0, started + number / plan.rate - time.monotonic()))
    for strike in under_way:
        strike.result()
    node.wait_ready()
    return dict(Counter(victims))


def _lose_every_wake_up(plan: Plan, node: Production, cpo: BusyCpo) -> None:
    """The last changes of all are made without a worker, and the queue is lost before there is one again."""
    node.kill("worker")
    for _ in range(_LAST):
        cpo.change()
    node.kill("redis")
    if plan.hurried:
        node.execute(_LAPSED)
    node.start("redis")
    node.start("worker")


def _let_pauses_be_over(node: Production) -> None:
    with contextlib.suppress(psycopg.Error):
        node.execute(*_OVER)


def _strike(node: Production, victim: str, seconds: float, lock: threading.Lock) -> None:
    with lock:
        node.kill(victim)
        time.sleep(seconds)
        node.start(victim)


# --- the end --------------------------------------------------------------------------------------------------------


def _await_truth(plan: Plan, node: Production, books: dict[str, Document], peers: Collection[FakePeer]) -> float:
    """Wait until every partner holds the truth; returns the seconds that took."""
    started = time.monotonic()
    while wrong := {str(peer.party): found for peer in peers if (found := wrong_at(peer, books))}:
        waited = time.monotonic() - started
        assert waited < plan.patience, f"after {waited:.0f} s not the truth: {wrong}: {node.said()}"
        if plan.hurried:
            _let_pauses_be_over(node)
        time.sleep(0.25)
    return time.monotonic() - started


def wrong_at(peer: FakePeer, books: dict[str, Document]) -> list[str]:
    """What a partner lacks, holds beside the truth, or has in another state."""
    wanted = {key: document for key, document in books.items() if _is_for(peer, document)}
    held = dict(peer.received)
    lacking = [f"lacks {key}" for key in wanted.keys() - held.keys()]
    beside = [f"holds {key}" for key in held.keys() - wanted.keys()]
    differing = [f"differs {key}" for key in wanted.keys() & held.keys() if not _same(wanted[key], held[key])]
    return sorted(lacking + beside + differing)


def _is_for(peer: FakePeer, document: Document) -> bool:
    driver = document.get("cdr_token")
    return driver is None or f"{driver['country_code']}*{driver['party_id']}" == str(peer.party)


def _compare_hub(
    node: Production, books: dict[str, Document], peers: Collection[FakePeer], tokens: dict[str, str]
) -> None:
    """What the hub has acknowledged it has, for every partner that asks it."""
    for peer in peers:
        client = PartnerClient(tokens[str(peer.party)], to=HUB, from_=str(peer.party), at=node.url)
        found = [one for module in MODULES for one in _crawl(client, module)]
        wanted = [document for document in books.values() if _is_for(peer, document)]
        assert _texts(found) == _texts(wanted), f"the hub, asked by {peer.party}"


def _crawl(client: PartnerClient, module: str) -> Iterator[Document]:
    path: str | None = f"{SENDER}/{module}"
    while path:
        answer = client.get(path)
        yield from answer.data
        path = path_of(answer.next_url) if answer.next_url else None


def backward(peer: FakePeer) -> list[str]:
    """The requests that told a partner of an older state after a newer one."""
    latest: dict[str, Any] = {}
    found = []
    for request in list(peer.requests):
        if request.method in ("PUT", "PATCH") and "/receiver/" in request.path:
            moment = times.parse(request.document["last_updated"])
            if moment < latest.get(request.path, moment):
                found.append(f"{request.method} {request.path}")
            latest[request.path] = moment
    return found


def _same(one: Document, other: Document) -> bool:
    return bool(_timeless(one) == _timeless(other))


def _texts(documents: Iterable[Document]) -> list[str]:
    return sorted(repr(_timeless(document)) for document in documents)


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(item) for name, item in sorted(value.items()) if name != "last_updated"}
    return [_timeless(item) for item in value] if isinstance(value, list) else value
