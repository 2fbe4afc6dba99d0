"""A lane brings one platform up to date: what it sends, in whose name, and what it does when that fails."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from ocpi.store.locations import Path, locations
from ocpi.store.objects import Arrival
from roaming import directory
from roaming.delivery import desk, lanes
from roaming.delivery_models import Delivery, Lane
from roaming.models import Party, Platform
from tests.kit.lanes import drain, settle, wait_out
from tests.kit.objects import evse, location, minutes_after_noon
from tests.kit.peer import enveloped, fails, hangs_up, slow
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)


def become_hub():
    Party.objects.create(party="NL*HUB", role="HUB", name="Example Hub")
    directory.changed()


def connect(peer, name="Partner"):
    registered = register(f"{peer.role}:{peer.party}", name=name, endpoints=peer.endpoints(), outbound_token=peer.token)
    settle()
    return registered


def store(*documents, source=None):
    locations.put_many([Arrival(document) for document in documents], source=source)


def drain_one():
    (done,) = drain().values()
    return done


def test_own_locations_are_put_to_a_platform_that_consumes_them_in_the_owners_name(fake_peer):
    peer = fake_peer(party="DE*MSP", role="EMSP")
    connect(peer)
    store(location(id="A"), location(id="B b"))
    done = drain_one()
    assert (done.sent, done.refused, done.error) == (2, 0, "")
    assert peer.received == {"locations/NL/OCP/A": location(id="A"), "locations/NL/OCP/B b": location(id="B b")}
    for request in peer.requested("PUT"):
        assert (request.routing.to, request.routing.from_) == ("DE*MSP", "NL*OCP")


def test_a_request_has_ids_content_type_and_the_token_the_platform_gave_us(fake_peer):
    peer = fake_peer()
    connect(peer)
    store(location(id="A"), location(id="B"))
    drain()
    first, second = peer.requested("PUT")
    assert first.headers["Content-Type"] == "application/json"
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
    assert first.headers["X-Correlation-ID"] == second.headers["X-Correlation-ID"]


def test_ten_changes_of_an_object_are_one_send_of_its_last_state(fake_peer):
    """R1.21"""
    peer = fake_peer()
    connect(peer)
    for minute in range(10):
        store(location(name=f"Name {minute}", last_updated=minutes_after_noon(minute)))
    drain()
    assert [request.document["name"] for request in peer.requested("PUT")] == ["Name 9"]


def test_an_empty_lane_sends_nothing(fake_peer):
    peer = fake_peer()
    connect(peer)
    store(location())
    drain()
    drain()
    assert len(peer.requested("PUT")) == 1


def test_a_live_status_is_in_what_is_sent(fake_peer):
    peer = fake_peer()
    connect(peer)
    store(location(evses=[evse(uid="E1", status="AVAILABLE")]))
    path = Path(Arrival(location()).owner, "LOC-1", "E1")
    change = {"status": "CHARGING", "last_updated": minutes_after_noon(5)}
    locations.patch_part(path, change, None, lambda document: [])
    drain()
    (sent,) = peer.received.values()
    assert sent["evses"][0]["status"] == "CHARGING"
    assert sent["last_updated"] == minutes_after_noon(5)


def test_a_cpo_is_not_sent_locations(fake_peer):
    connect(fake_peer(party="DE*CPO", role="CPO"))
    store(location())
    assert lanes.due() == []


def test_partners_locations_are_not_sent_on_by_a_node_that_is_no_hub(fake_peer):
    peer = fake_peer()
    connect(peer)
    cpo = register("CPO:FR*CPO")
    store(location(country_code="FR", party_id="CPO"), source=cpo.platform.pk)
    drain()
    assert peer.received == {}


def test_a_hub_broadcasts_in_its_own_name_and_keeps_the_owner_in_the_url(fake_peer):
    become_hub()
    peer = fake_peer(party="DE*MSP", role="EMSP")
    connect(peer)
    cpo = register("CPO:FR*CPO")
    store(location(country_code="FR", party_id="CPO"), source=cpo.platform.pk)
    drain()
    (request,) = peer.requested("PUT")
    assert request.path == "/2.2.1/receiver/locations/FR/CPO/LOC-1"
    assert (request.routing.to, request.routing.from_) == ("DE*MSP", "NL*HUB")


def test_a_hub_never_sends_an_object_back_to_where_it_came_from(fake_peer):
    become_hub()
    peer = fake_peer(party="DE*MSP", role="EMSP")
    registered = connect(peer)
    store(location(country_code="FR", party_id="CPO"), source=registered.platform.pk)
    done = drain_one()
    assert done.sent == 0 and peer.requests == []


def test_a_refused_object_is_remembered_and_does_not_stop_the_others(fake_peer):
    peer = fake_peer()
    connect(peer)
    peer.misbehave(enveloped_refusal(), method="PUT", path="/BAD")
    store(location(id="A"), location(id="BAD"), location(id="C"))
    done = drain_one()
    assert (done.sent, done.refused, done.error) == (2, 1, "")
    refused: Any = desk.with_subjects(Delivery.objects.filter(attempts__gt=0)).get()
    assert (refused.owner, refused.key, refused.attempts, refused.image) == ("NL*OCP", "bad", 1, "")
    assert "2001" in refused.error and refused.request.startswith(f"PUT {peer.url}")


def enveloped_refusal():
    return lambda peer, request: enveloped(code=2001)


def test_a_refused_object_is_tried_again_when_its_time_has_come_and_then_forgotten(fake_peer):
    peer = fake_peer()
    connect(peer)
    peer.misbehave(enveloped_refusal(), method="PUT", count=1)
    store(location())
    drain()
    drain()
    assert len(peer.requested("PUT")) == 1, "not before its time"
    wait_out()
    drain()
    assert len(peer.requested("PUT")) == 2
    assert not Delivery.objects.filter(attempts__gt=0).exists()


@pytest.mark.parametrize("behaviour", [fails(500), fails(502), hangs_up(), slow(5)])
def test_a_platform_that_cannot_be_used_stops_the_lane_where_it_stands(fake_peer, behaviour):
    peer = fake_peer()
    registered = connect(peer)
    store(location(id="A"))
    drain()
    peer.misbehave(behaviour, method="PUT")
    store(location(id="B"), location(id="C"))
    done = drain_one()
    assert done.sent == 0 and done.error
    platform = Platform.objects.get(pk=registered.platform.pk)
    assert platform.failures == 1 and platform.last_error == done.error
    assert lanes.due() == [], "not before the pause is over"
    peer.behave()
    wait_out()
    done = drain_one()
    assert (done.sent, done.error) == (2, "")
    assert set(peer.received) == {"locations/NL/OCP/A", "locations/NL/OCP/B", "locations/NL/OCP/C"}
    assert Platform.objects.get(pk=registered.platform.pk).failures == 0


def test_one_broken_platform_does_not_hold_up_another(fake_peer):
    """R8.8"""
    broken, sound = fake_peer(party="DE*BAD", role="EMSP"), fake_peer(party="DE*MSP", role="EMSP")
    connect(broken, "broken")
    connect(sound, "sound")
    broken.misbehave(hangs_up())
    store(location())
    drain()
    assert sound.received and not broken.received


def test_only_one_worker_is_in_a_lane(fake_peer):
    connect(fake_peer())
    store(location())
    (platform_id,) = lanes.due()
    Lane.objects.create(platform_id=platform_id, claimed_until=timezone.now() + timedelta(minutes=1))
    assert lanes.drain(platform_id).sent == 0
    assert lanes.wake() == []
    assert Lane.objects.get().knocks == 2, "who is in it looks once more"


def test_one_worker_is_sent_to_a_lane_until_it_is_there_or_late(fake_peer):
    platform_id = connect(fake_peer()).platform.pk
    Lane.objects.create(platform_id=platform_id)
    store(location())
    assert lanes.wake() == [platform_id]
    assert lanes.wake() == []
    Lane.objects.update(called_until=timezone.now())
    assert lanes.wake() == [platform_id], "the queue was lost"
    lanes.drain(platform_id)
    store(location(name="Another name"))
    assert lanes.wake() == [platform_id]


def test_a_lane_whose_worker_died_is_free_again_after_its_claim():
    platform = register("EMSP:DE*MSP", endpoints={("locations", "RECEIVER"): "https://partner.example/l"}).platform
    settle()
    store(location())
    Lane.objects.create(platform=platform, claimed_until=timezone.now() - timedelta(seconds=1))
    assert lanes.due() == [platform.pk]


def test_a_platform_that_has_just_registered_is_given_a_moment(fake_peer):
    peer = fake_peer()
    register("EMSP:DE*MSP", endpoints=peer.endpoints(), outbound_token=peer.token)
    store(location())
    assert lanes.due() == []


def test_a_suspended_platform_is_sent_nothing(fake_peer):
    registered = connect(fake_peer())
    store(location())
    Platform.objects.filter(pk=registered.platform.pk).update(state=Platform.State.SUSPENDED)
    directory.changed()
    assert lanes.due() == []
