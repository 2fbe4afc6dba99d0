"""The hub's pass-through: bytes in, bytes out, and the truth about what went wrong."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as node

from roaming import directory
from roaming.models import Party, Platform
from tests.kit import peer as misbehaviour
from tests.kit.caller import RECEIVER, SENDER, Answer, PartnerClient
from tests.kit.objects import location, odd_location
from tests.kit.peer import FakePeer, Reply, enveloped
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[..., FakePeer]

THERE = f"{RECEIVER}/locations/DE/CPO/LOC-1"


@pytest.fixture
def emsp_peer(fake_peer: Start) -> FakePeer:
    """An eMSP as server, connected to the hub."""
    peer = fake_peer(party="DE*MSP", role="EMSP")
    register("EMSP:DE*MSP", name="eMSP", endpoints=peer.endpoints(), outbound_token=peer.token)
    return peer


@pytest.fixture
def cpo(hub: str, emsp_peer: FakePeer) -> PartnerClient:
    """A CPO that speaks to the eMSP through the hub."""
    return register("CPO:DE*CPO", name="CPO").client(to="DE*MSP", from_="DE*CPO", at=hub)


# --- what arrives ---------------------------------------------------------------------------------------------------


def test_the_bytes_arrive_as_they_were_sent(cpo: PartnerClient, emsp_peer: FakePeer) -> None:
    """R8.4, R8.3, trap 27: spaces, numbers, unknown members, null."""
    body = b'{ "id":"LOC-1" ,\n "power": 1.50e2, "big": 12345678901234567890, "x":null,"y":[]}'
    assert cpo.put(THERE, body).http == 201
    (request,) = emsp_peer.requested("PUT")
    assert request.body == body
    assert request.path == "/2.2.1/receiver/locations/DE/CPO/LOC-1"


def test_the_receiver_sees_its_own_token_and_the_parties(cpo: PartnerClient, emsp_peer: FakePeer) -> None:
    """R8.5, R7.1, R7.11: a new request id, the same correlation id."""
    cpo.put(THERE, location(), headers={"X-Request-ID": "mine", "X-Correlation-ID": "story", "Cookie": "a=b"})
    (request,) = emsp_peer.requested("PUT")
    assert (request.routing.to, request.routing.from_) == ("DE*MSP", "DE*CPO")
    assert request.headers["X-Correlation-ID"] == "story"
    assert request.headers["X-Request-ID"] not in ("mine", "")
    assert "Cookie" not in request.headers


def test_percent_encoding_and_query_arrive_as_they_were_sent(cpo: PartnerClient, emsp_peer: FakePeer) -> None:
    """R8.5, trap 29"""
    cpo.get(f"{RECEIVER}/tariffs/DE/CPO/A%2FB%20C?type=APP_USER&x=%C3%A9+1")
    assert emsp_peer.requests[-1].path == "/2.2.1/receiver/tariffs/DE/CPO/A%2FB%20C"
    assert emsp_peer.requests[-1].query == {"type": "APP_USER", "x": "é 1"}


def test_the_answer_has_the_callers_ids_and_swapped_parties(cpo: PartnerClient, emsp_peer: FakePeer) -> None:
    """R7.11, R7.1, trap 26; `PartnerClient` checks the ids."""
    answer = cpo.put(THERE, location(), headers={"X-Request-ID": "mine", "X-Correlation-ID": "story"})
    assert (answer.routing.to, answer.routing.from_) == ("DE*CPO", "DE*MSP")


def test_the_answer_comes_back_byte_for_byte(cpo: PartnerClient, emsp_peer: FakePeer) -> None:
    """R8.4"""
    body = b'{"data":{"a" : 1.10,"b":null},"status_code":1000,"timestamp":"2026-03-01T12:00:00Z"}'
    emsp_peer.misbehave(misbehaviour.answers(Reply(200, body)))
    assert cpo.get(THERE).body == body


@pytest.mark.parametrize(
    ("http", "status"), [(200, 2001), (200, 2003), (404, 2004), (404, 2000), (405, 2000), (200, 3000), (500, 3000)]
)
def test_what_the_receiver_says_is_passed_on(cpo: PartnerClient, emsp_peer: FakePeer, http: int, status: int) -> None:
    """R8.1, trap 31"""
    emsp_peer.misbehave(misbehaviour.answers(enveloped(code=status, http=http)))
    assert cpo.put(THERE, location()).codes == (http, status)


def test_a_crawl_follows_links_through_the_hub(hub: str, fake_peer: Start) -> None:
    """R5.9, R8.7, trap 28"""
    cpo_peer = fake_peer(party="DE*CPO", role="CPO", page_limit=2)
    register("CPO:DE*CPO", endpoints=cpo_peer.endpoints(), outbound_token=cpo_peer.token)
    cpo_peer.objects["locations"] = [odd_location(id=f"LOC-{number}") for number in range(5)]
    client = register("EMSP:DE*MSP").client(to="DE*CPO", at=hub)
    answer = client.get(f"{SENDER}/locations", {"date_from": "2020-01-01T00:00:00Z"})
    found = list(answer.data)
    while answer.next_url:
        assert answer.next_url.startswith(f"{node.NODE_URL}{SENDER}/locations?")
        assert (answer.headers["X-Total-Count"], answer.headers["X-Limit"]) == ("5", "2")
        answer = client.get(answer.next_url)
        found += answer.data
    assert found == cpo_peer.objects["locations"]


FOREIGN = "https://elsewhere.example/pages/2?a=b"


def test_a_link_to_somewhere_else_is_sealed_for_its_receiver(hub: str, fake_peer: Start, settings: Any) -> None:
    """R8.7: nobody makes the hub present one partner's token to another."""
    peer, other = fake_peer(party="DE*CPO", role="CPO"), fake_peer(party="FR*CPO", role="CPO")
    for one in (peer, other):
        register(f"CPO:{one.party}", endpoints=one.endpoints(), outbound_token=one.token)
    elsewhere = f"{peer.url}/2.2.1/sender/locations-of-old"
    peer.misbehave(
        misbehaviour.answers(enveloped([], Link=f'<{elsewhere}?page=2>; rel="next"')), path="/sender/locations", count=1
    )
    emsp = register("EMSP:DE*MSP")
    following = emsp.client(to="DE*CPO", at=hub).get(f"{SENDER}/locations").next_url or ""
    assert following.startswith(f"{node.NODE_URL}{SENDER}/locations?sealed=")
    emsp.client(to="DE*CPO", at=hub).get(following)
    assert (peer.requests[-1].path, peer.requests[-1].query) == ("/2.2.1/sender/locations-of-old", {"page": "2"})
    assert emsp.client(to="FR*CPO", at=hub).get(following).codes == (200, 2001)
    assert emsp.client(to="DE*CPO", at=hub).get(following[:-3] + "xyz").codes == (200, 2001)
    assert other.requests == []


