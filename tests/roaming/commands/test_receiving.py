"""Results of commands for us: one each, brought to the response_url until it is acknowledged."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from ocpi.events import command_resolved
from ocpi.ids import PartyId
from ocpi.ports import Command, CommandRequest, Origin, Verdict
from ocpi.v221.commands import CommandResponseType
from roaming import directory
from roaming.command_models import CommandOutcome, ProfileFollower, ReceivedCommand
from roaming.commands import delivering, receiving, sweeping
from roaming.models import Platform
from tests.kit.commands import BODIES, FakeChargePoints, active_profile
from tests.kit.peer import FakePeer, answers, enveloped, fails, hangs_up, slow
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)
ACCEPTED = CommandResponseType.ACCEPTED
RESULTS = "/results"


@pytest.fixture
def peer(fake_peer: Any) -> FakePeer:
    """An eMSP that takes every result."""
    found: FakePeer = fake_peer(party="DE*MSP", role="EMSP")
    found.misbehave(answers(enveloped()), path=RESULTS)
    found.misbehave(answers(enveloped()), method="PUT", path="/sender/chargingprofiles")
    return found


@pytest.fixture
def platform(peer: FakePeer) -> Platform:
    return register("EMSP:DE*MSP", endpoints=peer.endpoints(), outbound_token=peer.token).platform


def received(
    platform: Platform, peer: FakePeer | None = None, command: Command = Command.START_SESSION, timeout: int = 30
) -> ReceivedCommand:
    """A command that we have accepted."""
    request = CommandRequest(command, PartyId("NL*OCP"), PartyId("DE*MSP"), BODIES[command]())
    url = f"{peer.url if peer else 'https://partner.example'}{RESULTS}/1?a=b%20c"
    receiving.receive(request, Origin(platform.pk, "story-1", url), Verdict(ACCEPTED, timeout))
    return ReceivedCommand.objects.latest("pk")


def due_now() -> None:
    """Let the pauses between attempts be over."""
    CommandOutcome.objects.exclude(due_at=None).update(due_at=timezone.now())
    ProfileFollower.objects.exclude(due_at=None).update(due_at=timezone.now())


# --- one result -----------------------------------------------------------------------------------------------------


def test_the_result_goes_to_the_response_url_as_it_was_given(platform: Platform, peer: FakePeer) -> None:
    """R9.14: with the normal credentials token, routed back, in the same story."""
    receiving.resolve(received(platform, peer).pk, "EVSE_OCCUPIED", "a car is there")
    assert delivering.deliver(platform.pk) == 1
    (request,) = peer.requested("POST", RESULTS)
    assert request.document == {
        "result": "EVSE_OCCUPIED",
        "message": [{"language": "en", "text": "a car is there"}],
    }
    assert (request.path, request.query) == (f"{RESULTS}/1", {"a": "b c"})
    assert (request.routing.to, request.routing.from_) == ("DE*MSP", "NL*OCP")
    assert request.headers["X-Correlation-ID"] == "story-1"
    assert request.headers["Authorization"].startswith("Token ")


def test_the_first_result_is_the_only_one(platform: Platform, peer: FakePeer) -> None:
    row = received(platform, peer)
    assert receiving.resolve(row.pk, "ACCEPTED")
    assert not receiving.resolve(row.pk, "ACCEPTED")
    assert not receiving.resolve(row.pk, "FAILED")
    delivering.deliver(platform.pk)
    assert [request.document["result"] for request in peer.requested("POST")] == ["ACCEPTED"]


@pytest.mark.parametrize("result", ["REJECTED", "NOT_SUPPORTED", "UNKNOWN_SESSION"])
def test_a_command_that_was_not_accepted_has_no_result(platform: Platform, result: str) -> None:
    """R9.14: its answer was all."""
    row = received(platform)
    ReceivedCommand.objects.update(response=result)
    assert not receiving.resolve(row.pk, "FAILED")
    assert not receiving.resolve(row.pk + 1, "FAILED")


def test_a_result_that_the_command_cannot_have_is_our_mistake(platform: Platform) -> None:
    with pytest.raises(ValueError, match="DANCED"):
        receiving.resolve(received(platform).pk, "DANCED")
    with pytest.raises(ValueError, match="TIMEOUT"):
        receiving.resolve(received(platform, command=Command.SET_CHARGING_PROFILE).pk, "TIMEOUT")
    with pytest.raises(ValueError, match="profile"):
        receiving.resolve(received(platform, command=Command.ACTIVE_CHARGING_PROFILE).pk, "ACCEPTED")
    assert not CommandOutcome.objects.exists()


def test_resolving_is_announced_on_commit(platform: Platform) -> None:
    heard: list[Any] = []
    row = received(platform)

    def hear(**sent: Any) -> None:
        assert not connection.in_atomic_block
        heard.append((sent["command_id"], sent["platform_id"], sent["result"]))

    command_resolved.connect(hear)
    try:
        receiving.resolve(row.pk, "ACCEPTED")
        receiving.resolve(row.pk, "FAILED")
    finally:
        command_resolved.disconnect(hear)
    assert heard == [(row.pk, platform.pk, "ACCEPTED")]


def test_of_many_who_resolve_at_once_one_is_heard(threaded_db: None) -> None:
    platform = register("EMSP:DE*MSP").platform
    row, won = received(platform), []

    def resolve(result: str) -> None:
        try:
            if receiving.resolve(row.pk, result):
                won.append(result)
        finally:
            connection.close()

    threads = [threading.Thread(target=resolve, args=(result,)) for result in ("ACCEPTED", "FAILED", "TIMEOUT") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.result for outcome in CommandOutcome.objects.all()] == won


# --- the clock ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "result"), [(Command.START_SESSION, "TIMEOUT"), (Command.CLEAR_CHARGING_PROFILE, "REJECTED")]
)
def test_a_charge_point_that_is_silent_is_answered_for(platform: Platform, command: Command, result: str) -> None:
    """R9.14; charging profiles know no TIMEOUT."""
    row = received(platform, command=command)
    assert sweeping.sweep() == set()
    ReceivedCommand.objects.update(deadline=timezone.now())
    assert sweeping.sweep() == {platform.pk}
    row.refresh_from_db()
    assert (row.result, row.deadline) == (result, None)
    assert not receiving.resolve(row.pk, "ACCEPTED")


def test_the_promised_time_leaves_room_for_the_delivery_of_a_timeout(platform: Platform) -> None:
    row = received(platform, timeout=60)
    assert row.deadline is not None
    assert row.timeout == 65
    assert row.deadline < row.received_at + timedelta(seconds=row.timeout)


def test_commands_are_forgotten_after_some_months(platform: Platform) -> None:
    receiving.resolve(received(platform).pk, "ACCEPTED")
    sweeping.prune()
    assert CommandOutcome.objects.count() == 1
    ReceivedCommand.objects.update(received_at=timezone.now() - sweeping.KEPT - timedelta(days=1))
    sweeping.prune()
    assert not CommandOutcome.objects.exists()


# --- reservations ---------------------------------------------------------------------------------------------------


def test_a_cancelled_reservation_is_a_second_result_to_the_same_url(platform: Platform, peer: FakePeer) -> None:
    """R9.15, R9.15c: after the first, in this order, whatever is acknowledged when."""
    row = received(platform, peer, Command.RESERVE_NOW)
    receiving.resolve(row.pk, "ACCEPTED")
    peer.misbehave(fails(503), path=RESULTS, count=1)
    delivering.deliver(platform.pk)
    assert receiving.resolve(row.pk, "CANCELED_RESERVATION")
    assert not receiving.resolve(row.pk, "CANCELED_RESERVATION")
    assert delivering.deliver(platform.pk) == 0
    due_now()
    assert delivering.deliver(platform.pk) == 2
    results = [request.document["result"] for request in peer.requested("POST", RESULTS)]
    assert results == ["ACCEPTED", "ACCEPTED", "CANCELED_RESERVATION"]


@pytest.mark.parametrize(("command", "first"), [(Command.RESERVE_NOW, "REJECTED"), (Command.START_SESSION, "ACCEPTED")])
def test_only_a_reservation_that_was_made_is_cancelled(platform: Platform, command: Command, first: str) -> None:
    row = received(platform, command=command)
    receiving.resolve(row.pk, first)
    assert not receiving.resolve(row.pk, "CANCELED_RESERVATION")


# --- delivery -------------------------------------------------------------------------------------------------------


def test_what_was_acknowledged_is_not_sent_again(platform: Platform, peer: FakePeer) -> None:
    receiving.resolve(received(platform, peer).pk, "ACCEPTED")
    assert [delivering.deliver(platform.pk) for _ in range(3)] == [1, 0, 0]
    assert len(peer.requested("POST", RESULTS)) == 1
    outcome = CommandOutcome.objects.get()
    assert (outcome.due_at, outcome.claimed_until, outcome.error) == (None, None, "")
    assert outcome.delivered_at is not None


@pytest.mark.parametrize("trouble", [fails(500), hangs_up(), answers(enveloped(code=2000)), slow(3)])
def test_what_was_not_acknowledged_is_sent_again(platform: Platform, peer: FakePeer, trouble: Any) -> None:
    """With the reason of the last attempt beside it."""
    receiving.resolve(received(platform, peer).pk, "ACCEPTED")
    peer.misbehave(trouble, path=RESULTS, count=1)
    assert delivering.deliver(platform.pk) == 0
    outcome = CommandOutcome.objects.get()
    assert outcome.error and outcome.claimed_until is None
    assert outcome.due_at is not None and outcome.due_at > timezone.now()
    due_now()
    assert delivering.waiting() == {platform.pk}
    assert delivering.deliver(platform.pk) == 1


def test_after_about_a_day_we_give_up(platform: Platform) -> None:
    total = sum(delivering.LADDER, timedelta())
    assert timedelta(hours=20) < total < timedelta(hours=28)
    receiving.resolve(received(platform).pk, "ACCEPTED")
    Platform.objects.update(state=Platform.State.SUSPENDED)
    for _ in range(len(delivering.LADDER) + 5):
        due_now()
        delivering.deliver(platform.pk)
    outcome = CommandOutcome.objects.get()
    assert (outcome.due_at, outcome.delivered_at) == (None, None)
    assert outcome.attempts == len(delivering.LADDER) + 1
    assert "suspended" in outcome.error


def test_one_that_is_refused_does_not_stop_the_others(platform: Platform, peer: FakePeer) -> None:
    for _ in range(2):
        receiving.resolve(received(platform, peer).pk, "ACCEPTED")
    peer.misbehave(answers(enveloped(code=2000, http=404)), path=RESULTS, count=1)
    assert delivering.deliver(platform.pk) == 1


def test_a_response_url_is_judged_again_when_it_is_called(platform: Platform, peer: FakePeer, settings: Any) -> None:
    """DESIGN 2.9: what was allowed then may be forbidden now."""
    receiving.resolve(received(platform, peer).pk, "ACCEPTED")
    settings.NODE_ALLOW_PRIVATE_URLS = False
    assert delivering.deliver(platform.pk) == 0
    assert not peer.requests


def test_a_worker_that_is_with_a_platform_is_left_alone(platform: Platform, peer: FakePeer) -> None:
    """DESIGN 2.8: a partner that hangs occupies one worker."""
    for _ in range(2):
        receiving.resolve(received(platform, peer).pk, "ACCEPTED")
    CommandOutcome.objects.filter(pk=CommandOutcome.objects.first().pk).update(  # type: ignore[union-attr]
        claimed_until=timezone.now() + timedelta(minutes=1)
    )
    assert delivering.waiting() == set()
    assert delivering.deliver(platform.pk) == 0


def test_many_workers_post_a_result_once(threaded_db: None, fake_peer: Any) -> None:
    peer = fake_peer(party="DE*MSP", role="EMSP")
    peer.misbehave(answers(enveloped()), path=RESULTS)
    platform = register("EMSP:DE*MSP", endpoints=peer.endpoints(), outbound_token=peer.token).platform
    for _ in range(5):
        receiving.resolve(received(platform, peer).pk, "ACCEPTED")

    def work() -> None:
        try:
            delivering.deliver(platform.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(peer.requested("POST", RESULTS)) == 5


def test_what_the_charge_points_write_is_undone_with_the_command(
    platform: Platform, charge_points: FakeChargePoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command and what a charge point is to do are one transaction."""
    request = CommandRequest(Command.STOP_SESSION, PartyId("NL*OCP"), PartyId("DE*MSP"), {"session_id": "S"})

    def fail(command_id: int, request: CommandRequest) -> Verdict:
        assert connection.in_atomic_block
        assert ReceivedCommand.objects.filter(pk=command_id).exists()
        raise RuntimeError("a defect of ours")

    monkeypatch.setattr(charge_points, "command", fail)
    with pytest.raises(RuntimeError):
        receiving.receive(request, Origin(platform.pk, "story-1", "https://partner.example/1"), None)
    assert not ReceivedCommand.objects.exists()


