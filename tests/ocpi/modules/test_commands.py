"""Commands: what others may ask of our charge points, and what comes back for what we asked (§mod_commands)."""

from typing import Any

import pytest

from ocpi.ids import PartyId
from ocpi.ports import Command
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.store.sessions import sessions
from ocpi.types import codec
from ocpi.v221.commands import CommandResponseType
from roaming.command_models import ReceivedCommand, ReturnedResult, SentCommand
from tests.kit.caller import RECEIVER, SENDER, PartnerClient
from tests.kit.commands import (
    CAPABLE,
    FakeChargePoints,
    cancel_reservation,
    driver_token,
    reserve_now,
    start_session,
    stop_session,
    unlock_connector,
)
from tests.kit.objects import Document, evse, location, session, without
from tests.kit.platforms import Registered, register

COMMANDS = f"{RECEIVER}/commands"
BODIES = {
    "CANCEL_RESERVATION": cancel_reservation,
    "RESERVE_NOW": reserve_now,
    "START_SESSION": start_session,
    "STOP_SESSION": stop_session,
    "UNLOCK_CONNECTOR": unlock_connector,
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(db: None) -> None:
    """A Location of ours with a capable EVSE, and a Session of a driver of DE*MSP there."""
    locations.put(Arrival(location(evses=[evse(capabilities=CAPABLE)])), None)
    sessions.put(Arrival(session()), None)


@pytest.fixture
def client(site: None, emsp_client: PartnerClient) -> PartnerClient:
    return emsp_client


# --- Receiver: answers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", BODIES)
def test_an_accepted_command_is_answered_with_the_time_its_result_may_take(
    client: PartnerClient, charge_points: FakeChargePoints, command: str
) -> None:
    """R9.13: data is a CommandResponse with an integer of seconds; ours promises the delivery too."""
    answer = client.post(f"{COMMANDS}/{command}", BODIES[command]())
    assert answer.codes == (200, 1000)
    assert answer.data == {"result": "ACCEPTED", "timeout": 35}
    ((_, request),) = charge_points.asked
    assert (request.command, request.commander, request.party) == (command, "DE*MSP", "NL*OCP")
    assert request.document == BODIES[command]()


def test_a_command_is_a_row_before_a_charge_point_hears_of_it(
    client: PartnerClient, charge_points: FakeChargePoints
) -> None:
    """DESIGN 2.5: with everything that is needed to send its result."""
    client.post(f"{COMMANDS}/START_SESSION", start_session(), headers={"X-Correlation-ID": "story-1"})
    row = ReceivedCommand.objects.get()
    ((command_id, _),) = charge_points.asked
    assert command_id == row.pk
    assert codec.decode(row.document.encode()) == start_session()
    assert (row.commander, row.party, row.subject) == ("DE*MSP", "NL*OCP", "LOC-1/EVSE-1")
    assert (row.response, row.correlation_id, row.response_url) == (
        "ACCEPTED",
        "story-1",
        start_session()["response_url"],
    )


def test_the_message_of_an_answer_is_a_list(client: PartnerClient) -> None:
    """E29: and what is not accepted has no time to wait for."""
    data = client.post(f"{COMMANDS}/START_SESSION", start_session()).data
    assert (data["result"], data["timeout"]) == ("REJECTED", 0)
    assert data["message"] == [{"language": "en", "text": "no charge point is connected at this EVSE"}]


def test_the_token_of_a_command_is_not_checked(client: PartnerClient, charge_points: FakeChargePoints) -> None:
    """R9.15, R9.15b: unknown, invalid, odd: the eMSP has authorized it."""
    token = driver_token(valid=False, type="IMPLANT", uid="x" * 50)
    assert client.post(f"{COMMANDS}/START_SESSION", start_session(token=token)).data["result"] == "ACCEPTED"


def test_the_routing_headers_of_the_answer_are_swapped(site: None, emsp: Registered) -> None:
    """R7.3"""
    answer = emsp.client(to="NL*OCP", from_="DE*MSP").post(f"{COMMANDS}/START_SESSION", start_session())
    assert (answer.routing.to, answer.routing.from_) == ("DE*MSP", "NL*OCP")


# --- Receiver: refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", BODIES)
def test_every_member_that_is_required_is_missed(client: PartnerClient, command: str) -> None:
    """R9.15: 2001 names it, and nothing stays behind."""
    optional = {"START_SESSION": {"evse_uid"}, "RESERVE_NOW": {"evse_uid"}}.get(command, set())
    body = BODIES[command]()
    for name in body.keys() - optional:
        answer = client.post(f"{COMMANDS}/{command}", without(body, name))
        assert answer.codes == (200, 2001), name
        assert f"/{name}" in answer.message
    assert not ReceivedCommand.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        without(start_session(connector_id="1"), "evse_uid"),
        start_session(location_id="x" * 37),
        start_session(response_url="https://partner.example/" + "x" * 250),
        start_session(token="a card"),
        start_session(token=without(driver_token(), "uid")),
    ],
    ids=["connector without EVSE", "long id", "long URL", "no token", "token without uid"],
)
def test_a_command_that_cannot_be_carried_out_as_written_is_2001(client: PartnerClient, body: Document) -> None:
    """R9.15"""
    assert client.post(f"{COMMANDS}/START_SESSION", body).codes == (200, 2001)
    assert not ReceivedCommand.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "http://partner.example/x",
        "https://127.0.0.1/x",
        "https://u:p@partner.example/x",
        "ftp://a.example/",
        "https://",
    ],
)
def test_a_response_url_that_we_do_not_call_is_2001(client: PartnerClient, url: str) -> None:
    """DESIGN 2.9"""
    answer = client.post(f"{COMMANDS}/START_SESSION", start_session(response_url=url))
    assert answer.codes == (200, 2001)
    assert "/response_url" in answer.message


