"""Open Routing: whom a message without receiver is for (§transport_and_format_open_routing_request)."""

from collections.abc import Callable
from typing import Any

import pytest

from ocpi.models import Location, Session
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.store.sessions import sessions
from ocpi.store.tokens import tokens
from roaming import directory
from roaming.models import Platform
from tests.kit.caller import RECEIVER, SENDER, PartnerClient
from tests.kit.commands import (
    active_profile,
    cancel_reservation,
    charging_profile,
    reserve_now,
    start_session,
    stop_session,
    unlock_connector,
)
from tests.kit.objects import cdr_token, location, session, token
from tests.kit.peer import FakePeer
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[..., FakePeer]
Partner = tuple[FakePeer, PartnerClient]
THEIRS = {"country_code": "DE", "party_id": "CPO"}
DRIVERS = {"country_code": "DE", "party_id": "MSP"}


def partner(role: str, party: str, hub: str, fake_peer: Start) -> Partner:
    peer = fake_peer(party=party, role=role)
    platform = register(f"{role}:{party}", endpoints=peer.endpoints(), outbound_token=peer.token)
    return peer, platform.client(from_=party, at=hub)


@pytest.fixture
def cpo(hub: str, fake_peer: Start) -> Partner:
    """A CPO whose Location and Session the hub knows."""
    found = partner("CPO", "DE*CPO", hub, fake_peer)
    locations.put(Arrival(location(**THEIRS, id="HARBOUR")), 1)
    sessions.put(Arrival(session(**THEIRS, id="S1", cdr_token=cdr_token(**DRIVERS))), 1)
    return found


@pytest.fixture
def emsp(hub: str, fake_peer: Start) -> Partner:
    """An eMSP that names no receiver; the hub knows its card."""
    found = partner("EMSP", "DE*MSP", hub, fake_peer)
    tokens.put(Arrival(token(**DRIVERS, uid="CARD")), 1)
    return found


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ("START_SESSION", start_session(location_id="harbour")),
        ("RESERVE_NOW", reserve_now(location_id="HARBOUR")),
        ("UNLOCK_CONNECTOR", unlock_connector(location_id="HARBOUR")),
        ("STOP_SESSION", stop_session(session_id="s1")),
    ],
)
def test_a_command_goes_to_the_owner_of_its_place_or_session(
    cpo: Partner, emsp: Partner, command: str, body: dict[str, Any]
) -> None:
    """R7.9: answered in the name of the party that was found."""
    answer = emsp[1].post(f"{RECEIVER}/commands/{command}", body)
    assert answer.data["result"] == "ACCEPTED"
    assert (answer.routing.to, answer.routing.from_) == ("DE*MSP", "DE*CPO")
    (request,) = cpo[0].requested("POST", f"/commands/{command}")
    assert (request.routing.to, request.routing.from_) == ("DE*CPO", "DE*MSP")


def test_the_cancellation_of_a_reservation_follows_it(cpo: Partner, emsp: Partner, hub: str, fake_peer: Start) -> None:
    """R7.9: only for who made it."""
    emsp[1].post(f"{RECEIVER}/commands/RESERVE_NOW", reserve_now(location_id="HARBOUR", reservation_id="RES-9"))
    cancel = cancel_reservation(reservation_id="res-9")
    assert emsp[1].post(f"{RECEIVER}/commands/CANCEL_RESERVATION", cancel).data["result"] == "ACCEPTED"
    assert len(cpo[0].requested("POST", "/CANCEL_RESERVATION")) == 1
    other = partner("EMSP", "FR*MSP", hub, fake_peer)
    assert other[1].post(f"{RECEIVER}/commands/CANCEL_RESERVATION", cancel).http == 404


def test_a_token_is_authorized_by_its_owner(cpo: Partner, emsp: Partner) -> None:
    """R7.9, R9.12: the kind of a Token is in the query."""
    emsp[0].objects["tokens"] = [token(**DRIVERS, uid="CARD")]
    answer = cpo[1].post(f"{SENDER}/tokens/CARD/authorize?type=RFID", {"location_id": "HARBOUR"})
    assert answer.data["allowed"] == "ALLOWED"
    (request,) = emsp[0].requested("POST", "/tokens/CARD/authorize")
    assert request.query == {"type": "RFID"} and request.document == {"location_id": "HARBOUR"}


