"""Commands of ours: how they are sent, what is answered, and what comes back."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from ocpi.errors import NotFound
from ocpi.ids import PartyId
from ocpi.models import ClientInfo
from ocpi.ports import Command
from ocpi.store.client_infos import client_infos
from ocpi.store.objects import Arrival
from ocpi.store.sessions import sessions
from ocpi.types import codec
from roaming import directory
from roaming.command_models import ReturnedResult, SentCommand
from roaming.commands import returning, sending, sweeping
from roaming.models import Endpoint, Party, Platform
from tests.kit.caller import path_of
from tests.kit.commands import BODIES, charging_profile, driver_token
from tests.kit.objects import Document, cdr_token, client_info, session, without
from tests.kit.peer import FakePeer, Recorded, Reply, answers, enveloped, fails, slow
from tests.kit.platforms import Registered, register

pytestmark = pytest.mark.django_db(transaction=True)
CPO = PartyId("DE*CPO")
START = Command.START_SESSION
State = SentCommand.State


@pytest.fixture
def peer(fake_peer: Any) -> FakePeer:
    """A CPO that accepts every command."""
    found: FakePeer = fake_peer(party="DE*CPO", role="CPO")
    found.misbehave(answers(enveloped({"result": "ACCEPTED", "timeout": 60})), path="/receiver/chargingprofiles")
    return found


@pytest.fixture
def cpo(peer: FakePeer) -> Registered:
    return register("CPO:DE*CPO", endpoints=peer.endpoints(), outbound_token=peer.token)


def body(command: Command, **changes: Any) -> Document:
    """What we say; the response_url is added when it is sent."""
    found = without(BODIES[command](), "response_url")
    if "token" in found:
        found["token"] = driver_token(country_code="NL", party_id="OSP")
    return {**found, **changes}


def start(**changes: Any) -> SentCommand:
    return sending.send(START, CPO, body(START, **changes), by="ada")


def answered_with(peer: FakePeer, data: Any, **options: Any) -> SentCommand:
    peer.misbehave(answers(enveloped(data, **options)), method="POST", path="/receiver/commands")
    return start()


def returned(row: SentCommand, result: str = "ACCEPTED", **more: Any) -> SentCommand:
    returning.take_result(row.platform_id, Command(row.command), row.uid, {"result": result, **more})
    row.refresh_from_db()
    return row


# --- the request ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [command for command in Command if "PROFILE" not in command])
def test_a_command_is_posted_one_segment_below_the_endpoint(cpo: Registered, peer: FakePeer, command: Command) -> None:
    """E13, R7.3: in the name of our eMSP."""
    row = sending.send(command, CPO, body(command))
    (request,) = peer.requested("POST")
    assert request.path == f"/2.2.1/receiver/commands/{command}"
    assert without(request.document, "response_url") == body(command)
    assert (request.routing.to, request.routing.from_) == ("DE*CPO", "NL*OSP")
    assert request.headers["X-Correlation-ID"] == row.correlation_id
    assert codec.decode(row.document.encode()) == request.document


@pytest.mark.parametrize("slash", ["", "/"])
def test_there_is_exactly_one_slash_before_the_command(cpo: Registered, peer: FakePeer, slash: str) -> None:
    """E13, trap 29"""
    url = f"{peer.endpoint_url('commands', 'RECEIVER')}{slash}"
    Endpoint.objects.filter(module="commands").update(url=url)
    directory.changed()
    start()
    assert peer.requested("POST")[0].path == "/2.2.1/receiver/commands/START_SESSION"


def test_every_command_has_a_response_url_that_cannot_be_guessed(cpo: Registered, peer: FakePeer) -> None:
    rows = [start(), start()]
    urls = {request.document["response_url"] for request in peer.requested("POST")}
    assert {path_of(url) for url in urls} == {f"/ocpi/2.2.1/sender/commands/START_SESSION/{row.uid}" for row in rows}
    assert all(len(row.uid) >= 43 for row in rows)


def test_the_row_is_there_before_the_request_and_no_transaction_is_open(
    cpo: Registered, peer: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DESIGN 2.5: the result may come before the answer, from a platform that finds the row."""
    request = sending.OcpiClient.request

    def spy(self: Any, *arguments: Any, **options: Any) -> Any:
        assert SentCommand.objects.get().state == State.SENDING
        assert not connection.in_atomic_block
        return request(self, *arguments, **options)

    monkeypatch.setattr(sending.OcpiClient, "request", spy)
    start()


