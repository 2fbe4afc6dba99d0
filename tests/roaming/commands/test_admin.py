"""Commands as staff see and send them."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.ports import Command, CommandRequest, Origin, Verdict
from ocpi.store.client_infos import client_infos
from ocpi.store.objects import Arrival
from ocpi.store.tokens import tokens
from ocpi.types import codec
from ocpi.v221.commands import CommandResponseType
from roaming.command_models import ActiveProfile, CommandOutcome, ProfileFollower, ReceivedCommand, SentCommand
from roaming.commands import receiving, returning
from tests.kit.commands import BODIES, driver_token
from tests.kit.objects import Document, client_info
from tests.kit.peer import FakePeer
from tests.kit.platforms import Registered, register

pytestmark = pytest.mark.django_db(transaction=True)
ADD = "admin:roaming_sentcommand_add"
LISTS = ("sentcommand", "receivedcommand", "activeprofile", "profilefollower")
START = {"command": "START_SESSION", "party": "DE*CPO", "location_id": "L-7", "token_uid": "04A1B2C3D4"}


@pytest.fixture
def peer(fake_peer: Any) -> FakePeer:
    found: FakePeer = fake_peer(party="DE*CPO", role="CPO")
    return found


@pytest.fixture
def cpo(peer: FakePeer) -> Registered:
    return register("CPO:DE*CPO", endpoints=peer.endpoints(), outbound_token=peer.token)


def ours(**changes: Any) -> Document:
    return driver_token(country_code="NL", party_id="OSP", **changes)


def page(row: SentCommand | ReceivedCommand) -> str:
    return reverse(f"admin:roaming_{row._meta.model_name}_change", args=[row.pk])


def text(response: HttpResponse) -> str:
    return response.content.decode()


def received(emsp: Registered) -> ReceivedCommand:
    request = CommandRequest(
        Command.SET_CHARGING_PROFILE, PartyId("NL*OCP"), PartyId("DE*MSP"), BODIES[Command.SET_CHARGING_PROFILE]()
    )
    origin = Origin(emsp.platform.pk, "story-1", "https://partner.example/results/1")
    receiving.receive(request, origin, Verdict(CommandResponseType.ACCEPTED, 30))
    row = ReceivedCommand.objects.get()
    receiving.resolve(row.pk, "ACCEPTED")
    return row


def test_staff_send_a_command_and_see_what_came_of_it(admin_client: Client, cpo: Registered, peer: FakePeer) -> None:
    tokens.put(Arrival(ours()), None)
    answer = admin_client.post(reverse(ADD), START)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    (request,) = peer.requested("POST")
    assert request.path == "/2.2.1/receiver/commands/START_SESSION"
    assert (request.document["token"], request.document["location_id"]) == (ours(), "L-7")
    row = SentCommand.objects.get()
    assert (row.state, row.response, row.ordered_by) == ("WAITING", "ACCEPTED", "admin")
    returning.take_result(row.platform_id, Command.START_SESSION, row.uid, {"result": "EVSE_OCCUPIED"})
    shown = text(admin_client.get(page(row)))
    for expected in ("EVSE_OCCUPIED", "L-7", "has a result", "04A1B2C3D4"):
        assert expected in shown


def test_a_command_that_does_not_arrive_shows_why(admin_client: Client, cpo: Registered, peer: FakePeer) -> None:
    peer.token = "another token"
    admin_client.post(reverse(ADD), {"command": "STOP_SESSION", "party": "DE*CPO", "session_id": "S-1"})
    row = SentCommand.objects.get()
    assert row.state == "FAILED"
    assert "401" in text(admin_client.get(page(row)))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"location_id": ""}, "/location_id"),
        ({"connector_id": "1"}, "/evse_uid"),
        ({"token_uid": "NONE"}, "no Token of ours"),
        ({"token_uid": ""}, "/token is required"),
        ({"token_uid": "", "token": "{"}, "not JSON"),
        ({"token_uid": "", "token": "[]"}, "/token"),
        ({"token_uid": "", "token": codec.encode_text(driver_token())}, "DE*MSP"),
        ({"party": "XX*YYY"}, "XX*YYY"),
        ({"command": "STOP_SESSION"}, "/session_id"),
        ({"command": "CLEAR_CHARGING_PROFILE"}, "/session_id"),
        ({"command": "ACTIVE_CHARGING_PROFILE", "session_id": "S"}, "/duration"),
        ({"command": "SET_CHARGING_PROFILE", "session_id": "S", "charging_profile": "{}"}, "charging_rate_unit"),
        ({"command": "RESERVE_NOW", "reservation_id": "R", "expiry_date": "soon"}, "date"),
    ],
)
def test_what_cannot_be_sent_is_said_on_the_form(
    admin_client: Client, cpo: Registered, peer: FakePeer, changes: Document, error: str
) -> None:
    tokens.put(Arrival(ours()), None)
    answer = admin_client.post(reverse(ADD), {**START, **changes})
    assert answer.status_code == 200
    assert error in str(answer.context["adminform"].form.errors)
    assert not SentCommand.objects.exists() and not peer.requests


def test_a_token_of_which_there_are_several_is_entered_whole(
    admin_client: Client, cpo: Registered, peer: FakePeer
) -> None:
    for kind in ("RFID", "APP_USER"):
        tokens.put(Arrival(ours(type=kind)), None)
    assert "several" in str(admin_client.post(reverse(ADD), START).context["adminform"].form.errors)
    whole = {"token": codec.encode_text(ours(type="RFID")), "reservation_id": "R-1", "expiry_date": "2036-03-01 12:00"}
    admin_client.post(reverse(ADD), {**START, **whole, "command": "RESERVE_NOW"})
    document = peer.requested("POST")[0].document
    assert (document["token"]["type"], document["expiry_date"]) == ("RFID", "2036-03-01T12:00:00Z")


def test_cpos_behind_hubs_are_offered_too(admin_client: Client, cpo: Registered) -> None:
    hub = register("HUB:FR*HUB")
    client_infos.put(Arrival(client_info(country_code="FR", party_id="CPO", role="CPO")), hub.platform.pk)
    offered = admin_client.get(reverse(ADD)).context["adminform"].form.fields["party"].choices
    assert [value for value, _ in offered] == ["DE*CPO", "FR*CPO"]


def test_sending_takes_a_permission_of_its_own(client: Client, cpo: Registered) -> None:
    user = User.objects.create_user("reader", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_sentcommand"))
    client.force_login(user)
    assert client.get(reverse("admin:roaming_sentcommand_changelist")).status_code == 200
    assert client.post(reverse(ADD), START).status_code == 403


def test_every_list_can_be_searched_and_its_rows_opened(
    admin_client: Client, emsp: Registered, cpo: Registered
) -> None:
    received(emsp)
    ActiveProfile.objects.create(platform=cpo.platform, owner="DE*CPO", session_key="s-1", document='{"a":1.50}')
    admin_client.post(reverse(ADD), {"command": "STOP_SESSION", "party": "DE*CPO", "session_id": "S-1"})
    for model in LISTS:
        response = admin_client.get(reverse(f"admin:roaming_{model}_changelist"), {"q": "s"})
        assert response.status_code == 200
        rows = response.context["cl"].queryset
        assert rows.count() == 1, model
        for row in rows:
            shown = admin_client.get(reverse(f"admin:roaming_{model}_change", args=[row.pk]))
            assert shown.status_code == 200


def test_staff_may_have_a_result_delivered_again(admin_client: Client, emsp: Registered) -> None:
    row = received(emsp)
    CommandOutcome.objects.update(due_at=None, attempts=10, error="no answer")
    assert "given up" in text(admin_client.get(page(row)))
    url = reverse("admin:roaming_receivedcommand_changelist")
    admin_client.post(url, {"action": "deliver_again", "_selected_action": [row.pk]})
    outcome = CommandOutcome.objects.get()
    assert outcome.due_at is not None and outcome.due_at <= timezone.now()
    assert outcome.attempts == 0
    assert ProfileFollower.objects.get().due_at is None
