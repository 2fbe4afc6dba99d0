"""Message ids and routing headers (§transport_and_format_unique_messageg_ids and _message_routing)."""

import multiprocessing
from uuid import RFC_4122, UUID

import pytest
from django.http.request import HttpHeaders

from ocpi.errors import InvalidParameters
from ocpi.ids import PartyId
from ocpi.transport.headers import CORRELATION_ID, REQUEST_ID, MessageIds, RoutingHeaders, new_id

TNM, HUB = PartyId("NL*TNM"), PartyId("NL*HUB")


def test_received_ids_are_repeated() -> None:
    """R1.11"""
    assert MessageIds.read({REQUEST_ID: "one", CORRELATION_ID: "two"}).headers() == {
        REQUEST_ID: "one",
        CORRELATION_ID: "two",
    }


def test_header_names_ignore_case() -> None:
    """R1.13"""
    headers = HttpHeaders(
        {"HTTP_X_REQUEST_ID": "one", "HTTP_OCPI_TO_COUNTRY_CODE": "NL", "HTTP_OCPI_TO_PARTY_ID": "TNM"}
    )
    assert MessageIds.read(headers).request_id == "one"
    assert RoutingHeaders.read(headers).to == TNM


@pytest.mark.parametrize("odd", ["", "a" * 129, "é", "two\nlines", "nul\0"])
def test_an_id_that_cannot_be_repeated_is_replaced(odd: str) -> None:
    """R1.11: every answer has both ids, whatever the request had."""
    ids = MessageIds.read({REQUEST_ID: odd})
    assert len(ids.request_id) == len(ids.correlation_id) == 36


def test_a_new_id_is_a_uuid() -> None:
    """R1.11"""
    found = {new_id() for _ in range(1000)}
    assert len(found) == 1000
    for id in found:
        parsed = UUID(id)
        assert (str(parsed), parsed.version, parsed.variant) == (id, 4, RFC_4122)


def test_ids_of_about_the_same_time_are_neighbours() -> None:
    """An index of them grows at its end."""
    found = [new_id() for _ in range(1000)]
    assert found == sorted(found)


def test_a_process_that_was_forked_makes_ids_of_its_own() -> None:
    """R1.11"""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        theirs = pool.apply(new_id)
    assert theirs != new_id()


def test_the_next_hop_has_a_new_request_id_and_the_same_correlation_id() -> None:
    """R1.12, R7.11"""
    ids = MessageIds("one", "two")
    hops = {ids.next_hop().request_id for _ in range(100)}
    assert len(hops) == 100 and "one" not in hops
    assert ids.next_hop().correlation_id == "two"


def test_routing_headers_are_read_and_written() -> None:
    """R7.1"""
    routing = RoutingHeaders(to=TNM, from_=HUB)
    assert routing.headers() == {
        "OCPI-to-country-code": "NL",
        "OCPI-to-party-id": "TNM",
        "OCPI-from-country-code": "NL",
        "OCPI-from-party-id": "HUB",
    }
    assert RoutingHeaders.read(routing.headers()) == routing


def test_the_response_swaps_receiver_and_sender() -> None:
    """R7.3"""
    assert RoutingHeaders(to=TNM, from_=HUB).reply() == RoutingHeaders(to=HUB, from_=TNM)


def test_party_values_ignore_case() -> None:
    """R7.1: CiString."""
    assert RoutingHeaders.read({"OCPI-to-country-code": "nl", "OCPI-to-party-id": "tnm"}).to == TNM


def test_absent_headers_name_nobody() -> None:
    assert RoutingHeaders.read({}) == RoutingHeaders()
    assert RoutingHeaders().headers() == {}


@pytest.mark.parametrize(
    ("country_code", "party_id"),
    [("NL", ""), ("", "TNM"), ("NLD", "TNM"), ("N", "TNMX"), ("NL", "ÄBC"), ("NL", "T\0M")],
)
def test_half_a_party_or_an_ill_formed_one_is_2001(country_code: str, party_id: str) -> None:
    with pytest.raises(InvalidParameters):
        RoutingHeaders.read({"OCPI-from-country-code": country_code, "OCPI-from-party-id": party_id})