def test_what_a_session_is_about_finds_its_cpo_and_its_driver(cpo: Partner, emsp: Partner) -> None:
    """R7.9"""
    emsp[1].put(f"{SENDER}/sessions/S1/charging_preferences", {"profile_type": "FAST"})
    emsp[1].put(
        f"{RECEIVER}/chargingprofiles/S1",
        {"charging_profile": charging_profile(), "response_url": "https://partner.example/1"},
    )
    cpo[1].put(f"{SENDER}/chargingprofiles/S1", active_profile())
    assert cpo[0].requested("PUT", "/sessions/S1/charging_preferences")
    assert cpo[0].requested("PUT", "/chargingprofiles/S1")
    assert emsp[0].requested("PUT", "/chargingprofiles/S1")


def test_a_party_of_ours_is_found_too(cpo: Partner, hub: str) -> None:
    """Issue 4, item 11: own parties behave like connected ones."""
    assert tokens.issue(token(uid="OURS"))
    answer = cpo[1].post(f"{SENDER}/tokens/OURS/authorize")
    assert answer.data["allowed"] == "ALLOWED"
    assert (answer.routing.to, answer.routing.from_) == ("DE*CPO", "NL*OSP")


# --- where it cannot be told ----------------------------------------------------------------------------------------


def test_several_owners_leave_a_doubt_and_nobody_is_chosen(cpo: Partner, emsp: Partner) -> None:
    """R7.9: a guess would start somebody else's charge point."""
    locations.put(Arrival(location(country_code="FR", party_id="CPO", id="HARBOUR")), 2)
    refused = emsp[1].post(f"{RECEIVER}/commands/START_SESSION", start_session(location_id="HARBOUR"))
    assert refused.codes == (200, 2001)
    assert "DE*CPO, FR*CPO" in refused.message
    assert cpo[0].requests == []


@pytest.mark.parametrize(
    ("path", "body", "codes"),
    [
        ("receiver/commands/START_SESSION", start_session(location_id="NOWHERE"), (404, 2003)),
        ("receiver/commands/STOP_SESSION", stop_session(session_id="NONE"), (404, 2000)),
        ("receiver/commands/DANCE", {}, (404, 2000)),
        ("receiver/commands/START_SESSION", {}, (200, 2001)),
        ("sender/tokens/NOBODYS/authorize", {}, (404, 2004)),
        ("receiver/example-invoices", {"id": "1"}, (200, 2001)),
    ],
)
def test_what_the_hub_does_not_know_it_says(
    cpo: Partner, emsp: Partner, path: str, body: dict[str, Any], codes: tuple[int, int]
) -> None:
    """R7.9: with the advice to name the receiver."""
    answer = emsp[1].post(f"/ocpi/2.2.1/{path}", body)
    assert answer.codes == codes
    assert cpo[0].requests == []


def test_a_known_owner_that_is_not_connected_is_4003(hub: str, emsp: Partner) -> None:
    """R8.2"""
    locations.put(Arrival(location(**THEIRS, id="HARBOUR")), 1)
    register("CPO:DE*CPO", name="gone")
    Platform.objects.filter(name="gone").update(state=Platform.State.SUSPENDED)
    directory.changed()
    assert emsp[1].post(f"{RECEIVER}/commands/START_SESSION", start_session(location_id="HARBOUR")).status == 4003


def test_malformed_json_stops_at_the_hub(cpo: Partner, emsp: Partner) -> None:
    """R8.11"""
    assert emsp[1].post(f"{RECEIVER}/commands/START_SESSION", b"{").codes == (400, 2001)


# --- what is not looked up ------------------------------------------------------------------------------------------


def test_an_object_that_is_pushed_is_the_hubs_to_spread(cpo: Partner, hub: str) -> None:
    """R7.9: broadcast where nobody can be determined."""
    answer = cpo[1].put(f"{RECEIVER}/locations/DE/CPO/NEW", location(**THEIRS, id="NEW"))
    assert answer.codes == (201, 1000)
    assert answer.routing.from_ == "NL*HUB"
    assert Location.objects.filter(key="new").exists()


def test_a_session_that_is_pushed_is_kept_for_its_emsp(cpo: Partner, hub: str) -> None:
    """R7.7"""
    assert cpo[1].put(f"{RECEIVER}/sessions/DE/CPO/S2", session(**THEIRS, id="S2")).codes == (201, 1000)
    assert Session.objects.filter(key="s2", token_owner="DE*MSP").exists()


def test_one_object_is_read_from_what_the_hub_holds(cpo: Partner, emsp: Partner) -> None:
    """R7.9"""
    assert emsp[1].get(f"{SENDER}/locations/HARBOUR").data["id"] == "HARBOUR"
    assert cpo[0].requests == []


def test_a_list_without_receiver_is_refused(emsp: Partner) -> None:
    """R7.9"""
    assert emsp[1].get(f"{SENDER}/locations").codes == (200, 2001)