def test_profiles_are_asked_for_set_and_cleared_at_the_session(cpo: Registered, peer: FakePeer) -> None:
    """R9.16, trap 34: PUT carries the response_url in the body, the others in the query."""
    rows = [
        sending.request_active_profile(CPO, "S 1", 900),
        sending.set_profile(CPO, "S 1", charging_profile()),
        sending.clear_profile(CPO, "S 1"),
    ]
    asked, put, cleared = (peer.requested(method)[0] for method in ("GET", "PUT", "DELETE"))
    assert {request.path for request in (asked, put, cleared)} == {"/2.2.1/receiver/chargingprofiles/S%201"}
    kinds = [
        (asked.query["response_url"], "active"),
        (put.document["response_url"], "set"),
        (cleared.query["response_url"], "clear"),
    ]
    for (url, kind), row in zip(kinds, rows, strict=True):
        assert path_of(url) == f"/ocpi/2.2.1/sender/chargingprofiles/results/{kind}/{row.uid}"
        assert (row.state, row.subject) == (State.WAITING, "S 1")
    assert asked.query["duration"] == "900"
    assert put.document["charging_profile"] == charging_profile()
    assert "session_id" not in put.document and not asked.body and not cleared.body


# --- in whose name, and to whom -------------------------------------------------------------------------------------


def test_only_our_own_tokens_are_used(cpo: Registered, peer: FakePeer) -> None:
    """§mod_commands_startsession_object"""
    with pytest.raises(sending.NotSent, match="DE\\*MSP"):
        start(token=driver_token())
    assert not SentCommand.objects.exists() and not peer.requests


def test_the_session_says_in_whose_name_it_is_stopped(cpo: Registered, peer: FakePeer) -> None:
    Party.objects.create(party="NL*AAA", role="EMSP", name="Another eMSP of ours")
    directory.changed()
    theirs = session(country_code="DE", party_id="CPO", cdr_token=cdr_token(country_code="NL", party_id="OSP"))
    sessions.put(Arrival(theirs), cpo.platform.pk)
    assert sending.send(Command.STOP_SESSION, CPO, {"session_id": "session-1"}).commander == "NL*OSP"
    assert sending.send(Command.STOP_SESSION, CPO, {"session_id": "other"}).commander == "NL*AAA"


def test_a_party_behind_a_hub_is_reached_through_it(fake_peer: Any) -> None:
    peer = fake_peer(party="FR*HUB", role="HUB")
    hub = register("HUB:FR*HUB", endpoints=peer.endpoints(), outbound_token=peer.token)
    client_infos.put(Arrival(client_info(country_code="FR", party_id="CPO", role="CPO")), hub.platform.pk)
    assert ClientInfo.objects.get().source == hub.platform.pk
    row = sending.send(START, PartyId("FR*CPO"), body(START))
    assert (row.platform, row.state) == (hub.platform, State.WAITING)
    assert peer.requested("POST")[0].routing.to == "FR*CPO"


def test_who_is_not_connected_is_sent_nothing(cpo: Registered, peer: FakePeer) -> None:
    with pytest.raises(sending.NotSent, match="XX\\*YYY is not connected"):
        sending.send(START, PartyId("XX*YYY"), body(START))
    Platform.objects.update(state=Platform.State.SUSPENDED)
    directory.changed()
    with pytest.raises(sending.NotSent, match="not connected"):
        start()
    assert not peer.requests


def test_a_platform_without_the_endpoint_is_sent_nothing(cpo: Registered) -> None:
    """R3.4"""
    Endpoint.objects.filter(module="chargingprofiles").delete()
    directory.changed()
    with pytest.raises(sending.NotSent, match="Receiver endpoint of chargingprofiles"):
        sending.clear_profile(CPO, "S")


@pytest.mark.parametrize(
    ("command", "document"),
    [
        (START, {}),
        (START, {"location_id": "L", "token": {}}),
        (Command.STOP_SESSION, {"session_id": "x" * 37}),
        (Command.CLEAR_CHARGING_PROFILE, {}),
        (Command.CLEAR_CHARGING_PROFILE, {"session_id": "x" * 37}),
        (Command.ACTIVE_CHARGING_PROFILE, {"session_id": "S"}),
        (Command.SET_CHARGING_PROFILE, {"session_id": "S", "charging_profile": {"charging_rate_unit": "HP"}}),
    ],
)
def test_what_we_send_is_valid(cpo: Registered, peer: FakePeer, command: Command, document: Document) -> None:
    """DESIGN 2.1"""
    with pytest.raises(sending.NotSent):
        sending.send(command, CPO, document)
    assert not SentCommand.objects.exists() and not peer.requests


# --- the answer -----------------------------------------------------------------------------------------------------


def test_an_accepted_command_waits_as_long_as_was_promised(cpo: Registered, peer: FakePeer) -> None:
    """R9.13"""
    row = answered_with(peer, {"result": "ACCEPTED", "timeout": 60})
    assert (row.state, row.response, row.ordered_by) == (State.WAITING, "ACCEPTED", "ada")
    assert row.deadline is not None
    assert timedelta(seconds=55) < row.deadline - timezone.now() <= timedelta(seconds=60)


@pytest.mark.parametrize("message", [{"language": "en", "text": "no"}, [{"language": "en", "text": "no"}], None])
def test_the_message_of_an_answer_may_be_one_or_a_list(cpo: Registered, peer: FakePeer, message: Any) -> None:
    """E29: kept as it came."""
    data = {"result": "REJECTED", "timeout": 0, "message": message}
    row = answered_with(peer, data)
    assert (row.state, row.response, row.deadline) == (State.REFUSED, "REJECTED", None)
    assert codec.decode(row.response_document.encode()) == data


