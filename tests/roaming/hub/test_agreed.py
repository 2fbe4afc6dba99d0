"""Messages through the hub that no agreement allows: the sender learns why, the receiver of nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from roaming import directory
from roaming.agreement_models import Agreement
from tests.kit.caller import RECEIVER, SENDER, PartnerClient
from tests.kit.objects import location
from tests.kit.peer import FakePeer
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cpo_peer(fake_peer: Callable[..., FakePeer]) -> FakePeer:
    """A CPO as server, connected to the hub."""
    peer = fake_peer(party="DE*CPO", role="CPO")
    custom = {("example-invoices", "RECEIVER"): f"{peer.url}/2.2.1/receiver/example-invoices"}
    register("CPO:DE*CPO", name="CPO", endpoints={**peer.endpoints(), **custom}, outbound_token=peer.token)
    return peer


@pytest.fixture
def emsp(hub: str, cpo_peer: FakePeer) -> Callable[[str | None], PartnerClient]:
    """An eMSP that has agreed with the CPO on Tariffs, speaking through the hub to somebody."""
    Agreement.objects.create(party_a="DE*CPO", party_b="DE*MSP", modules=["tariffs"])
    registered = register("EMSP:DE*MSP", name="eMSP")
    return lambda to: registered.client(to=to, from_="DE*MSP", at=hub)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "tokens/DE/MSP/1", {}),
        ("GET", "locations/DE/CPO/LOC-1", None),
        ("POST", "commands/START_SESSION", {"location_id": "LOC-1", "response_url": "https://a.example/"}),
        ("PUT", "example-invoices/1", {"a": 1}),
    ],
)
def test_a_direct_message_is_refused_with_4001_and_not_passed_on(
    emsp: Callable[..., PartnerClient], cpo_peer: FakePeer, method: str, path: str, body: Any
) -> None:
    """R8.2: also in modules that only its parties know."""
    answer = emsp("DE*CPO").request(method, f"{RECEIVER}/{path}", **({} if body is None else {"body": body}))
    assert answer.codes == (200, 4001)
    assert all(word in answer.message for word in ("DE*MSP", "DE*CPO", path.split("/")[0]))
    assert not cpo_peer.requests


def test_what_is_agreed_on_is_passed_on(emsp: Callable[..., PartnerClient], cpo_peer: FakePeer) -> None:
    emsp("DE*CPO").get(f"{SENDER}/tariffs")
    assert len(cpo_peer.requests) == 1


def test_open_routing_finds_nobody_without_an_agreement(emsp: Callable[..., PartnerClient], cpo_peer: FakePeer) -> None:
    """R7.9: the owner of the Location, who may not be sent the command."""
    locations.put(Arrival(location(country_code="DE", party_id="CPO")), 0)
    command = {"location_id": "LOC-1", "response_url": "https://a.example/"}
    assert emsp(None).post(f"{RECEIVER}/commands/START_SESSION", command).codes == (200, 4001)
    assert not cpo_peer.requests


def test_an_agreement_holds_at_once(emsp: Callable[..., PartnerClient], cpo_peer: FakePeer) -> None:
    Agreement.objects.update(modules=[])
    directory.changed()
    emsp("DE*CPO").put(f"{RECEIVER}/example-invoices/1", {"a": 1})
    assert cpo_peer.received["example-invoices/1"] == {"a": 1}
