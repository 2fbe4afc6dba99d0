"""What protects a hub and those behind it: rates, requests under way, headers, and who is OFFLINE."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from config.asgi import bridge
from roaming import breaker, directory, probing
from roaming.directory import directory as node_directory
from roaming.hub.limits import Buckets, Busy, Place, Rate, class_of, rates
from roaming.hub.relay import Relay
from roaming.hub.turnstile import MAX_HEADERS, Turnstile
from roaming.models import Party, Platform
from tests.kit import peer as misbehaviour
from tests.kit.caller import RECEIVER, SENDER, VERSIONS, Answer, PartnerClient
from tests.kit.front_door import serve
from tests.kit.objects import location
from tests.kit.peer import FakePeer, enveloped
from tests.kit.platforms import Registered, register

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[..., FakePeer]
Open = Callable[..., str]
THERE = f"{RECEIVER}/locations/DE/CPO/LOC-1"


# --- rates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", f"{SENDER}/tokens/012345/authorize", "authorize"),
        ("POST", f"{SENDER}/tokens/A%2Fb/authorize", "authorize"),
        ("GET", f"{SENDER}/tokens/authorize", "objects"),
        ("POST", f"{RECEIVER}/commands/START_SESSION", "commands"),
        ("PUT", f"{RECEIVER}/chargingprofiles/S1", "commands"),
        ("POST", f"{SENDER}/commands/START_SESSION/secret", "objects"),
        ("GET", f"{SENDER}/locations", "lists"),
        ("GET", f"{SENDER}/cdrs/", "lists"),
        ("GET", f"{SENDER}/acme-custom", "lists"),
        ("GET", f"{SENDER}/locations/LOC-1", "objects"),
        ("PATCH", f"{RECEIVER}/locations/DE/CPO/LOC-1/EVSE", "objects"),
        ("POST", f"{RECEIVER}/cdrs", "objects"),
        ("GET", "/ocpi/versions", "other"),
        ("PUT", "/ocpi/2.2.1/credentials", "other"),
        ("GET", "/ocpi/2.2.1/nonsense/x", "other"),
    ],
)
def test_the_class_of_a_request(method: str, path: str, expected: str) -> None:
    assert class_of(method, path.encode()) == expected


def test_rates_are_read_from_one_setting() -> None:
    assert rates("lists=120/3000, commands=300,objects=0") == {"lists": Rate(120, 3000), "commands": Rate(300, 300)}
    assert rates("") == {}


@pytest.mark.parametrize("text", ["lists", "lists=", "lists=x", "lists=-1", "lists=1/x", "lsits=1"])
def test_rates_that_cannot_be_read_stop_the_node(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="NODE_RATES"):
        rates(text)


def test_the_rates_we_ship_let_a_million_objects_be_pulled() -> None:
    """In pages of 1000, at once."""
    from config.settings import NODE_RATES

    buckets = Buckets(rates(NODE_RATES), lambda: 0.0)
    assert not any(buckets.take(1, "lists") for _ in range(1000))


def test_a_bucket_fills_with_time_and_holds_no_more_than_its_burst() -> None:
    now = 0.0
    buckets = Buckets({"lists": Rate(60, 3)}, lambda: now)
    assert [buckets.take(1, "lists") for _ in range(4)] == [0, 0, 0, 1]
    assert buckets.take(2, "lists") == 0 and buckets.take(1, "commands") == 0
    now = 2.0
    assert [buckets.take(1, "lists") for _ in range(3)] == [0, 0, 1]
    now = 1000.0
    assert [buckets.take(1, "lists") for _ in range(4)] == [0, 0, 0, 1]


# --- at the door ----------------------------------------------------------------------------------------------------


@pytest.fixture
def opened(transactional_db: None, settings: Any) -> Iterator[Open]:
    """Opens the hub's front door with these settings."""
    Party.objects.create(party="NL*HUB", role="HUB", name="Example Hub")
    directory.changed()
    doors = []

    def open_door(**changes: Any) -> str:
        for name, value in changes.items():
            setattr(settings, name, value)
        relay = Relay(bridge, node_directory)
        turnstile = Turnstile(relay, node_directory)

        async def application(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                await turnstile(scope, receive, send)
                return
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{message['type']}.complete"})
            turnstile.close()
            relay.close()
            await send({"type": "lifespan.shutdown.complete"})

        door = serve(application)
        doors.append(door)
        return door.__enter__()

    yield open_door
    for door in doors:
        door.__exit__(None, None, None)


@pytest.fixture
def emsp_peer(fake_peer: Start) -> FakePeer:
    return fake_peer(party="DE*MSP", role="EMSP")


@pytest.fixture
def emsp(emsp_peer: FakePeer) -> Registered:
    """The eMSP as server, connected to the hub."""
    return register(
        "EMSP:DE*MSP",
        endpoints=emsp_peer.endpoints(),
        outbound_token=emsp_peer.token,
        versions_url=emsp_peer.versions_url,
    )


@pytest.fixture
def cpo() -> Registered:
    return register("CPO:DE*CPO")


def test_too_many_requests_are_429_with_retry_after(
    opened: Open, cpo: Registered, emsp: Registered, emsp_peer: FakePeer
) -> None:
    """Relayed and local ones alike, before any work."""
    url = opened(NODE_RATES="objects=2,other=2")
    relayed, local = cpo.client("DE*MSP", "DE*CPO", at=url), emsp.client(at=url)
    for client, path in ((relayed, THERE), (local, VERSIONS)):
        answers = [client.get(path) for _ in range(3)]
        assert [answer.http == 429 for answer in answers] == [False, False, True]
        assert answers[-1].codes == (429, 2000)
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 30
    assert len(emsp_peer.requested("GET", "/receiver/")) == 2


def test_a_refused_body_does_not_cost_the_answer(opened: Open, cpo: Registered) -> None:
    url = opened(NODE_RATES="objects=1/1")
    client = cpo.client("DE*MSP", "DE*CPO", at=url)
    client.put(THERE, location())
    assert client.put(THERE, b"x" * 3_000_000).codes == (429, 2000)


def test_one_class_or_caller_does_not_use_up_anothers(opened: Open, cpo: Registered, emsp: Registered) -> None:
    url = opened(NODE_RATES="other=1,lists=1")
    assert [cpo.client(at=url).get(VERSIONS).http for _ in range(2)] == [200, 429]
    assert cpo.client("NL*HUB", at=url).get(f"{SENDER}/tokens").http == 200
    assert emsp.client(at=url).get(VERSIONS).http == 200


def test_unknown_callers_are_still_unauthorized(opened: Open) -> None:
    url = opened(NODE_RATES="other=1")
    assert [PartnerClient("nobody", at=url).get(VERSIONS).http for _ in range(3)] == [401] * 3


def test_large_headers_are_refused_cleanly(opened: Open, cpo: Registered) -> None:
    """An enveloped 431, or a 400 of the server's own, and the next request is answered."""
    url = opened()
    response = raw(url, b"GET /ocpi/versions HTTP/1.1\r\nHost: x\r\nX-Large: " + b"a" * 100_000 + b"\r\n\r\n")
    assert response.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400"))
    assert cpo.client(at=url).get(VERSIONS, headers={"X-Large": "a" * (MAX_HEADERS // 2)}).http == 200
    assert cpo.client(at=url).get(VERSIONS, headers={"X-Large": "a" * MAX_HEADERS}).codes == (431, 2000)


def raw(url: str, request: bytes) -> bytes:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(request)
        return connection.recv(65536)


# --- requests under way ---------------------------------------------------------------------------------------------


def side_by_side(count: int, call: Callable[[], Answer]) -> list[Answer]:
    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(call) for _ in range(count)]]


def test_a_receiver_that_hangs_is_busy_and_holds_up_no_other(
    opened: Open, cpo: Registered, emsp: Registered, emsp_peer: FakePeer, fake_peer: Start
) -> None:
    """R8.8, R8.2: 4000 to those that find no place; the caller has places left for other receivers."""
    other = fake_peer(party="FR*MSP", role="EMSP")
    register("EMSP:FR*MSP", endpoints=other.endpoints(), outbound_token=other.token)
    emsp_peer.misbehave(misbehaviour.slow(1.5))
    url = opened(NODE_IN_FLIGHT=3)
    with ThreadPoolExecutor(5) as pool:
        hanging = [
            pool.submit(cpo.client("DE*MSP", "DE*CPO", at=url).put, THERE, location(id="LOC-1")) for _ in range(5)
        ]
        emsp_peer.wait_for("PUT", count=3)
        started = time.monotonic()
        assert cpo.client("FR*MSP", "DE*CPO", at=url).put(THERE, location()).status == 1000
        assert time.monotonic() - started < 1  # not behind the others
        assert sorted(future.result().status for future in hanging) == [1000] * 3 + [4000] * 2
    assert len(emsp_peer.requested("PUT")) == 3


def test_a_caller_with_too_many_requests_under_way_is_429(
    opened: Open, cpo: Registered, emsp: Registered, emsp_peer: FakePeer, fake_peer: Start
) -> None:
    """One that speaks to two receivers that hang; who calls is another's no trouble."""
    other = fake_peer(party="FR*MSP", role="EMSP")
    register("EMSP:FR*MSP", endpoints=other.endpoints(), outbound_token=other.token)
    url = opened(NODE_IN_FLIGHT=1)
    with ThreadPoolExecutor(2) as pool:
        for peer in (emsp_peer, other):
            peer.misbehave(misbehaviour.slow(1.5))
            pool.submit(cpo.client(str(peer.party), "DE*CPO", at=url).put, THERE, location())
            peer.wait_for("PUT")
        answer = cpo.client(at=url).get(VERSIONS)
        assert answer.codes == (429, 2000) and answer.headers["Retry-After"] == "1"
        assert emsp.client(at=url).get(VERSIONS).status == 1000
    assert cpo.client(at=url).get(VERSIONS).status == 1000


def test_a_receiver_at_its_limit_gets_what_waits_a_moment_later(
    opened: Open, cpo: Registered, emsp: Registered, emsp_peer: FakePeer
) -> None:
    """R8.8: a burst is spread, not refused."""
    emsp_peer.misbehave(misbehaviour.slow(0.02))
    url = opened(NODE_IN_FLIGHT=4)
    answers = side_by_side(8, lambda: cpo.client("DE*MSP", "DE*CPO", at=url).put(THERE, location()))
    assert {answer.status for answer in answers} == {1000}


def test_who_has_waited_longest_is_next() -> None:
    async def story() -> list[int]:
        place, came = Place(1, patience=5), list[int]()

        async def visit(number: int) -> None:
            if not place.take():
                await place.wait()
            came.append(number)
            await asyncio.sleep(0)
            place.leave()

        await asyncio.gather(*map(visit, range(5)))
        return came

    assert asyncio.run(story()) == [0, 1, 2, 3, 4]


def test_who_gives_up_waiting_costs_nobody_a_place() -> None:
    """Out of patience, cancelled while it waits, and cancelled in the moment of its turn."""

    async def story() -> None:
        place = Place(1, patience=0.01)

        async def visit() -> None:
            if not place.take():
                await place.wait()
            place.leave()

        assert place.take()
        with pytest.raises(Busy):
            await visit()
        waiting = asyncio.create_task(visit())
        await asyncio.sleep(0)
        waiting.cancel()
        late = asyncio.create_task(visit())
        await asyncio.sleep(0)
        place.leave()
        late.cancel()
        last = asyncio.create_task(visit())
        await asyncio.gather(waiting, late, return_exceptions=True)
        await last
        await visit()

    asyncio.run(story())


# --- OFFLINE --------------------------------------------------------------------------------------------------------


def relayed_until_offline(client: PartnerClient, platform: Platform, most: int = 20) -> list[int]:
    found = []
    while not Platform.objects.filter(pk=platform.pk, offline_since__isnull=False).exists():
        assert len(found) < most
        found.append(client.put(THERE, location()).status)
        time.sleep(0.02 * (len(found) >= breaker.STRIKES))  # it is written down in a thread
    return found


def test_a_receiver_that_fails_is_offline_at_once_answered_and_back_by_its_probe(
    opened: Open, cpo: Registered, emsp: Registered, emsp_peer: FakePeer
) -> None:
    """R8.2, R8.8, R8.9, R9.19"""
    emsp_peer.misbehave(misbehaviour.fails(502))
    client = cpo.client("DE*MSP", "DE*CPO", at=opened())
    found = relayed_until_offline(client, emsp.platform)
    assert found[: breaker.STRIKES] == [4000] * breaker.STRIKES
    node_directory.picture(fresh=True)
    calls = len(emsp_peer.requests)
    answer = client.put(THERE, location())
    assert answer.codes == (200, 4003) and "OFFLINE since" in answer.message
    assert len(emsp_peer.requests) == calls
    emsp_peer.behave()
    Platform.objects.update(probe_at=None)
    probing.probe_due()
    assert client.put(THERE, location()).codes == (201, 1000)


@pytest.mark.parametrize(
    ("behaviour", "seconds", "status"),
    [(misbehaviour.hangs_up(), 30, 4003), (misbehaviour.slow(5), 0.1, 4002)],
)
def test_who_hangs_or_hangs_up_is_offline_too(
    opened: Open, cpo: Registered, emsp: Registered, emsp_peer: FakePeer, behaviour: Any, seconds: float, status: int
) -> None:
    """R8.2"""
    emsp_peer.misbehave(behaviour)
    client = cpo.client("DE*MSP", "DE*CPO", at=opened(NODE_PARTNER_TIMEOUT=seconds))
    found = relayed_until_offline(client, emsp.platform)
    assert found[: breaker.STRIKES] == [status] * breaker.STRIKES


def test_what_a_receiver_refuses_never_makes_it_offline(
    opened: Open, cpo: Registered, emsp: Registered, emsp_peer: FakePeer
) -> None:
    """R8.1"""
    client = cpo.client("DE*MSP", "DE*CPO", at=opened())
    for code, http in ((2001, 200), (3000, 500), (2000, 401)):
        emsp_peer.misbehave(misbehaviour.answers(enveloped(code=code, http=http)))
        for _ in range(breaker.STRIKES):
            client.put(THERE, location())
    assert not Platform.objects.filter(offline_since__isnull=False).exists()


def test_traffic_is_a_sign_of_life_of_both(
    opened: Open, cpo: Registered, emsp: Registered, emsp_peer: FakePeer
) -> None:
    """R8.9: who calls, and who answers, need not be probed."""
    long_ago = timezone.now() - timedelta(hours=1)
    Platform.objects.update(last_seen_at=long_ago, connected_at=long_ago)
    cpo.client("DE*MSP", "DE*CPO", at=opened()).put(THERE, location())
    deadline = time.monotonic() + 5
    while Platform.objects.filter(last_seen_at=long_ago).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert probing.probe_due() == 0
