"""A message through the hub is noted twice: as it was received, and as it was sent on."""

from collections.abc import Callable
from typing import Any

import pytest

from ocpi.store.objects import Arrival
from ocpi.store.tokens import tokens
from roaming.exchange_models import Exchange
from tests.kit import peer as misbehaviour
from tests.kit.caller import RECEIVER, SENDER, PartnerClient
from tests.kit.commands import RESPONSE_URL, driver_token, stop_session
from tests.kit.exchanges import noted
from tests.kit.objects import location
from tests.kit.peer import FakePeer, Reply, enveloped
from tests.kit.platforms import register

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("exchange_log")]

Start = Callable[..., FakePeer]
THERE = f"{RECEIVER}/locations/DE/CPO/LOC-1"
STORY = {"X-Request-ID": "mine", "X-Correlation-ID": "story"}


@pytest.fixture
def emsp_peer(fake_peer: Start) -> FakePeer:
    peer = fake_peer(party="DE*MSP", role="EMSP")
    register("EMSP:DE*MSP", name="eMSP", endpoints=peer.endpoints(), outbound_token=peer.token)
    return peer


@pytest.fixture
def cpo(hub: str, emsp_peer: FakePeer) -> PartnerClient:
    return register("CPO:DE*CPO", name="CPO").client(to="DE*MSP", from_="DE*CPO", at=hub)


def legs() -> tuple[Exchange, Exchange]:
    """As received, as sent."""
    (received,), (sent,) = noted(direction="IN"), noted(direction="OUT")
    return received, sent


def test_both_legs_are_noted(cpo: PartnerClient, emsp_peer: FakePeer) -> None:
    answer = cpo.put(THERE, location(), headers=STORY)
    received, sent = legs()
    assert (received.platform_name, sent.platform_name) == ("CPO", "eMSP")
    assert (received.url, sent.url) == (THERE, f"{emsp_peer.endpoints()['locations', 'RECEIVER']}/DE/CPO/LOC-1")
    assert (received.request_id, sent.request_id) == ("mine", emsp_peer.requests[-1].headers["X-Request-ID"])
    for row in (received, sent):
        assert (row.module, row.interface, row.method) == ("locations", "RECEIVER", "PUT")
        assert (row.from_party, row.to_party, row.correlation_id) == ("DE*CPO", "DE*MSP", "story")
        assert (row.http_status, row.status_code, row.error) == (201, 1000, "")
        assert (row.route, row.reason) == ("DIRECT", "DE*MSP is connected to this hub")
        assert (row.request_size, row.response_size) == (len(emsp_peer.requests[-1].body), len(answer.body))
    assert received.request_body.encode() == emsp_peer.requests[-1].body
    assert received.response_body.encode() == answer.body
    assert (sent.request_body, sent.response_body) == ("", ""), "kept once is enough"


def test_a_receiver_that_does_not_answer_is_noted_on_both_legs(
    cpo: PartnerClient, emsp_peer: FakePeer, settings: Any
) -> None:
    settings.NODE_PARTNER_TIMEOUT = 0.3
    emsp_peer.misbehave(misbehaviour.slow(3))
    cpo.put(THERE, location())
    received, sent = legs()
    assert (received.http_status, received.status_code) == (200, 4002)
    assert (sent.http_status, sent.status_code) == (None, None)
    assert received.error == sent.error == "eMSP did not answer within 0.3 s"


def test_a_body_that_the_hub_has_rewritten_is_kept_as_sent(hub: str, fake_peer: Start) -> None:
    """A command's response_url."""
    peer = fake_peer(party="DE*CPO", role="CPO")
    register("CPO:DE*CPO", endpoints=peer.endpoints(), outbound_token=peer.token)
    emsp = register("EMSP:FR*MSP").client(to="DE*CPO", from_="FR*MSP", at=hub)
    emsp.post(f"{RECEIVER}/commands/STOP_SESSION", stop_session())
    received, sent = legs()
    assert RESPONSE_URL in received.request_body
    assert "/callbacks/" in sent.request_body
    assert sent.request_body.encode() == peer.requested("POST")[-1].body


def test_garbage_of_the_receiver_is_noted_as_it_came(cpo: PartnerClient, emsp_peer: FakePeer) -> None:
    emsp_peer.misbehave(misbehaviour.answers(Reply(200, b"hello")))
    cpo.put(THERE, location())
    received, sent = legs()
    assert received.status_code == 4000
    assert (sent.http_status, sent.status_code, sent.response_body) == (200, None, "hello")
    assert "without an OCPI envelope" in sent.error


def test_a_message_that_is_no_json_is_noted_and_goes_nowhere(cpo: PartnerClient) -> None:
    cpo.put(THERE, b"{not json")
    (row,) = noted()
    assert (row.direction, row.http_status, row.status_code, row.request_body) == ("IN", 400, 2001, "{not json")


def test_the_token_of_the_receiver_is_not_noted(cpo: PartnerClient, emsp_peer: FakePeer) -> None:
    emsp_peer.misbehave(misbehaviour.answers(enveloped(emsp_peer.token, code=2000)))
    cpo.put(THERE, location())
    received, _ = legs()
    assert '"data":"***"' in received.response_body
    assert emsp_peer.token not in repr(list(Exchange.objects.values_list()))


def test_open_routing_is_noted_with_its_reason(hub: str, emsp_peer: FakePeer) -> None:
    register("CPO:DE*CPO").client(at=hub).post(f"{SENDER}/tokens/CARD-1/authorize")
    (row,) = noted()
    assert (row.route, row.status_code) == ("REFUSE", 2004)
    assert "CARD-1" in row.reason


def test_what_stays_here_is_noted_once(cpo: PartnerClient, hub: str) -> None:
    PartnerClient(cpo.token, to="NL*HUB", from_="DE*CPO", at=hub).get(f"{SENDER}/locations")
    (row,) = noted()
    assert (row.route, row.direction) == ("GET_ALL", "IN")


def test_what_is_opened_and_stays_here_is_noted_with_both_reasons(hub: str) -> None:
    card = driver_token(country_code="NL", party_id="OSP", uid="CARD-1", type="RFID")
    tokens.put(Arrival(card), None)
    register("CPO:DE*CPO").client(at=hub).post(f"{SENDER}/tokens/CARD-1/authorize")
    (row,) = noted()
    assert (row.direction, row.route) == ("IN", "OPEN")
    assert "CARD-1" in row.reason and row.reason.endswith("NL*OSP is a party of this node")