def test_an_expiry_that_is_no_time_is_2001(client: PartnerClient) -> None:
    assert client.post(f"{COMMANDS}/RESERVE_NOW", reserve_now(expiry_date="soon")).codes == (200, 2001)


@pytest.mark.parametrize("name", ["start_session", "SET_CHARGING_PROFILE", "DANCE", "%00"])
def test_an_unknown_command_is_404(client: PartnerClient, name: str) -> None:
    """R1.18: names are compared with regard to case."""
    assert client.post(f"{COMMANDS}/{name}", start_session()).http == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_405(client: PartnerClient, method: str) -> None:
    """R9.13"""
    assert client.request(method, f"{COMMANDS}/START_SESSION", start_session()).http == 405


@pytest.mark.parametrize(
    ("command", "changes"),
    [
        ("START_SESSION", {"location_id": "NOWHERE"}),
        ("START_SESSION", {"evse_uid": "NONE"}),
        ("START_SESSION", {"connector_id": "9"}),
        ("RESERVE_NOW", {"location_id": "NOWHERE"}),
        ("UNLOCK_CONNECTOR", {"location_id": "NOWHERE"}),
        ("UNLOCK_CONNECTOR", {"connector_id": "9"}),
    ],
)
def test_an_unknown_place_is_2003_with_a_rejecting_answer(
    client: PartnerClient, command: str, changes: Document
) -> None:
    """R9.15, R9.15d"""
    answer = client.post(f"{COMMANDS}/{command}", BODIES[command](**changes))
    assert answer.codes == (200, 2003)
    assert (answer.data["result"], answer.data["timeout"]) == ("REJECTED", 0)


def test_a_partners_location_cannot_be_commanded_here(client: PartnerClient) -> None:
    """Only own charge points are ours to command."""
    cpo = register("CPO:DE*CPO")
    theirs = location(country_code="DE", party_id="CPO", id="THEIRS", evses=[evse(capabilities=CAPABLE)])
    locations.put(Arrival(theirs), cpo.platform.pk)
    assert client.post(f"{COMMANDS}/START_SESSION", start_session(location_id="THEIRS")).status == 2003


def test_ids_ignore_case(client: PartnerClient, charge_points: FakeChargePoints) -> None:
    """R1.16"""
    body = start_session(location_id="loc-1", evse_uid="evse-1", connector_id="1")
    assert client.post(f"{COMMANDS}/START_SESSION", body).data["result"] == "ACCEPTED"
    ((_, request),) = charge_points.asked
    assert request.evse is not None and request.evse["uid"] == "EVSE-1"


def test_an_evse_may_need_its_connector_to_be_named(client: PartnerClient, charge_points: FakeChargePoints) -> None:
    """R9.15, R9.15a: START_SESSION_CONNECTOR_REQUIRED."""
    capable = [*CAPABLE, "START_SESSION_CONNECTOR_REQUIRED"]
    locations.put(Arrival(location(evses=[evse(capabilities=capable)])), None)
    answer = client.post(f"{COMMANDS}/START_SESSION", start_session())
    assert answer.codes == (200, 2001) and "/connector_id" in answer.message
    assert client.post(f"{COMMANDS}/START_SESSION", start_session(connector_id="1")).data["result"] == "ACCEPTED"
    assert client.post(f"{COMMANDS}/RESERVE_NOW", reserve_now()).data["result"] == "ACCEPTED"


@pytest.mark.parametrize("party", ["CPO:FR*CPO", "SCSP:FR*SCS", "NAP:FR*NAP"])
def test_only_those_who_act_for_drivers_command(site: None, party: str) -> None:
    answer = register(party).client().post(f"{COMMANDS}/START_SESSION", start_session())
    assert answer.codes == (200, 2000)
    assert not ReceivedCommand.objects.exists()