# --- charging profiles ----------------------------------------------------------------------------------------------


def test_the_profile_asked_for_is_in_the_result(platform: Platform, peer: FakePeer) -> None:
    """R9.17"""
    row = received(platform, peer, Command.ACTIVE_CHARGING_PROFILE)
    receiving.resolve(row.pk, "ACCEPTED", profile=active_profile())
    delivering.deliver(platform.pk)
    (request,) = peer.requested("POST", RESULTS)
    assert request.document == {"result": "ACCEPTED", "profile": active_profile()}
    assert b"16.0" in request.body


def test_results_of_profiles_have_no_message(platform: Platform, peer: FakePeer) -> None:
    """R9.17"""
    receiving.resolve(received(platform, peer, Command.SET_CHARGING_PROFILE).pk, "REJECTED", "too much")
    delivering.deliver(platform.pk)
    assert peer.requested("POST", RESULTS)[0].document == {"result": "REJECTED"}


def push() -> int:
    return receiving.push_active_profile(PartyId("NL*OCP"), "SESSION-1", active_profile())


def test_nobody_is_told_of_a_profile_before_setting_one(platform: Platform, peer: FakePeer) -> None:
    """R9.17, R9.17a: the first successful SetChargingProfile begins it."""
    assert push() == 0
    refused = received(platform, peer, Command.SET_CHARGING_PROFILE)
    receiving.resolve(refused.pk, "REJECTED")
    cleared = received(platform, peer, Command.CLEAR_CHARGING_PROFILE)
    receiving.resolve(cleared.pk, "ACCEPTED")
    assert push() == 0
    for _ in range(2):
        receiving.resolve(received(platform, peer, Command.SET_CHARGING_PROFILE).pk, "ACCEPTED")
    assert push() == 1
    delivering.deliver(platform.pk)
    (request,) = peer.requested("PUT")
    assert request.path == "/2.2.1/sender/chargingprofiles/SESSION-1"
    assert request.document == active_profile()
    assert (request.routing.to, request.routing.from_) == ("DE*MSP", "NL*OCP")