@pytest.mark.parametrize(
    "data", [None, [], "ACCEPTED", {"result": "ACCEPTED"}, {"timeout": 5}, {"result": 1, "timeout": 5}]
)
def test_an_answer_that_is_none_is_an_error(cpo: Registered, peer: FakePeer, data: Any) -> None:
    row = answered_with(peer, data)
    assert row.state == State.FAILED
    assert "no CommandResponse" in row.error


@pytest.mark.parametrize("timeout", [-5, 10**12])
def test_odd_timeouts_do_no_harm(cpo: Registered, peer: FakePeer, timeout: int) -> None:
    assert answered_with(peer, {"result": "ACCEPTED", "timeout": timeout}).state == State.WAITING


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (fails(500), "HTTP 500"),
        (answers(enveloped({"result": "REJECTED", "timeout": 0}, code=2003)), "2003"),
        (slow(3), "Timeout"),
    ],
)
def test_a_command_that_did_not_arrive_is_sent_only_once(
    cpo: Registered, peer: FakePeer, trouble: Any, error: str
) -> None:
    """A command that comes late is worse than none."""
    peer.misbehave(trouble, method="POST")
    row = start()
    assert row.state == State.FAILED
    assert error in row.error
    sweeping.sweep()
    assert len(peer.requested("POST")) == 1


def test_a_result_may_come_before_the_answer(cpo: Registered, peer: FakePeer) -> None:
    def quick(peer: FakePeer, request: Recorded) -> Reply:
        callback = path_of(request.document["response_url"])
        assert cpo.client().post(callback, {"result": "ACCEPTED"}).codes == (200, 1000)
        connection.close()
        return enveloped({"result": "ACCEPTED", "timeout": 60})

    if connection.vendor != "postgresql":
        pytest.skip("two connections at once: PostgreSQL")
    peer.misbehave(quick, method="POST")
    row = start()
    assert (row.state, row.result, row.response) == (State.RESOLVED, "ACCEPTED", "ACCEPTED")


# --- results --------------------------------------------------------------------------------------------------------


def test_a_repeated_result_is_ignored(cpo: Registered) -> None:
    row = start()
    returned(row)
    returned(row)
    assert ReturnedResult.objects.count() == 1


def test_a_different_second_result_is_kept_beside_the_first(cpo: Registered) -> None:
    row = returned(returned(start()), "FAILED")
    assert (row.result, row.state) == ("ACCEPTED", State.RESOLVED)
    assert list(ReturnedResult.objects.order_by("pk").values_list("result", "counts")) == [
        ("ACCEPTED", True),
        ("FAILED", False),
    ]


def test_a_cpo_may_cancel_a_reservation_later(cpo: Registered) -> None:
    """R9.15"""
    row = sending.send(Command.RESERVE_NOW, CPO, body(Command.RESERVE_NOW))
    SentCommand.objects.update(deadline=timezone.now())
    returned(row)
    row = returned(row, "CANCELED_RESERVATION")
    assert (row.result, row.late) == ("CANCELED_RESERVATION", False)
    assert returned(row, "ACCEPTED", note="again").result == "CANCELED_RESERVATION"


def test_a_flood_of_results_is_not_kept(cpo: Registered) -> None:
    row = start()
    for number in range(15):
        returned(row, "FAILED", number=number)
    assert ReturnedResult.objects.count() == 10


def test_when_nothing_comes_the_command_has_timed_out(cpo: Registered) -> None:
    """R9.14: the spec lets the eMSP assume so."""
    row = start()
    sweeping.sweep()
    row.refresh_from_db()
    assert row.state == State.WAITING
    SentCommand.objects.update(deadline=timezone.now())
    sweeping.sweep()
    row.refresh_from_db()
    assert (row.state, row.result) == (State.TIMED_OUT, "")


def test_a_late_result_is_the_result_and_marked_late(cpo: Registered) -> None:
    row = start()
    SentCommand.objects.update(deadline=timezone.now())
    sweeping.sweep()
    row = returned(row, "FAILED")
    assert (row.state, row.result, row.late) == (State.RESOLVED, "FAILED", True)


def test_a_command_whose_sender_died_has_failed(cpo: Registered) -> None:
    row = sending.prepare(START, CPO, body(START))
    row.save()
    sweeping.sweep()
    row.refresh_from_db()
    assert row.state == State.SENDING
    SentCommand.objects.update(sent_at=timezone.now() - timedelta(minutes=10))
    sweeping.sweep()
    row.refresh_from_db()
    assert row.state == State.FAILED and "stopped" in row.error


def test_a_result_is_taken_from_the_commanded_platform_only(cpo: Registered) -> None:
    row = start()
    other = register("CPO:FR*CPO").platform
    with pytest.raises(NotFound):
        returning.take_result(other.pk, START, row.uid, {"result": "ACCEPTED"})
    with pytest.raises(NotFound):
        returning.take_result(cpo.platform.pk, Command.STOP_SESSION, row.uid, {"result": "ACCEPTED"})
