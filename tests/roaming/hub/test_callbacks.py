"""Commands and charging profiles through the hub: their results find the way back (§mod_commands_flow)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as node
from django.utils import timezone

from roaming.hub import rewriting
from roaming.hub_models import Callback
from tests.kit import peer as misbehaviour
from tests.kit.caller import RECEIVER, PartnerClient
from tests.kit.commands import charging_profile, reserve_now, start_session
from tests.kit.peer import FakePeer, enveloped
from tests.kit.platforms import Registered, register

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[..., FakePeer]
START = f"{RECEIVER}/commands/START_SESSION"
ACCEPTED = {"result": "ACCEPTED", "message": [{"language": "en", "text": "On its way"}]}


@pytest.fixture
def cpo(hub: str, fake_peer: Start) -> tuple[FakePeer, Registered]:
    """A CPO behind the hub."""
    peer = fake_peer(party="DE*CPO", role="CPO")
    return peer, register("CPO:DE*CPO", name="CPO", endpoints=peer.endpoints(), outbound_token=peer.token)


@pytest.fixture
def emsp(hub: str, fake_peer: Start) -> tuple[FakePeer, PartnerClient]:
    """An eMSP that commands the CPO's charge points through the hub."""
    peer = fake_peer(party="DE*MSP", role="EMSP")
    platform = register("EMSP:DE*MSP", name="eMSP", endpoints=peer.endpoints(), outbound_token=peer.token)
    return peer, platform.client(to="DE*CPO", from_="DE*MSP", at=hub)


def wanted(emsp: tuple[FakePeer, PartnerClient]) -> str:
    return f"{emsp[0].url}/2.2.1/receiver/results/7?request=a%20b&x="


def command(emsp: tuple[FakePeer, PartnerClient], cpo: tuple[FakePeer, Registered], **changes: Any) -> str:
    """A command was sent; the response_url that the CPO was given."""
    answer = emsp[1].post(START, start_session(response_url=wanted(emsp), **changes))
    assert answer.data["result"] == "ACCEPTED"
    url: str = cpo[0].requested("POST", "/START_SESSION")[-1].document["response_url"]
    return url


def answering(hub: str, platform: Registered) -> PartnerClient:
    return platform.client(to="DE*MSP", from_="DE*CPO", at=hub)


# --- there and back -------------------------------------------------------------------------------------------------


def test_the_receiver_is_given_a_url_of_ours_and_everything_else_as_it_was(
    emsp: tuple[FakePeer, PartnerClient], cpo: tuple[FakePeer, Registered]
) -> None:
    """R8.6, trap 28"""
    url = command(emsp, cpo, vendor={"exact": 1})
    assert url.startswith(f"{node.NODE_URL}/ocpi/2.2.1/callbacks/") and len(url) <= 255
    sent = cpo[0].requested("POST", "/START_SESSION")[0].document
    assert {**sent, "response_url": wanted(emsp)} == start_session(response_url=wanted(emsp), vendor={"exact": 1})


def test_the_result_arrives_where_it_was_wanted(
    hub: str, emsp: tuple[FakePeer, PartnerClient], cpo: tuple[FakePeer, Registered]
) -> None:
    """R8.6, R9.14: with its own query, the receiver's token, the parties turned round, the same story."""
    url = command(emsp, cpo)
    answer = answering(hub, cpo[1]).post(url, ACCEPTED, headers={"X-Correlation-ID": "story"})
    assert answer.codes == (200, 1000)
    assert (answer.routing.to, answer.routing.from_) == ("DE*CPO", "DE*MSP")
    (arrived,) = emsp[0].requested("POST", "/results/7")
    assert arrived.document == ACCEPTED
    assert arrived.query["request"] == "a b"
    assert (arrived.routing.to, arrived.routing.from_) == ("DE*MSP", "DE*CPO")
    assert arrived.headers["X-Correlation-ID"] == "story"
    assert (Callback.objects.get().result, Callback.objects.get().results) == ("ACCEPTED", 1)


def test_profiles_carry_their_response_url_in_query_or_body(
    hub: str, emsp: tuple[FakePeer, PartnerClient], cpo: tuple[FakePeer, Registered]
) -> None:
    """R8.6, R9.16, trap 34"""
    profile = f"{RECEIVER}/chargingprofiles/S1"
    emsp[1].get(profile, {"duration": "900", "response_url": wanted(emsp)})
    emsp[1].delete(profile, params={"response_url": wanted(emsp)})
    emsp[1].put(profile, {"charging_profile": charging_profile(), "response_url": wanted(emsp)})
    asked, cleared, put = (cpo[0].requested(method, "/chargingprofiles/S1")[0] for method in ("GET", "DELETE", "PUT"))
    assert asked.query["duration"] == "900"
    urls = [asked.query["response_url"], cleared.query["response_url"], put.document["response_url"]]
    assert len(set(urls)) == 3
    for url in urls:
        assert answering(hub, cpo[1]).post(url, {"result": "ACCEPTED"}).codes == (200, 1000)
    assert len(emsp[0].requested("POST", "/results/7")) == 3


# --- who may answer, and how often ----------------------------------------------------------------------------------


