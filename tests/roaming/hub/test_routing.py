"""The routing decision, row by row of the specification's tables (§transport_and_format_message_routing)."""

from typing import Any

import pytest

from ocpi.errors import InvalidParameters, ReceiverNotConnected, UnknownReceiver
from ocpi.ids import PartyId
from ocpi.v221.versions import InterfaceRole
from roaming.hub.routing import Asked, Kind, Route, Table, decide

HUB, OWN, CPO, EMSP, GONE, NOBODY = map(PartyId, ("NL*HUB", "NL*OCP", "DE*CPO", "NL*MSP", "BE*OLD", "FR*XXX"))
AT_HUB = Table(frozenset({HUB, OWN}), HUB, frozenset({CPO, EMSP}), frozenset({CPO, EMSP, GONE}))
AT_CPO = Table(frozenset({CPO}), None, frozenset({HUB}), frozenset({HUB}))


def route(
    method: str,
    interface: str,
    to: PartyId | None,
    table: Table = AT_HUB,
    *,
    module: str = "locations",
    is_list: bool = False,
    speaker: PartyId | None = EMSP,
) -> Route:
    return decide(Asked(method, module, InterfaceRole(interface), to, speaker, is_list), table)


@pytest.mark.parametrize(
    ("method", "interface", "to", "is_list", "kind"),
    [
        ("PUT", "RECEIVER", CPO, False, Kind.DIRECT),
        ("PATCH", "RECEIVER", CPO, False, Kind.DIRECT),
        ("POST", "SENDER", CPO, False, Kind.DIRECT),
        ("DELETE", "RECEIVER", CPO, False, Kind.DIRECT),
        ("GET", "SENDER", CPO, True, Kind.DIRECT),
        ("GET", "RECEIVER", CPO, False, Kind.DIRECT),
        ("PUT", "RECEIVER", HUB, False, Kind.BROADCAST),
        ("PATCH", "RECEIVER", HUB, False, Kind.BROADCAST),
        ("POST", "RECEIVER", HUB, False, Kind.BROADCAST),
        ("DELETE", "RECEIVER", HUB, False, Kind.BROADCAST),
        ("GET", "SENDER", HUB, True, Kind.GET_ALL),
        ("HEAD", "SENDER", HUB, True, Kind.GET_ALL),
        ("GET", "SENDER", HUB, False, Kind.LOCAL),
        ("GET", "RECEIVER", HUB, False, Kind.LOCAL),
        ("PUT", "RECEIVER", OWN, False, Kind.LOCAL),
        ("GET", "SENDER", OWN, True, Kind.LOCAL),
        ("PUT", "RECEIVER", None, False, Kind.OPEN),
        ("POST", "SENDER", None, False, Kind.OPEN),
        ("DELETE", "RECEIVER", None, False, Kind.OPEN),
        ("GET", "SENDER", None, False, Kind.OPEN),
    ],
)
def test_at_a_hub_a_request_takes_the_route_of_the_specifications_tables(
    method: str, interface: str, to: PartyId | None, is_list: bool, kind: Kind
) -> None:
    """R7.4, R7.9, R7.10"""
    assert route(method, interface, to, is_list=is_list).kind is kind


@pytest.mark.parametrize("to", [CPO, None])
@pytest.mark.parametrize("is_list", [True, False])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "POST", "DELETE"])
def test_a_node_that_is_no_hub_answers_for_itself(method: str, to: PartyId | None, is_list: bool) -> None:
    """R7.1: also who sends no routing headers, as single-party peers do."""
    assert route(method, "SENDER", to, AT_CPO, is_list=is_list).kind is Kind.LOCAL


@pytest.mark.parametrize("to", [HUB, OWN, EMSP, NOBODY])
def test_a_node_that_is_no_hub_passes_nothing_on(to: PartyId) -> None:
    assert isinstance(route("PUT", "RECEIVER", to, AT_CPO).error, UnknownReceiver)


@pytest.mark.parametrize("module", ["locations", "sessions", "cdrs", "tariffs", "tokens"])
def test_what_owners_push_can_be_broadcast(module: str) -> None:
    """R7.4, R7.7: of Sessions and CDRs the hub tells the eMSP of the driver, and nobody else."""
    assert route("PUT", "RECEIVER", HUB, module=module).kind is Kind.BROADCAST


@pytest.mark.parametrize(
    ("method", "interface", "module"),
    [
        ("POST", "RECEIVER", "commands"),
        ("PUT", "RECEIVER", "chargingprofiles"),
        ("DELETE", "RECEIVER", "chargingprofiles"),
        ("POST", "SENDER", "tokens"),
        ("PUT", "SENDER", "sessions"),
        ("POST", "SENDER", "commands"),
        ("POST", "RECEIVER", "example-invoices"),
    ],
)
def test_what_asks_one_party_to_do_something_is_not_for_the_hub(method: str, interface: str, module: str) -> None:
    """R7.4: the advice names both ways out."""
    refused = route(method, interface, HUB, module=module)
    assert isinstance(refused.error, InvalidParameters)
    assert "Open Routing" in refused.reason and "name the party" in refused.reason


def test_get_is_never_broadcast() -> None:
    """R7.6"""
    for interface in ("SENDER", "RECEIVER"):
        for is_list in (True, False):
            assert route("GET", interface, HUB, is_list=is_list).kind is not Kind.BROADCAST


def test_a_list_without_receiver_is_refused_at_a_hub_with_the_specifications_advice() -> None:
    """R7.9"""
    refused = route("GET", "SENDER", None, is_list=True)
    assert isinstance(refused.error, InvalidParameters)
    assert "GET All" in refused.reason and "NL*HUB" in refused.reason


def test_an_unknown_receiver_is_4001() -> None:
    """R8.2"""
    assert isinstance(route("PUT", "RECEIVER", NOBODY).error, UnknownReceiver)


def test_a_receiver_that_is_not_connected_any_more_is_4003() -> None:
    """R8.2"""
    assert isinstance(route("PUT", "RECEIVER", GONE).error, ReceiverNotConnected)


def test_nobody_sends_to_itself_through_the_hub() -> None:
    assert isinstance(route("PUT", "RECEIVER", CPO, speaker=CPO).error, InvalidParameters)


@pytest.mark.parametrize("table", [AT_HUB, AT_CPO])
@pytest.mark.parametrize("to", [None, HUB, OWN, CPO, GONE, NOBODY])
def test_every_decision_carries_its_reason(to: Any, table: Table) -> None:
    """DESIGN 2.7"""
    for method in ("GET", "PUT"):
        found = route(method, "SENDER", to, table, is_list=True)
        assert found.reason
        assert (found.kind is Kind.REFUSE) is (found.error is not None)