def test_a_location_header_leads_through_the_hub(cpo: PartnerClient, emsp_peer: FakePeer) -> None:
    """R8.7"""
    stored = f"{emsp_peer.url}/2.2.1/receiver/cdrs/4711"
    emsp_peer.misbehave(misbehaviour.answers(enveloped(http=201, Location=stored)), method="POST")
    answer = cpo.post(f"{RECEIVER}/cdrs", {"id": "4711"})
    assert answer.headers["Location"] == f"{node.NODE_URL}{RECEIVER}/cdrs/4711"
    cpo.get(answer.headers["Location"])
    assert emsp_peer.requests[-1].path == "/2.2.1/receiver/cdrs/4711"


def test_modules_that_only_their_parties_know_are_relayed_too(hub: str, fake_peer: Start) -> None:
    peer = fake_peer(party="DE*MSP", role="EMSP")
    endpoints = {("example-invoices", "RECEIVER"): f"{peer.url}/2.2.1/receiver/example-invoices"}
    register("EMSP:DE*MSP", endpoints=endpoints, outbound_token=peer.token)
    cpo = register("CPO:DE*CPO").client(to="DE*MSP", at=hub)
    assert cpo.put(f"{RECEIVER}/example-invoices/1", {"a": 1}).http == 201
    assert peer.received["example-invoices/1"] == {"a": 1}


# --- what goes wrong ------------------------------------------------------------------------------------------------