def test_only_the_addressed_platform_may_answer(
    hub: str, emsp: tuple[FakePeer, PartnerClient], cpo: tuple[FakePeer, Registered]
) -> None:
    """R8.6"""
    url = command(emsp, cpo)
    assert register("CPO:FR*CPO").client(at=hub).post(url, ACCEPTED).http == 404
    assert PartnerClient(at=hub).post(url, ACCEPTED).http == 401
    assert answering(hub, cpo[1]).post(url[:-1] + "~", ACCEPTED).http == 404
    assert emsp[0].requested("POST", "/results/7") == []


def test_a_result_may_be_repeated_and_not_be_another(
    hub: str, emsp: tuple[FakePeer, PartnerClient], cpo: tuple[FakePeer, Registered]
) -> None:
    """R8.6: who lost our answer asks again."""
    url, client = command(emsp, cpo), answering(hub, cpo[1])
    for _ in range(2):
        assert client.post(url, ACCEPTED).codes == (200, 1000)
    assert client.post(url, {"result": "FAILED"}).codes == (200, 2001)
    assert len(emsp[0].requested("POST", "/results/7")) == 2


def test_a_reservation_may_be_cancelled_later(
    hub: str, emsp: tuple[FakePeer, PartnerClient], cpo: tuple[FakePeer, Registered]
) -> None:
    """R8.6, R9.15c"""
    emsp[1].post(f"{RECEIVER}/commands/RESERVE_NOW", reserve_now(response_url=wanted(emsp)))
    url = cpo[0].requested("POST", "/RESERVE_NOW")[0].document["response_url"]
    for result in ("ACCEPTED", "CANCELED_RESERVATION"):
        assert answering(hub, cpo[1]).post(url, {"result": result}).codes == (200, 1000)
    results = [request.document["result"] for request in emsp[0].requested("POST", "/results/7")]
    assert results == ["ACCEPTED", "CANCELED_RESERVATION"]


def test_a_requester_that_cannot_take_it_now_may_be_told_again(
    hub: str, emsp: tuple[FakePeer, PartnerClient], cpo: tuple[FakePeer, Registered]
) -> None:
    """The hub tells the truth, and whoever owes the result keeps it."""
    url, client = command(emsp, cpo), answering(hub, cpo[1])
    emsp[0].misbehave(misbehaviour.hangs_up(), path="/results", count=1)
    assert client.post(url, ACCEPTED).codes == (200, 4003)
    assert client.post(url, ACCEPTED).codes == (200, 1000)


def test_what_the_requester_says_is_passed_back(
    hub: str, emsp: tuple[FakePeer, PartnerClient], cpo: tuple[FakePeer, Registered]
) -> None:
    """R8.1"""
    url = command(emsp, cpo)
    emsp[0].misbehave(misbehaviour.answers(enveloped(code=2001)), path="/results")
    assert answering(hub, cpo[1]).post(url, ACCEPTED).codes == (200, 2001)
    assert Callback.objects.get().results == 0


def test_after_some_days_a_callback_is_closed(
    hub: str, emsp: tuple[FakePeer, PartnerClient], cpo: tuple[FakePeer, Registered]
) -> None:
    url = command(emsp, cpo)
    Callback.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert answering(hub, cpo[1]).post(url, ACCEPTED).http == 404


# --- what is wrong with a command -----------------------------------------------------------------------------------


def test_a_response_url_that_we_would_not_call_is_2001(
    emsp: tuple[FakePeer, PartnerClient], cpo: tuple[FakePeer, Registered]
) -> None:
    refused = emsp[1].post(START, start_session(response_url="ftp://partner.example/1"))
    assert refused.codes == (200, 2001) and "/response_url" in refused.message
    assert cpo[0].requests == [] and not Callback.objects.exists()


def test_a_command_without_response_url_is_the_receivers_to_refuse(
    emsp: tuple[FakePeer, PartnerClient], cpo: tuple[FakePeer, Registered]
) -> None:
    emsp[1].post(START, {"token": {}})
    assert cpo[0].requests[-1].document == {"token": {}}
    assert not Callback.objects.exists()


# --- putting another URL in -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"response_url": "https://a.b/1","x":1.50}', b'{"response_url":"NEW","x":1.50}'),
        (b'{"x":{"response_url":"in"},"response_url":"o\\/ut"}', b'{"x":{"response_url":"in"},"response_url":"NEW"}'),
        (
            b'{"big":12345678901234567890.10,"response_url":"a"}',
            b'{"big":12345678901234567890.10,"response_url":"NEW"}',
        ),
    ],
)
def test_only_the_top_level_member_of_a_body_is_replaced(body: bytes, expected: bytes) -> None:
    """R8.4, R8.6"""
    assert rewriting.in_body(body, "NEW")[0] == expected


@pytest.mark.parametrize("body", [b"[1]", b'{"a":1}', b'{"response_url":7}', b"null"])
def test_a_body_without_a_url_stays_as_it_is(body: bytes) -> None:
    assert rewriting.in_body(body, "NEW") == (body, None)


def test_only_the_parameter_of_a_query_is_replaced() -> None:
    """R8.5, R8.6"""
    query, given = rewriting.in_query("a=%2f&response_url=https%3A%2F%2Fa.b%2F1%3Fc%3Dd&&b=+", "https://our/1")
    assert query == "a=%2f&response_url=https%3A%2F%2Four%2F1&&b=+"
    assert given == "https://a.b/1?c=d"
    assert rewriting.in_query("a=b", "x") == ("a=b", None)
