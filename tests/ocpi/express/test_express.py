"""The express lane answers as Django does, and leaves to it whatever is not plain success."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest
from django.conf import settings as node
from django.db import connection

from config.asgi import bridge
from ocpi.events import object_changed
from ocpi.express.database import Database
from ocpi.express.door import Express
from ocpi.models import EvseStatus
from ocpi.store.cdrs import cdrs
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival, Objects
from ocpi.store.sessions import sessions
from ocpi.store.tariffs import tariffs
from ocpi.store.tokens import tokens
from ocpi.transport.asgi import Receive, Scope, Send
from roaming.directory import directory
from roaming.exchange_models import Exchange
from roaming.exchanges.log import ExchangeLog
from tests.kit.caller import RECEIVER, SENDER, SENDER_LOCATIONS, Answer, PartnerClient
from tests.kit.front_door import serve
from tests.kit.objects import cdr, cdr_token, evse, location, minutes_after_noon, odd_location, session, tariff, token
from tests.kit.platforms import Registered

pytestmark = pytest.mark.usefixtures("threaded_db")

OWN: dict[str, tuple[Objects, Callable[..., dict[str, Any]], str]] = {
    "locations": (locations, location, "id"),
    "tariffs": (tariffs, tariff, "id"),
    "sessions": (sessions, session, "id"),
    "cdrs": (cdrs, cdr, "id"),
    "tokens": (tokens, token, "uid"),
}
EVSE = f"{RECEIVER}/locations/DE/CPO/LOC-1/EVSE-1"


class Door:
    """The express lane in front of Django; `passed_on` are the requests that it left to it."""

    def __init__(self) -> None:
        self.passed_on: list[str] = []
        self._express = Express(self._behind, 2)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if directory.is_stale:  # as the relay does, which is in front of it
                await asyncio.to_thread(renew)
            await self._express(scope, receive, send)
            return
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await self._express.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _behind(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.passed_on.append(f"{scope['method']} {scope['path']}")
        await bridge(scope, receive, send)


def renew() -> None:
    try:
        directory.picture()
    finally:
        connection.close()


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def url(door: Door) -> Iterator[str]:
    with serve(door) as url:
        yield url


def told(answer: Answer) -> tuple[Any, ...]:
    """What an answer says, whenever and to whichever of two equal requests it was said."""
    moments = {"timestamp", "date", "x-request-id", "x-correlation-id", "content-length", "server", "connection"}
    headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in moments}
    return answer.http, headers, {name: value for name, value in answer.envelope.items() if name != "timestamp"}


def fill(module: str, count: int) -> None:
    store, document, key = OWN[module]
    fixed: dict[str, Any] = {"country_code": "NL", "party_id": "OSP" if module == "tokens" else "OCP"}
    if module in ("sessions", "cdrs"):
        fixed["cdr_token"] = cdr_token(country_code="DE", party_id="MSP")
    given = (
        {**fixed, key: f"N-{number:03}", "last_updated": minutes_after_noon(number), "name": "Größe 🚗"}
        for number in range(count)
    )
    store.put_many([Arrival(document(**changes)) for changes in given], None)


# --- pages ----------------------------------------------------------------------------------------------------------

QUERIES: list[dict[str, Any]] = [
    {},
    {"limit": 2},
    {"limit": 2, "offset": 3},
    {"offset": 4, "limit": 1},
    {"cursor": 0, "limit": 100000},
    {"date_from": minutes_after_noon(2), "date_to": minutes_after_noon(4)},
    {"odd": "ä&=", "limit": 1},
]


@pytest.mark.parametrize("module", OWN)
def test_pages_are_those_of_django(emsp: Registered, cpo: Registered, door: Door, url: str, module: str) -> None:
    fill(module, 5)
    caller = cpo if module == "tokens" else emsp
    for query in QUERIES:
        path = f"{SENDER}/{module}"
        one, other = caller.client(at=url).get(path, query), caller.client().get(path, query)
        assert told(one) == told(other) and one.status == 1000 and one.data, query
        assert one.headers["X-Request-ID"] and one.headers["Content-Length"] == str(len(one.body))
    assert door.passed_on == []


def test_a_crawl_by_link_sees_each_object_once(emsp: Registered, door: Door, url: str) -> None:
    fill("locations", 7)
    client, found, path = emsp.client(at=url), [], f"{SENDER_LOCATIONS}?limit=2"
    while path:
        answer = client.get(path)
        found += [document["id"] for document in answer.data]
        path = (answer.next_url or "").removeprefix(node.NODE_URL)
    assert found == [f"N-{number:03}" for number in range(7)] and door.passed_on == []


def test_a_page_larger_than_any_buffer_arrives_whole(emsp: Registered, door: Door, url: str) -> None:
    documents = [odd_location(id=f"BIG-{number}", name="x" * 30_000) for number in range(60)]
    locations.put_many([Arrival(document) for document in documents], None)
    answer = emsp.client(at=url).get(SENDER_LOCATIONS)
    assert len(answer.body) > 1_800_000 and answer.body.count(b'"BIG-') == 60 and door.passed_on == []
    assert b'"percentage":33.3300' in answer.body, "every digit stays"


def test_a_stale_location_is_refreshed_by_django_first(emsp: Registered, door: Door, url: str) -> None:
    fill("locations", 2)
    EvseStatus.objects.update(status="CHARGING")
    locations.model.objects.filter(key="n-001").update(stale=True)
    for passed_on in (1, 1):
        answer = emsp.client(at=url).get(SENDER_LOCATIONS)
        assert [one["evses"][0]["status"] for one in answer.data] == ["AVAILABLE", "CHARGING"]
        assert len(door.passed_on) == passed_on


@pytest.mark.parametrize(
    ("query", "codes"), [({"limit": "0x"}, (200, 2001)), ({"date_from": "yesterday"}, (200, 2001)), ({}, (200, 1000))]
)
def test_what_is_wrong_and_what_is_empty_is_said_by_django(
    emsp: Registered, door: Door, url: str, query: dict[str, Any], codes: tuple[int, int]
) -> None:
    one = emsp.client(at=url).get(SENDER_LOCATIONS, query)
    assert told(one) == told(emsp.client().get(SENDER_LOCATIONS, query)) and one.status == codes[1]
    assert len(door.passed_on) == 1


def test_strangers_other_parties_and_bodies_are_left_to_django(emsp: Registered, door: Door, url: str) -> None:
    fill("locations", 1)
    assert PartnerClient("unknown", at=url).get(SENDER_LOCATIONS).http == 401
    assert emsp.client(to="XX*YYY", at=url).get(SENDER_LOCATIONS).status != 1000
    assert emsp.client(from_="XX*YYY", at=url).get(SENDER_LOCATIONS).status != 1000
    assert emsp.client(at=url).request("GET", SENDER_LOCATIONS, b"{}").status == 1000
    assert len(door.passed_on) == 4


# --- the status of an EVSE --------------------------------------------------------------------------------------------


@pytest.fixture
def there(cpo: Registered) -> None:
    document = location(country_code="DE", party_id="CPO", evses=[evse(), evse(uid="EVSE-2")])
    locations.put_many([Arrival(document)], cpo.platform.pk)


def status_of(uid: str = "evse-1") -> tuple[str, str]:
    return EvseStatus.objects.values_list("status", "stamp").get(key=uid)


@pytest.mark.usefixtures("there")
def test_a_status_is_changed_told_and_answered(cpo: Registered, door: Door, url: str) -> None:
    heard: list[tuple[Any, ...]] = []

    def listen(module: Any, owner: Any, source: Any, **_: Any) -> None:
        heard.append((str(module), str(owner), source))

    object_changed.connect(listen)
    try:
        change = {"status": "CHARGING", "last_updated": minutes_after_noon(1)}
        answer = cpo.client(at=url).patch(EVSE.replace("LOC-1/EVSE-1", "loc-1/evse-1"), change)
    finally:
        object_changed.disconnect(listen)
    assert answer.codes == (200, 1000) and "data" not in answer.envelope and door.passed_on == []
    assert status_of() == ("CHARGING", minutes_after_noon(1)) and status_of("evse-2")[0] == "AVAILABLE"
    assert heard == [("locations", "DE*CPO", cpo.platform.pk)]
    seen = cpo.client(at=url).get(EVSE).data
    assert (seen["status"], seen["last_updated"]) == ("CHARGING", minutes_after_noon(1))


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (EVSE, {"status": "CHARGING"}),
        (EVSE, {"last_updated": minutes_after_noon(1)}),
        (EVSE, {"status": "CHARGING", "last_updated": "now"}),
        (EVSE, {"status": 1, "last_updated": minutes_after_noon(1)}),
        (EVSE, {"status": "ON_FIRE", "last_updated": minutes_after_noon(1)}),
        (EVSE, {"status": "CHARGING", "last_updated": minutes_after_noon(1), "floor_level": "-1"}),
        (EVSE, {"uid": "OTHER", "status": "CHARGING", "last_updated": minutes_after_noon(1)}),
        (EVSE, [1]),
        (EVSE, b"{"),
        (EVSE, b'{"status": "CHARGING\\ud800", "last_updated": NaN}'),
        (EVSE, b""),
        (f"{EVSE}0", {"status": "CHARGING", "last_updated": minutes_after_noon(1)}),
        (EVSE.replace("LOC-1", "LOC-2"), {"status": "CHARGING", "last_updated": minutes_after_noon(1)}),
        (EVSE.replace("DE/CPO", "NL/OCP"), {"status": "CHARGING", "last_updated": minutes_after_noon(1)}),
        (EVSE.replace("DE/CPO", "FR/XYZ"), {"status": "CHARGING", "last_updated": minutes_after_noon(1)}),
    ],
)
def test_anything_else_is_answered_as_ever(cpo: Registered, door: Door, url: str, path: str, body: Any) -> None:
    one = cpo.client(at=url).patch(path, body)
    assert len(door.passed_on) == 1
    assert told(one) == told(cpo.client().patch(path, body))


@pytest.mark.usefixtures("there")
def test_a_body_without_a_length_or_of_some_length_is_left_to_django(cpo: Registered, door: Door, url: str) -> None:
    change = b'{"status": "CHARGING", "last_updated": "2026-03-01T12:01:00Z"%b}'
    headers = {"Authorization": f"Token {cpo.token}", "Content-Type": "application/json"}
    for content in (iter([change % b""]), change % (b" " * 20_000), iter([b"["] * (node.NODE_MAX_BODY // 1000 + 1))):
        httpx.patch(url + EVSE, content=content, headers=headers)
    assert len(door.passed_on) == 3 and status_of()[0] == "CHARGING"


@pytest.mark.usefixtures("there")
def test_forty_changes_at_once_on_two_connections_are_all_kept(cpo: Registered, door: Door, url: str) -> None:
    words = ["CHARGING", "AVAILABLE", "BLOCKED", "RESERVED"]

    def change(number: int) -> int:
        body = {"status": words[number % 4], "last_updated": minutes_after_noon(number)}
        return cpo.client(at=url).patch(EVSE if number % 2 else EVSE.replace("EVSE-1", "EVSE-2"), body).status

    assert cpo.client(at=url).get(EVSE).status == 1000, "the token is in use now"
    door.passed_on.clear()
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(change, range(40))) == {1000}
    assert door.passed_on == []
    assert locations.model.objects.get().last_updated.minute == 39


def test_the_exchange_log_has_them_as_it_has_those_of_django(
    cpo: Registered, url: str, there: None, exchange_log: ExchangeLog
) -> None:
    change = {"status": "CHARGING", "last_updated": minutes_after_noon(1)}
    for at in (url, ""):
        cpo.client("NL*OSP", "DE*CPO", at=at).patch(EVSE, change)
    exchange_log.flush()
    one, other = Exchange.objects.order_by("id").values()
    for entry in (one, other):
        for name in ("id", "at", "milliseconds", "request_id", "correlation_id", "response_body"):
            del entry[name]
    assert one == other and one["route"] == "LOCAL" and one["request_size"] > 50 and one["status_code"] == 1000


# --- the database -----------------------------------------------------------------------------------------------------


def test_the_server_may_end_connections_between_two_requests(emsp: Registered, door: Door, url: str) -> None:
    fill("locations", 1)
    client = emsp.client(at=url)
    for _ in range(3):
        assert client.get(SENDER_LOCATIONS).status == 1000
        end_others()
    assert len(door.passed_on) <= 2, "at worst the way by Django, where the end is not noticed yet"


def end_others() -> int:
    """End the connections of express lanes; returns how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'express' AND datname = current_database()"
        )
        return int(cursor.rowcount)