def test_of_several_changes_the_last_is_told(platform: Platform, peer: FakePeer) -> None:
    """DESIGN 2.4: state, not messages."""
    receiving.resolve(received(platform, peer, Command.SET_CHARGING_PROFILE).pk, "ACCEPTED")
    for minute in range(3):
        profile = active_profile(start_date_time=f"2026-03-01T12:0{minute}:00Z")
        receiving.push_active_profile(PartyId("NL*OCP"), "SESSION-1", profile)
    delivering.deliver(platform.pk)
    assert [request.document["start_date_time"] for request in peer.requested("PUT")] == ["2026-03-01T12:02:00Z"]


def test_a_change_while_the_last_one_is_sent_is_sent_after_it(platform: Platform, peer: FakePeer) -> None:
    receiving.resolve(received(platform, peer, Command.SET_CHARGING_PROFILE).pk, "ACCEPTED")
    delivering.deliver(platform.pk)
    push()
    follower = delivering._claim(ProfileFollower, platform)
    assert follower is not None
    push()
    delivering._acknowledged(follower)
    assert delivering.deliver(platform.pk) == 1


def test_a_platform_without_the_endpoint_is_not_guessed_at(platform: Platform, peer: FakePeer) -> None:
    """R3.4"""
    receiving.resolve(received(platform, peer, Command.SET_CHARGING_PROFILE).pk, "ACCEPTED")
    delivering.deliver(platform.pk)
    platform.endpoints.all().delete()
    directory.changed()
    push()
    assert delivering.deliver(platform.pk) == 0
    assert "no Sender endpoint" in ProfileFollower.objects.get().error
