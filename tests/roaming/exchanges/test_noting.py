"""What the log has of a message, whichever way it went."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from ocpi.client.http import OcpiClient
from ocpi.client.messages import PartnerError, Presented
from ocpi.client.sending import Request
from ocpi.transport.headers import MessageIds, RoutingHeaders
from roaming.exchange_models import Exchange
from roaming.models import Platform
from tests.kit import peer as misbehaviour
from tests.kit.caller import RECEIVER, SENDER, VERSIONS, PartnerClient
from tests.kit.commands import driver_token
from tests.kit.exchanges import noted
from tests.kit.objects import location
from tests.kit.peer import FakePeer, Reply, enveloped
from tests.kit.platforms import Registered, register
from tests.kit.sending import send_all

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("exchange_log")]

Start = Callable[..., FakePeer]
STORY = {"X-Request-ID": "mine", "X-Correlation-ID": "story"}


def one(**found: Any) -> Exchange:
    (row,) = noted(**found)
    return row


# --- received -------------------------------------------------------------------------------------------------------


def test_a_received_request_is_noted_with_its_answer(cpo: Registered) -> None:
    client = cpo.client(to="NL*OSP", from_="DE*CPO")
    answer = client.put(
        f"{RECEIVER}/locations/DE/CPO/LOC-1", location(country_code="DE", party_id="CPO"), headers=STORY
    )
    row = one()
    assert (row.direction, row.platform_id, row.platform_name) == ("IN", cpo.platform.pk, "Example CPO")
    assert (row.from_party, row.to_party) == ("DE*CPO", "NL*OSP")
    assert (row.module, row.interface) == ("locations", "RECEIVER")
    assert (row.method, row.url) == ("PUT", f"{RECEIVER}/locations/DE/CPO/LOC-1")
    assert (row.http_status, row.status_code) == answer.codes == (201, 1000)
    assert (row.request_id, row.correlation_id) == ("mine", "story")
    assert '"LOC-1"' in row.request_body and row.request_size == len(row.request_body)
    assert row.response_body.encode() == answer.body


def test_the_route_and_its_reason_are_noted(cpo_client: PartnerClient) -> None:
    cpo_client.get(f"{SENDER}/locations")
    row = one()
    assert (row.route, row.reason) == ("LOCAL", "no receiver named; this node is no hub")


def test_a_refusal_is_noted_with_its_reason(cpo: Registered) -> None:
    cpo.client(to="FR*ABC", from_="DE*CPO").get(f"{SENDER}/locations")
    row = one()
    assert (row.route, row.status_code) == ("REFUSE", 4001)
    assert row.reason == row.error == "FR*ABC is not a party of this node"


def test_a_caller_without_token_is_noted_without_platform(db: None) -> None:
    PartnerClient("nobody knows me").get(VERSIONS)
    row = one()
    assert (row.platform_id, row.platform_name, row.module) == (None, "", "versions")
    assert (row.http_status, row.status_code) == (401, 2000)


def test_the_url_is_noted_as_it_came(cpo_client: PartnerClient) -> None:
    cpo_client.get(f"{RECEIVER}/locations/DE/CPO/A%2FB?x=%20y", environ={"RAW_PATH": f"{RECEIVER}/locations/DE/A%2FB"})
    assert one().url == f"{RECEIVER}/locations/DE/A%2FB?x=%20y"


def test_staff_pages_are_not_noted(client: Any) -> None:
    client.get("/admin/login/")
    assert noted() == []


# --- sent -----------------------------------------------------------------------------------------------------------


def asking(peer: FakePeer, platform_id: int | None = None, **options: Any) -> OcpiClient:
    return OcpiClient(Presented(peer.token, platform_id=platform_id), **options)


@pytest.fixture
def peer(fake_peer: Start) -> FakePeer:
    return fake_peer(party="DE*MSP", role="EMSP")


@pytest.fixture
def platform(peer: FakePeer) -> Platform:
    return register("EMSP:DE*MSP", name="eMSP", endpoints=peer.endpoints(), outbound_token=peer.token).platform


def test_a_request_of_ours_is_noted_with_its_answer(peer: FakePeer, platform: Platform) -> None:
    ids = MessageIds(correlation_id="story")
    url = f"{peer.endpoints()['locations', 'RECEIVER']}/NL/OCP/LOC-1"
    with OcpiClient(platform.presented, ids=ids) as partner:
        partner.request("PUT", url, {"id": "LOC-1"})
    row = one()
    assert (row.direction, row.platform_name, row.method, row.url) == ("OUT", "eMSP", "PUT", url)
    assert (row.module, row.interface) == ("locations", "RECEIVER")
    assert (row.status_code, row.correlation_id, row.error) == (1000, "story", "")
    assert row.request_id == peer.requests[-1].headers["X-Request-ID"]
    assert row.request_body == '{"id":"LOC-1"}'
    assert '"status_code"' in row.response_body


def test_of_endpoints_that_begin_alike_the_longest_tells_the_module(peer: FakePeer) -> None:
    endpoints = {("tokens", "SENDER"): f"{peer.url}/x", ("acme", "RECEIVER"): f"{peer.url}/x/acme/"}
    presented = register("EMSP:DE*MSP", endpoints=endpoints, outbound_token=peer.token).platform.presented
    with OcpiClient(presented) as partner:
        for path in ("x/acme/1", "x/acme?a=b", "x/acmes", "x", "y"):
            with suppress(PartnerError):
                partner.get(f"{peer.url}/{path}")
    told = {row.url.removeprefix(f"{peer.url}/"): (row.module, row.interface) for row in noted()}
    assert told == {
        "x/acme/1": ("acme", "RECEIVER"),
        "x/acme?a=b": ("acme", "RECEIVER"),
        "x/acmes": ("tokens", "SENDER"),
        "x": ("tokens", "SENDER"),
        "y": ("", ""),
    }


def test_requests_sent_at_once_are_noted(peer: FakePeer) -> None:
    requests = [Request("PUT", f"{peer.url}/x/{number}", RoutingHeaders(), b"{}") for number in range(3)]
    send_all(requests, Presented(peer.token), MessageIds(correlation_id="story"), 2)
    rows = noted(correlation_id="story", direction="OUT")
    assert {row.url for row in rows} == {request.url for request in requests}
    assert len({row.request_id for row in rows}) == 3


def test_the_parameters_of_a_list_are_noted(peer: FakePeer) -> None:
    with asking(peer) as partner:
        partner.get(f"{peer.url}/versions", {"limit": "10"})
    assert one().url == f"{peer.url}/versions?limit=10"


def test_a_refusal_of_the_partner_is_noted(peer: FakePeer) -> None:
    peer.misbehave(misbehaviour.answers(enveloped(code=2003, http=404)))
    with asking(peer) as partner, pytest.raises(PartnerError):
        partner.get(f"{peer.url}/versions")
    row = one()
    assert (row.http_status, row.status_code) == (404, 2003)
    assert "2003" in row.error


def test_an_answer_that_is_no_ocpi_is_noted_as_it_came(peer: FakePeer) -> None:
    peer.misbehave(misbehaviour.answers(Reply(502, b"<html>\x00 Bad gateway")))
    with asking(peer) as partner, pytest.raises(PartnerError):
        partner.get(f"{peer.url}/versions")
    row = one()
    assert (row.http_status, row.status_code) == (502, None)
    assert row.response_body == "<html>\N{REPLACEMENT CHARACTER} Bad gateway"


def test_no_answer_in_time_is_noted(peer: FakePeer) -> None:
    peer.misbehave(misbehaviour.slow(5))
    with asking(peer, seconds=0.2) as partner, pytest.raises(PartnerError):
        partner.get(f"{peer.url}/versions")
    row = one()
    assert (row.http_status, row.status_code) == (None, None)
    assert "Timeout" in row.error


def test_a_partner_that_is_not_there_is_noted(settings: Any) -> None:
    settings.NODE_ALLOW_PRIVATE_URLS = True
    url = "http://127.0.0.1:9/versions"
    with OcpiClient(Presented("some token")) as partner, pytest.raises(PartnerError):
        partner.get(url)
    send_all([Request("GET", url, RoutingHeaders())], Presented("some token"), MessageIds(), 1)
    assert [row.error != "" for row in noted(url=url, status_code=None)] == [True, True]


# --- never written down ---------------------------------------------------------------------------------------------


def everything() -> str:
    return repr(list(Exchange.objects.values_list()))


def test_what_a_partner_repeats_of_our_token_is_hidden(peer: FakePeer) -> None:
    presented = Presented(peer.token)
    echo = f"you sent {presented.header()} which is {peer.token}".encode()
    peer.misbehave(misbehaviour.answers(Reply(200, echo)))
    with OcpiClient(presented) as partner, pytest.raises(PartnerError):
        partner.get(f"{peer.url}/versions")
    assert one().response_body == "you sent Token *** which is ***"
    assert peer.token not in everything() and presented.header() not in everything()


def test_credentials_tokens_in_bodies_are_hidden(cpo_client: PartnerClient) -> None:
    cpo_client.put("/ocpi/2.2.1/credentials", b'{"url": "https://x.example", "token" :"se\\"cret')
    assert one().request_body == '{"url": "https://x.example", "token" :"***"'


def test_the_token_of_a_driver_is_no_credentials_token(cpo_client: PartnerClient) -> None:
    cpo_client.post(f"{RECEIVER}/commands/START_SESSION", {"token": driver_token(uid="CARD-1")})
    assert "CARD-1" in one().request_body
