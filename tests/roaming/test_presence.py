"""What a hub tells of the parties connected to it, and to whom (§mod_hub_client_info_flow)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from ocpi.models import ClientInfo
from ocpi.store.client_infos import client_infos
from ocpi.store.objects import Arrival
from ocpi.types import codec, times, validation
from ocpi.v221.hub_client_info import ClientInfo as WireClientInfo
from roaming import breaker, directory, presence, registration, tasks
from roaming.models import Party, Platform
from roaming.parties import ensure_own_parties
from roaming.registration import HandshakeFailed
from tests.kit import peer as misbehaviour
from tests.kit.caller import CREDENTIALS, RECEIVER, PartnerClient
from tests.kit.lanes import drain, settle
from tests.kit.objects import client_info
from tests.kit.peer import ALL_MODULES, FakePeer
from tests.kit.platforms import Registered, register

pytestmark = pytest.mark.django_db(transaction=True)

OWN = {("NL*OCP", "CPO"): "CONNECTED", ("NL*OSP", "EMSP"): "CONNECTED"}


@pytest.fixture
def hub() -> None:
    Party.objects.create(party="NL*HUB", role="HUB", name="Hub")
    directory.changed()


def told() -> dict[tuple[str, str], str]:
    """What we tell of whom."""
    documents = [codec.decode(row.document.encode()) for row in ClientInfo.objects.filter(source=None).order_by("id")]
    assert not [found for document in documents for found in validation.check(document, WireClientInfo)]
    return {(f"{info['country_code']}*{info['party_id']}", info["role"]): info["status"] for info in documents}


def of_others() -> dict[str, str]:
    return {party: status for (party, role), status in told().items() if (party, role) not in OWN}


def moments() -> dict[str, Any]:
    return dict(ClientInfo.objects.values_list("owner", "last_updated"))


# --- what is told ---------------------------------------------------------------------------------------------------


def test_a_hub_tells_of_its_own_parties_but_not_of_itself(hub: None) -> None:
    """R9.18, DESIGN section 7: once it is a hub."""
    assert told() == OWN


def test_a_node_that_is_no_hub_tells_nothing() -> None:
    """R3.5"""
    register("CPO:DE*CPO")
    assert presence.refresh() == 0 and told() == {}


def test_a_platform_is_told_of_with_every_party_and_role_when_it_connects(
    hub: None, fake_peer: Callable[..., FakePeer]
) -> None:
    """R9.19"""
    peer = fake_peer(party="DE*CPO", role="CPO")
    roles = [*peer.credentials()["roles"], {**peer.credentials()["roles"][0], "party_id": "MSP", "role": "EMSP"}]
    token = registration.invite("Partner")
    assert of_others() == {}
    assert PartnerClient(token).post(CREDENTIALS, peer.credentials(roles=roles)).codes == (200, 1000)
    assert told() == {**OWN, ("DE*CPO", "CPO"): "CONNECTED", ("DE*MSP", "EMSP"): "CONNECTED"}


def test_who_connects_to_us_on_our_initiative_is_told_of(hub: None, fake_peer: Callable[..., FakePeer]) -> None:
    """R9.19"""
    peer = fake_peer(party="DE*CPO", role="CPO")
    registration.connect("Partner", peer.versions_url, peer.token)
    assert of_others() == {"DE*CPO": "CONNECTED"}


def test_who_unregisters_is_suspended_and_never_removed(hub: None, cpo: Registered) -> None:
    """R9.19, trap 33"""
    assert of_others() == {"DE*CPO": "CONNECTED"}
    assert cpo.client().delete(CREDENTIALS).codes == (200, 1000)
    assert of_others() == {"DE*CPO": "SUSPENDED"}


def test_who_staff_suspend_is_suspended(hub: None, cpo: Registered, settings: Any) -> None:
    """R9.19: whether the platform could be told or not."""
    with pytest.raises(HandshakeFailed):
        registration.disconnect(cpo.platform)
    assert of_others() == {"DE*CPO": "SUSPENDED"}


def test_who_is_invited_again_is_offline_until_it_connects(hub: None, cpo: Registered) -> None:
    """R9.19: not PLANNED, for it was connected before."""
    cpo.client().delete(CREDENTIALS)
    registration.invite(cpo.platform.name)
    assert of_others() == {"DE*CPO": "OFFLINE"}


def test_a_party_that_never_connected_is_planned(hub: None) -> None:
    """R9.19"""
    platform = Platform.objects.create(name="Next year's partner")
    Party.objects.create(platform=platform, party="DE*NEW", role="CPO", name="New")
    directory.changed()
    assert of_others() == {"DE*NEW": "PLANNED"}


def test_a_party_that_is_gone_is_suspended_in_that_role(hub: None, fake_peer: Callable[..., FakePeer]) -> None:
    """R9.19, R4.6: a renewal that names it no more, or staff who remove one of ours."""
    peer = fake_peer(party="DE*CPO", role="CPO")
    registration.connect("Partner", peer.versions_url, peer.token)
    role = {**peer.credentials()["roles"][0], "party_id": "TWO"}
    assert PartnerClient(peer.ours).put(CREDENTIALS, peer.credentials(roles=[role])).codes == (200, 1000)
    assert of_others() == {"DE*CPO": "SUSPENDED", "DE*TWO": "CONNECTED"}
    Party.objects.filter(party="NL*OSP").delete()
    directory.changed()
    assert told()["NL*OSP", "EMSP"] == "SUSPENDED"


def test_last_updated_changes_only_with_the_status(hub: None, cpo: Registered) -> None:
    """R9.18, trap 33"""
    before = moments()
    directory.changed()
    ensure_own_parties()
    assert presence.refresh() == 0 and moments() == before
    cpo.client().delete(CREDENTIALS)
    after = moments()
    assert after.pop("DE*CPO") > before.pop("DE*CPO") and after == before


def test_a_clock_that_was_set_back_does_not_make_news_old(hub: None, cpo: Registered) -> None:
    """R9.18: receivers go by last_updated."""
    tomorrow = timezone.now() + timedelta(days=1)
    client_infos.put(Arrival(client_info(party_id="CPO", role="CPO", last_updated=times.format(tomorrow))), None)
    cpo.client().delete(CREDENTIALS)
    assert of_others() == {"DE*CPO": "SUSPENDED"}
    assert moments()["DE*CPO"] > tomorrow


def test_a_change_that_is_rolled_back_is_not_told(hub: None, cpo: Registered) -> None:
    """DESIGN section 2.5"""
    with pytest.raises(RuntimeError), transaction.atomic():
        Platform.objects.update(state=Platform.State.SUSPENDED)
        directory.changed()
        raise RuntimeError
    assert of_others() == {"DE*CPO": "CONNECTED"}


def test_what_got_lost_is_repaired_by_beat_and_at_start(hub: None, cpo: Registered) -> None:
    """DESIGN section 2.5: a process may die between two transactions."""
    for repair in (tasks.wake_lanes, presence.refresh):
        ClientInfo.objects.all().delete()
        repair()
        assert of_others() == {"DE*CPO": "CONNECTED"}


def test_what_other_hubs_tell_is_left_alone(hub: None) -> None:
    """R9.18"""
    other = register("HUB:BE*HUB")
    theirs = client_info(status="OFFLINE")
    other.client().put(f"{RECEIVER}/hubclientinfo/DE/MSP", theirs)
    directory.changed()
    assert [row.status for row in ClientInfo.objects.filter(owner="DE*MSP")] == ["OFFLINE"]


def test_registrations_side_by_side_are_all_told(threaded_db: None, hub: None) -> None:
    """R9.19: whatever order they commit in, what is told last is true."""

    def come_and_go(number: int) -> None:
        try:
            client = register(f"CPO:DE*C{number:02}").client()
            if number % 2:
                client.delete(CREDENTIALS)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(come_and_go, range(12)))
    assert of_others() == {f"DE*C{number:02}": "SUSPENDED" if number % 2 else "CONNECTED" for number in range(12)}


# --- whom it is told ------------------------------------------------------------------------------------------------


def connect(peer: FakePeer) -> Registered:
    registered = register(f"{peer.role}:{peer.party}", endpoints=peer.endpoints(), outbound_token=peer.token)
    settle()
    return registered


@pytest.fixture
def peer(fake_peer: Callable[..., FakePeer]) -> FakePeer:
    return fake_peer(party="DE*CPO", role="CPO", modules=(*ALL_MODULES, "hubclientinfo"))


def test_everybody_connected_is_pushed_what_is_told(hub: None, peer: FakePeer) -> None:
    """R9.20, R9.21, R3.6, trap 23: by PUT, without routing headers; of itself too, as the list has it."""
    connect(peer)
    drain()
    requests = peer.requested("PUT")
    assert {request.path for request in requests} == {
        f"/2.2.1/receiver/hubclientinfo/{party}" for party in ("NL/OCP", "NL/OSP", "DE/CPO")
    }
    assert all(request.routing.to is None and request.routing.from_ is None for request in requests)
    assert {request.document["status"] for request in requests} == {"CONNECTED"}


def test_a_change_is_pushed_and_nothing_else(hub: None, peer: FakePeer, emsp: Registered) -> None:
    """R9.20"""
    connect(peer)
    drain()
    before = len(peer.requested("PUT"))
    emsp.client().delete(CREDENTIALS)
    drain()
    (request,) = peer.requested("PUT")[before:]
    assert request.path == "/2.2.1/receiver/hubclientinfo/DE/MSP"
    assert request.document["status"] == "SUSPENDED"


def test_what_another_hub_told_is_not_passed_on(hub: None, peer: FakePeer) -> None:
    """R9.18: its parties are not connected to us."""
    other = register("HUB:BE*HUB").client()
    other.put(f"{RECEIVER}/hubclientinfo/AT/MSP", client_info(country_code="AT"))
    connect(peer)
    drain()
    assert not peer.requested("PUT", "AT/MSP")


def test_who_has_no_receiver_for_it_is_not_pushed(hub: None, fake_peer: Callable[..., FakePeer]) -> None:
    """R8.10"""
    peer = fake_peer(party="DE*CPO", role="CPO")
    connect(peer)
    drain()
    assert not peer.requested("PUT")


# --- from real traffic ----------------------------------------------------------------------------------------------


def test_who_is_offline_is_told_so_and_never_removed(hub: None, cpo: Registered) -> None:
    """R9.19, trap 33"""
    breaker.trip(cpo.platform.pk, "no answer")
    assert of_others() == {"DE*CPO": "OFFLINE"}
    breaker.close(cpo.platform.pk)
    assert of_others() == {"DE*CPO": "CONNECTED"}


def test_who_is_suspended_while_offline_is_suspended(hub: None, cpo: Registered) -> None:
    """R9.19"""
    breaker.trip(cpo.platform.pk, "no answer")
    Platform.objects.update(state=Platform.State.SUSPENDED)
    directory.changed()
    assert of_others() == {"DE*CPO": "SUSPENDED"}


def test_going_and_coming_back_is_pushed_to_the_others(
    hub: None, peer: FakePeer, fake_peer: Callable[..., FakePeer]
) -> None:
    """R8.9, R9.19, R9.20: a quiet platform that does not answer its probe, and then does."""
    gone = fake_peer(party="DE*MSP", role="EMSP")
    quiet = register("EMSP:DE*MSP", outbound_token=gone.token, versions_url=gone.versions_url).platform
    connect(peer)
    Platform.objects.filter(pk=quiet.pk).update(connected_at=timezone.now() - timedelta(hours=1))
    drain()
    before = len(peer.requested("PUT"))
    gone.misbehave(misbehaviour.hangs_up())
    for status in ("OFFLINE", "CONNECTED"):
        Platform.objects.filter(pk=quiet.pk).update(probe_at=None)
        assert tasks.probe_due() is None
        drain()
        (request,) = peer.requested("PUT")[before:]
        assert request.path == "/2.2.1/receiver/hubclientinfo/DE/MSP"
        assert request.document["status"] == status
        before += 1
        gone.behave()
    assert len(gone.requested("GET", "/versions")) == 2