@pytest.mark.parametrize("party", ["EMSP:FR*MSP", "NSP:FR*NSP", "OTHER:FR*OTH", "HUB:FR*HUB"])
def test_every_role_that_acts_for_drivers_commands(site: None, charge_points: FakeChargePoints, party: str) -> None:
    assert register(party).client().post(f"{COMMANDS}/START_SESSION", start_session()).data["result"] == "ACCEPTED"


# --- Receiver: sessions ---------------------------------------------------------------------------------------------


def test_an_unknown_session_is_an_answer_not_an_error(client: PartnerClient, charge_points: FakeChargePoints) -> None:
    """R9.13: written down, and no charge point is asked."""
    answer = client.post(f"{COMMANDS}/STOP_SESSION", stop_session(session_id="NONE"))
    assert answer.codes == (200, 1000)
    assert answer.data["result"] == "UNKNOWN_SESSION"
    assert ReceivedCommand.objects.get().response == "UNKNOWN_SESSION"
    assert not charge_points.asked


def test_the_session_of_another_emsp_is_rejected(site: None, charge_points: FakeChargePoints) -> None:
    """R9.15, R9.15e"""
    answer = register("EMSP:FR*MSP").client().post(f"{COMMANDS}/STOP_SESSION", stop_session())
    assert (answer.status, answer.data["result"]) == (1000, "REJECTED")
    assert not charge_points.asked


@pytest.mark.parametrize(("speaker", "result"), [("DE*MSP", "ACCEPTED"), ("FR*MSP", "REJECTED"), (None, "REJECTED")])
def test_behind_a_hub_the_party_that_speaks_commands(
    site: None, charge_points: FakeChargePoints, speaker: str | None, result: str
) -> None:
    """R6.9: the hub itself is nobody's eMSP."""
    client = register("HUB:FR*HUB").client(to="NL*OCP", from_=speaker)
    assert client.post(f"{COMMANDS}/STOP_SESSION", stop_session()).data["result"] == result


# --- Sender ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def sent(cpo: Registered) -> SentCommand:
    """A StartSession of ours that a CPO has accepted."""
    return SentCommand.objects.create(
        uid="unguessable",
        platform=cpo.platform,
        command=Command.START_SESSION,
        commander="NL*OSP",
        party=PartyId("DE*CPO"),
        subject="LOC-1",
        document="{}",
        state=SentCommand.State.WAITING,
        response=CommandResponseType.ACCEPTED,
    )


CALLBACK = f"{SENDER}/commands/START_SESSION/unguessable"


def test_a_result_is_stored_and_acknowledged_without_data(sent: SentCommand, cpo_client: PartnerClient) -> None:
    """R9.14, R1.10"""
    answer = cpo_client.post(CALLBACK, {"result": "ACCEPTED"})
    assert answer.codes == (200, 1000) and "data" not in answer.envelope
    sent.refresh_from_db()
    assert (sent.result, sent.state, sent.late) == ("ACCEPTED", "RESOLVED", False)


@pytest.mark.parametrize("message", [{"language": "en", "text": "ok"}, [{"language": "en", "text": "ok"}]])
def test_a_message_may_be_one_or_a_list(sent: SentCommand, cpo_client: PartnerClient, message: Any) -> None:
    """E29"""
    body = {"result": "FAILED", "message": message}
    assert cpo_client.post(CALLBACK, body).codes == (200, 1000)
    assert codec.decode(ReturnedResult.objects.get().document.encode()) == body


def test_a_result_we_do_not_know_is_kept(sent: SentCommand, cpo_client: PartnerClient) -> None:
    """R1.22"""
    assert cpo_client.post(CALLBACK, {"result": "SHRUGGED" * 20}).codes == (200, 1000)
    assert ReturnedResult.objects.get().result.startswith("SHRUGGED")


@pytest.mark.parametrize("body", [{}, {"result": None}, {"result": 1}, {"result": []}])
def test_a_result_without_result_is_2001(sent: SentCommand, cpo_client: PartnerClient, body: Document) -> None:
    assert cpo_client.post(CALLBACK, body).codes == (200, 2001)
    assert not ReturnedResult.objects.exists()


@pytest.mark.parametrize("path", ["START_SESSION/other", "STOP_SESSION/unguessable", "start_session/unguessable"])
def test_a_url_that_we_have_not_given_is_404(sent: SentCommand, cpo_client: PartnerClient, path: str) -> None:
    assert cpo_client.post(f"{SENDER}/commands/{path}", {"result": "ACCEPTED"}).http == 404


def test_nobody_else_can_answer_for_a_cpo(sent: SentCommand) -> None:
    """Only the platform that was commanded knows the result."""
    stranger = register("CPO:FR*CPO").client()
    assert stranger.post(CALLBACK, {"result": "ACCEPTED"}).http == 404
    sent.refresh_from_db()
    assert sent.result == ""
