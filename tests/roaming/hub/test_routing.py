"""The routing decision, row by row of the specification's tables (§transport_and_format_message_routing)."""

import pytest

from ocpi.errors import InvalidParameters, UnknownReceiver
from ocpi.ids import PartyId
from ocpi.transport.headers import RoutingHeaders
from ocpi.v221.versions import InterfaceRole
from roaming.hub.routing import Kind, Table, decide

HUB, CPO, EMSP, NOBODY = (PartyId(text) for text in ("NL*HUB", "DE*CPO", "NL*MSP", "FR*XXX"))
AT_HUB = Table(own=frozenset({HUB}), hub=HUB, connected=frozenset({CPO, EMSP}))
AT_CPO = Table(own=frozenset({CPO}), hub=None, connected=frozenset({HUB}))


def route(method, interface, to, table, is_list=False):
    return decide(method, InterfaceRole(interface), RoutingHeaders(to=to), table, is_list=is_list)


@pytest.mark.parametrize(
    ("method", "interface", "to", "table", "is_list", "kind"),
    [
        ("PUT", "RECEIVER", CPO, AT_CPO, False, Kind.LOCAL),
        ("GET", "SENDER", CPO, AT_CPO, True, Kind.LOCAL),
        ("GET", "SENDER", None, AT_CPO, True, Kind.LOCAL),
        ("PATCH", "RECEIVER", None, AT_CPO, False, Kind.LOCAL),
        ("PUT", "RECEIVER", HUB, AT_HUB, False, Kind.BROADCAST),
        ("PATCH", "RECEIVER", HUB, AT_HUB, False, Kind.BROADCAST),
        ("POST", "RECEIVER", HUB, AT_HUB, False, Kind.BROADCAST),
        ("DELETE", "RECEIVER", HUB, AT_HUB, False, Kind.BROADCAST),
        ("GET", "SENDER", HUB, AT_HUB, True, Kind.GET_ALL),
        ("GET", "SENDER", HUB, AT_HUB, False, Kind.LOCAL),
        ("GET", "RECEIVER", HUB, AT_HUB, False, Kind.LOCAL),
        ("PUT", "RECEIVER", None, AT_HUB, False, Kind.BROADCAST),
        ("GET", "SENDER", None, AT_HUB, False, Kind.LOCAL),
        ("PUT", "RECEIVER", EMSP, AT_HUB, False, Kind.DIRECT),
        ("GET", "SENDER", CPO, AT_HUB, True, Kind.DIRECT),
    ],
)
def test_a_request_takes_the_route_of_the_specifications_tables(method, interface, to, table, is_list, kind):
    assert route(method, interface, to, table, is_list).kind is kind


def test_get_is_never_broadcast():
    """R7.6"""
    for interface in ("SENDER", "RECEIVER"):
        for is_list in (True, False):
            assert route("GET", interface, HUB, AT_HUB, is_list).kind is not Kind.BROADCAST


def test_a_list_without_receiver_is_refused_at_a_hub_with_the_specifications_advice():
    refused = route("GET", "SENDER", None, AT_HUB, is_list=True)
    assert refused.kind is Kind.REFUSE
    assert isinstance(refused.error, InvalidParameters)
    assert "GET All" in refused.reason and "NL*HUB" in refused.reason


@pytest.mark.parametrize("table", [AT_HUB, AT_CPO])
def test_an_unknown_receiver_is_4001(table):
    refused = route("PUT", "RECEIVER", NOBODY, table)
    assert refused.kind is Kind.REFUSE
    assert isinstance(refused.error, UnknownReceiver)


def test_a_node_that_is_no_hub_does_not_pass_messages_on():
    assert isinstance(route("PUT", "RECEIVER", HUB, AT_CPO).error, UnknownReceiver)


def test_every_decision_carries_its_reason():
    for to in (None, HUB, CPO, NOBODY):
        for table in (AT_HUB, AT_CPO):
            assert route("GET", "SENDER", to, table, is_list=True).reason
