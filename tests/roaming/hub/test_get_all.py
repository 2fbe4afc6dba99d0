"""GET All: merged from what the hub holds, whoever brought it, for those whose role and agreements allow it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.store.catalogue import STORES
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.v221.versions import ModuleID
from roaming import directory, freshness, tasks
from roaming.agreement_models import Agreement
from roaming.models import Party, Platform
from roaming.pull_models import SyncRun
from roaming.sync import pull
from tests.kit.caller import SENDER, SENDER_LOCATIONS, Answer, PartnerClient
from tests.kit.lanes import drain, settle
from tests.kit.objects import location, minutes_after_noon, tariff, token
from tests.kit.peer import FakePeer
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[..., FakePeer]
PULLED = (ModuleID.LOCATIONS, ModuleID.TARIFFS)
CPOS = ("BE*CPO", "DE*CPO", "NL*CPO")


@pytest.fixture(autouse=True)
def hub(transactional_db: None) -> None:
    """A hub that holds two Locations of each of three CPOs."""
    Party.objects.filter(platform=None).delete()
    Party.objects.create(party="NL*HUB", role="HUB", name="Example Hub")
    directory.changed()
    for minute, number in enumerate(("1", "2")):
        for owner in map(PartyId, CPOS):
            store(owner, location(id=number, last_updated=minutes_after_noon(minute)))


def store(owner: str, document: dict[str, Any], module: ModuleID = ModuleID.LOCATIONS) -> None:
    owned = {**document, "country_code": owner[:2], "party_id": owner[3:]}
    STORES[module].put_many([Arrival(owned)], source=0)


def reader(*parties: str, from_: str | None = None) -> PartnerClient:
    return register(*parties).client(to="NL*HUB", from_=from_)


def owners(answer: Answer) -> list[str]:
    return [f"{found['country_code']}*{found['party_id']}" for found in answer.data]


def total(answer: Answer) -> int:
    return int(answer.headers["X-Total-Count"])


@pytest.mark.parametrize(
    ("role", "count"), [("EMSP", 6), ("NSP", 6), ("NAP", 6), ("SCSP", 6), ("OTHER", 6), ("CPO", 0)]
)
def test_locations_are_shown_to_the_roles_that_consume_them(role: str, count: int) -> None:
    """R7.10: a CPO has no use for other CPOs' Locations, and no right to them."""
    answer = reader(f"{role}:FR*NEW").get(SENDER_LOCATIONS)
    assert (answer.codes, len(answer.data), total(answer)) == ((200, 1000), count, count)


@pytest.mark.parametrize(("role", "count"), [("CPO", 1), ("EMSP", 0)])
def test_tokens_are_shown_to_cpos_alone(role: str, count: int) -> None:
    store("FR*MSP", token(), ModuleID.TOKENS)
    assert len(reader(f"{role}:FR*NEW").get(f"{SENDER}/tokens").data) == count


def test_a_hub_is_shown_everything() -> None:
    assert len(reader("HUB:FR*HUB").get(SENDER_LOCATIONS).data) == 6


def test_of_several_parties_the_one_that_asks_decides() -> None:
    both = register("CPO:FR*CPO", "EMSP:FR*MSP")
    assert len(both.client(to="NL*HUB", from_="FR*MSP").get(SENDER_LOCATIONS).data) == 6
    assert both.client(to="NL*HUB", from_="FR*CPO").get(SENDER_LOCATIONS).data == []
    assert len(both.client(to="NL*HUB").get(SENDER_LOCATIONS).data) == 6


@pytest.mark.parametrize(("required", "seen"), [(False, ["BE*CPO", "NL*CPO"]), (True, ["NL*CPO"])])
def test_objects_are_left_out_that_no_agreement_allows_and_the_total_is_exact(
    settings: Any, required: bool, seen: list[str]
) -> None:
    settings.NODE_AGREEMENTS_REQUIRED = required
    Agreement.objects.create(party_a="DE*CPO", party_b="FR*MSP", modules=["cdrs"])
    Agreement.objects.create(party_a="FR*MSP", party_b="NL*CPO", modules=["locations", "tariffs"])
    answer = reader("EMSP:FR*MSP").get(SENDER_LOCATIONS)
    assert sorted(set(owners(answer))) == seen
    assert total(answer) == len(answer.data) == 2 * len(seen)


def test_one_object_is_not_shown_either_that_no_agreement_allows() -> None:
    Agreement.objects.create(party_a="DE*CPO", party_b="FR*MSP", modules=["cdrs"])
    store("DE*CPO", location(id="ONLY"))
    assert reader("EMSP:FR*MSP").get(f"{SENDER_LOCATIONS}/ONLY").codes == (404, 2003)
    assert reader("EMSP:FR*OTH").get(f"{SENDER_LOCATIONS}/ONLY").codes == (200, 1000)