def hub_error(answer: Answer) -> int:
    """The OCPI status of a failure that the hub tells of: HTTP 200, routed back."""
    assert answer.http == 200
    assert answer.routing.to == "DE*CPO"
    return answer.status


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [
        (misbehaviour.slow(5), 4002),
        (misbehaviour.drips(0.5), 4002),
        (misbehaviour.hangs_up(), 4003),
        (misbehaviour.garbage(), 4000),
        (misbehaviour.fails(500), 4000),
        (misbehaviour.fails(502), 4000),
        (misbehaviour.redirects(), 4000),
        (misbehaviour.answers(enveloped(code=2000, http=401)), 4000),
        (misbehaviour.answers(Reply(200, b"[1]")), 4000),
        (misbehaviour.answers(Reply(200, b"")), 4000),
    ],
)
def test_a_receiver_that_fails_is_told_of_truthfully(
    cpo: PartnerClient, emsp_peer: FakePeer, behaviour: Any, status: int
) -> None:
    """R8.2, trap 30"""
    emsp_peer.misbehave(behaviour)
    assert hub_error(cpo.put(THERE, location())) == status


def test_a_receiver_that_nobody_listens_for_is_4003(hub: str, settings: Any) -> None:
    """R8.2"""
    settings.NODE_ALLOW_PRIVATE_URLS = True
    register("EMSP:DE*MSP", endpoints={("locations", "RECEIVER"): "http://127.0.0.1:9/l"})
    cpo = register("CPO:DE*CPO").client(to="DE*MSP", at=hub)
    assert hub_error(cpo.put(THERE, location())) == 4003


def test_a_receiver_without_the_endpoint_is_4000_and_no_url_is_guessed(hub: str) -> None:
    """R8.10"""
    register("EMSP:DE*MSP", endpoints={("tariffs", "RECEIVER"): "https://partner.example/t"})
    cpo = register("CPO:DE*CPO").client(to="DE*MSP", at=hub)
    answer = cpo.put(THERE, location())
    assert hub_error(answer) == 4000 and "locations" in answer.message


def test_an_unknown_receiver_is_4001(cpo: PartnerClient, hub: str) -> None:
    """R8.2"""
    assert hub_error(PartnerClient(cpo.token, to="FR*XXX", from_="DE*CPO", at=hub).put(THERE, location())) == 4001


def test_a_suspended_receiver_is_4003(cpo: PartnerClient) -> None:
    """R8.2"""
    Platform.objects.filter(name="eMSP").update(state=Platform.State.SUSPENDED)
    directory.changed()
    assert hub_error(cpo.put(THERE, location())) == 4003


def test_malformed_json_stops_at_the_hub(cpo: PartnerClient, emsp_peer: FakePeer) -> None:
    """R8.11, R1.6"""
    for body in (b"{", b'{"a": NaN}', b'{"a":1} x', b"\xff"):
        assert cpo.put(THERE, body).codes == (400, 2001)
    assert emsp_peer.requests == []


def test_a_body_beyond_the_bound_stops_at_the_hub(cpo: PartnerClient, emsp_peer: FakePeer, settings: Any) -> None:
    settings.NODE_MAX_BODY = 1000
    assert cpo.put(THERE, b'"' + b"x" * 2000 + b'"').codes == (413, 2000)
    assert emsp_peer.requests == []


def test_only_the_platforms_own_parties_speak(cpo: PartnerClient, emsp_peer: FakePeer, hub: str) -> None:
    """R2.4, trap 8"""
    assert PartnerClient(cpo.token, to="DE*MSP", from_="FR*CPO", at=hub).put(THERE, location()).codes == (200, 2001)
    assert emsp_peer.requests == []


@pytest.mark.parametrize("token", ["", "unknown"])
def test_who_is_not_connected_relays_nothing(cpo: PartnerClient, emsp_peer: FakePeer, hub: str, token: str) -> None:
    """R2.2"""
    assert PartnerClient(token, to="DE*MSP", at=hub).put(THERE, location()).http == 401
    assert emsp_peer.requests == []


def test_the_first_use_of_a_new_token_may_be_a_relayed_message(hub: str, emsp_peer: FakePeer) -> None:
    cpo = register("CPO:DE*CPO")
    cpo.platform.tokens.update(used_at=None)
    directory.changed()
    assert cpo.client(to="DE*MSP", at=hub).put(THERE, location()).http == 201
    assert cpo.platform.tokens.get().used_at is not None


def test_a_change_of_the_directory_is_seen(cpo: PartnerClient, emsp_peer: FakePeer) -> None:
    assert cpo.put(THERE, location()).http == 201
    Party.objects.filter(party="DE*MSP").update(party="DE*NEW")
    directory.changed()
    assert cpo.put(THERE, location()).status == 4001