async def ended(count: int) -> None:
    """End connections of the test's own loop, and let it notice."""
    with ThreadPoolExecutor(1) as pool:  # a thread of its own: its connection of Django's goes with it
        found = pool.submit(in_thread, end_others)
        while not found.done():
            await asyncio.sleep(0.01)
    assert found.result() == count
    await asyncio.sleep(0.05)


def in_thread(function: Callable[[], int]) -> int:
    try:
        return function()
    finally:
        connection.close()


def run(story: Callable[[Database], Any]) -> Any:
    async def told() -> Any:
        database = Database(2)
        try:
            return await story(database)
        finally:
            await database.close()

    return asyncio.run(told())


def test_an_idle_connection_that_was_ended_is_replaced() -> None:
    async def story(database: Database) -> Any:
        pids = []
        for _ in range(3):
            ((pid,),) = await database.fetch("SELECT pg_backend_pid()", [])
            pids.append(pid)
            await ended(1)
        return pids

    assert len(set(run(story))) == 3


def test_a_statement_whose_connection_is_ended_fails_at_once() -> None:
    async def story(database: Database) -> Any:
        waiting = asyncio.create_task(database.fetch("SELECT pg_sleep(60)", []))
        await asyncio.sleep(0.2)
        await ended(1)
        with pytest.raises(psycopg.errors.AdminShutdown):
            await waiting
        return await database.fetch("SELECT 1, 'ä'", [])

    assert run(story) == [(1, "ä".encode())]