def test_pages_stay_what_they_were_when_objects_change_meanwhile() -> None:
    """R1.9: crawled by Link."""
    client = reader("EMSP:FR*MSP")
    first = client.get(SENDER_LOCATIONS, {"limit": 4})
    store("BE*CPO", location(id="1", last_updated=minutes_after_noon(9)))
    store("AT*CPO", location(id="9", last_updated=minutes_after_noon(9)))
    assert first.next_url
    second = client.get(first.next_url)
    assert owners(first) + owners(second) == [*CPOS, *CPOS, "AT*CPO"]
    assert (total(first), total(second)) == (6, 7)


def test_dates_filter_across_owners() -> None:
    Agreement.objects.create(party_a="DE*CPO", party_b="FR*MSP", modules=["cdrs"])
    answer = reader("EMSP:FR*MSP").get(SENDER_LOCATIONS, {"date_from": minutes_after_noon(1), "limit": 1})
    assert (owners(answer), total(answer)) == (["BE*CPO"], 2)


# --- where it comes from --------------------------------------------------------------------------------------------


@pytest.fixture
def cpo_peer(fake_peer: Start) -> FakePeer:
    """A CPO with a Location and a Tariff to be pulled."""
    peer = fake_peer(party="FR*CPO", role="CPO")
    peer.objects["locations"] = [location(country_code="FR", party_id="CPO", id="PULLED")]
    peer.objects["tariffs"] = [tariff(country_code="FR", party_id="CPO")]
    register("CPO:FR*CPO", name="CPO", endpoints=peer.endpoints(), outbound_token=peer.token)
    return peer


def test_a_hub_pulls_on_schedule_and_broadcasts_what_it_pulled(fake_peer: Start, cpo_peer: FakePeer) -> None:
    """R7.10, R7.4: a Location that is pulled is worth as much as one that is pushed."""
    emsp = fake_peer(party="FR*MSP", role="EMSP")
    registered = register("EMSP:FR*MSP", name="eMSP", endpoints=emsp.endpoints(), outbound_token=emsp.token)
    settle()
    platform = Platform.objects.get(name="CPO")
    assert {*PULLED} <= {*pull.due(platform)}
    tasks.pull_platform(platform.pk)
    drain()
    assert {"locations/FR/CPO/PULLED", f"tariffs/FR/CPO/{tariff()['id']}"} <= emsp.received.keys()
    assert "FR*CPO" in owners(registered.client(to="NL*HUB").get(SENDER_LOCATIONS))


def test_freshness_is_the_last_push_or_complete_pull(cpo_peer: FakePeer, capsys: pytest.CaptureFixture[str]) -> None:
    platform = Platform.objects.get(name="CPO")
    pull.pull(platform, ModuleID.LOCATIONS)
    SyncRun.objects.create(platform=platform, module="tariffs", error="no answer", finished_at=timezone.now())
    (found,) = freshness.of([platform])
    assert (found.platform, found.module, found.objects) == ("CPO", "locations", 1)
    assert found.received_at and found.pulled_at and found.confirmed_at == max(found.received_at, found.pulled_at)
    locations.put(Arrival(location(country_code="FR", party_id="CPO", id="PUSHED")), platform.pk)
    (pushed,) = freshness.of([platform])
    assert pushed.objects == 2 and pushed.confirmed_at and pushed.confirmed_at > found.confirmed_at
    SyncRun.objects.update(started_at=timezone.now() + timedelta(minutes=1))
    (pulled,) = freshness.of([platform])
    assert pulled.confirmed_at == pulled.pulled_at
    call_command("freshness", "--json")
    (reported,) = json.loads(capsys.readouterr().out)["sources"]
    assert (reported["module"], reported["objects"]) == ("locations", 2)


def test_what_an_agreement_lets_a_reader_see_appears_when_it_begins() -> None:
    """R8.2: what was decided for a request is forgotten by then, though nobody changes anything."""
    soon = timezone.now() + timedelta(seconds=1)
    Agreement.objects.create(party_a="DE*MSP", party_b="NL*CPO", modules=[], valid_from=soon)
    client = reader("EMSP:DE*MSP")

    def seen() -> Answer:
        return client.get(SENDER_LOCATIONS)

    while "NL*CPO" not in owners(answer := seen()):
        assert timezone.now() < soon or "NL*CPO" in owners(seen()), "remembered for too long"
    assert total(answer) == 6 and timezone.now() >= soon