def test_a_statement_larger_than_any_buffer_is_sent_whole() -> None:
    async def story(database: Database) -> Any:
        return await database.fetch("SELECT length(%s), %s", ["x" * 30_000_000, "y" * 3_000_000])

    ((length, other),) = run(story)
    assert (length, len(other)) == (30_000_000, 3_000_000)


def test_more_statements_than_connections_wait_for_one() -> None:
    async def story(database: Database) -> Any:
        found = await asyncio.gather(*(database.fetch("SELECT %s::int, pg_backend_pid()", [n]) for n in range(50)))
        return [rows[0] for rows in found]

    found = run(story)
    assert [number for number, _ in found] == list(range(50)) and len({pid for _, pid in found}) == 2


def test_a_statement_that_fails_or_is_given_up_costs_its_connection_only() -> None:
    async def story(database: Database) -> Any:
        with pytest.raises(psycopg.errors.UndefinedTable):
            await database.fetch("SELECT * FROM nowhere", [])
        waiting = asyncio.create_task(database.fetch("SELECT pg_sleep(1.5)", []))
        await asyncio.sleep(0.2)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        found = await asyncio.gather(*(database.fetch("SELECT 1", []) for _ in range(5)))
        await asyncio.sleep(1.5)  # or the server would not be done with it when the tests are
        return found

    assert run(story) == [[(1,)]] * 5
