"""Pulling a partner's Locations: deltas, everything, and what survives."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from ocpi.models import Location, ObjectCount
from ocpi.types import codec, times
from ocpi.v221.versions import ModuleID
from roaming import directory
from roaming.models import Party
from roaming.pull_models import PullCursor, QuarantinedObject
from roaming.sync import cursors, pull
from tests.kit.objects import location, without
from tests.kit.peer import circular_link, drips, fails, garbage, redirects, slow
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)
LOCATIONS = ModuleID.LOCATIONS


def theirs(**changes):
    return location(**{"country_code": "DE", "party_id": "CPO", **changes})


@pytest.fixture
def peer(fake_peer):
    return fake_peer(party="DE*CPO", role="CPO")


@pytest.fixture
def platform(peer):
    return register("CPO:DE*CPO", endpoints=peer.endpoints(), outbound_token=peer.token).platform


def run(platform, **options):
    return pull.pull(platform, LOCATIONS, **options)


def test_every_page_is_stored_exactly(peer, platform):
    peer.page_limit = 2
    peer.objects["locations"] = [theirs(id=f"L{number}", unknown={"x": [None, {}]}) for number in range(5)]
    done = run(platform)
    assert (done.pages, done.created, done.quarantined, done.error) == (3, 5, 0, "")
    stored = [codec.decode(row.document.encode()) for row in Location.objects.order_by("id")]
    assert stored == peer.objects["locations"]
    assert ObjectCount.objects.get(owner="DE*CPO").count == 5


def test_the_request_names_both_parties_and_asks_for_large_pages(peer, platform):
    run(platform)
    (request,) = peer.requested("GET", "locations")
    assert (request.routing.to, request.routing.from_) == ("DE*CPO", "NL*OSP")
    assert request.query == {"limit": str(pull.PAGE)}


def test_the_second_pull_asks_for_what_changed_since_the_first_with_an_overlap(peer, platform):
    peer.objects["locations"] = [theirs()]
    first = run(platform)
    second = run(platform)
    assert second.date_from == first.started_at - cursors.OVERLAP
    assert not second.full


def test_a_delta_asks_for_what_changed_until_its_start_and_the_whole_list_for_all(peer, platform):
    """R5.1: so that a delta ends; of a whole list nothing may be missing because it just changed."""
    run(platform)
    second = run(platform)
    first_request, second_request = peer.requested("GET", "locations")
    assert first_request.query.keys() == {"limit"}
    asked = [times.parse(second_request.query[name]) for name in ("date_from", "date_to")]
    assert [second.date_from - asked[0], second.started_at - asked[1]] < [timedelta(milliseconds=1)] * 2


def test_a_full_pull_asks_for_everything_and_finds_nothing_new(peer, platform):
    peer.objects["locations"] = [theirs()]
    run(platform)
    again = run(platform, full=True)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 1)
    assert "date_from" not in peer.requested("GET", "locations")[-1].query


def test_bad_objects_are_quarantined_with_pointers_and_the_page_survives(peer, platform):
    peer.objects["locations"] = [
        theirs(id="GOOD"),
        without(theirs(id="NO-COUNTRY"), "country"),
        theirs(id="X" * 37),
        "not even an object",
        theirs(id="ODD", name="n" * 300, parking_type="ON_THE_MOON"),
    ]
    done = run(platform)
    assert (done.created, done.quarantined) == (2, 3)
    assert set(Location.objects.values_list("key", flat=True)) == {"good", "odd"}
    kept = {row.identity: codec.decode(row.defects.encode()) for row in QuarantinedObject.objects.all()}
    assert kept["DE*CPO*NO-COUNTRY"][0]["pointer"] == "/country"
    assert codec.decode(Location.objects.get(key="odd").defects.encode())


def test_a_quarantined_object_is_released_by_its_next_usable_version(peer, platform):
    peer.objects["locations"] = [without(theirs(), "country")]
    run(platform)
    peer.objects["locations"] = [theirs()]
    done = run(platform, full=True)
    assert done.created == 1
    assert not QuarantinedObject.objects.exists()


def test_objects_of_a_party_that_is_not_the_platforms_are_not_taken(peer, platform):
    peer.objects["locations"] = [theirs(), location(id="OURS"), theirs(country_code="FR", party_id="XXX")]
    done = run(platform)
    assert (done.created, done.quarantined) == (1, 2)
    assert Location.objects.get().owner == "DE*CPO"


def test_a_hub_may_deliver_objects_of_parties_that_nobody_else_holds(fake_peer):
    peer = fake_peer(party="NL*HUB", role="HUB")
    platform = register("HUB:NL*HUB", endpoints=peer.endpoints(), outbound_token=peer.token).platform
    register("CPO:FR*DIR")
    peer.objects["locations"] = [theirs(), theirs(country_code="FR", party_id="DIR"), location(id="OURS")]
    done = run(platform)
    assert (done.created, done.quarantined) == (1, 2)
    request = peer.requested("GET", "locations")[0]
    assert (request.routing.to, request.routing.from_) == ("NL*HUB", "NL*OSP")


@pytest.mark.parametrize("behaviour", [fails(500), garbage(), redirects(), drips(0.2), garbage(b'{"data": []}')])
def test_a_failing_partner_ends_the_run_with_the_reason_and_the_cursor_stays(peer, platform, behaviour):
    peer.objects["locations"] = [theirs()]
    run(platform)
    before = PullCursor.objects.get().date_from
    peer.misbehave(behaviour, path="locations")
    failed = run(platform)
    assert failed.error and failed.finished_at
    assert PullCursor.objects.get().date_from == before
    platform.refresh_from_db()
    assert platform.last_error == failed.error and platform.failures == 1


def test_what_came_before_a_failure_is_kept(peer, platform):
    peer.page_limit = 2
    peer.objects["locations"] = [theirs(id=f"L{number}") for number in range(6)]
    peer.misbehave(fails(500), path="locations", count=10_000)
    peer.behave()
    peer.misbehave(lambda scripted, request: fails(500)(scripted, request) if "offset" in request.query else
                   scripted.answer(request), path="locations")  # fmt: skip
    failed = run(platform)
    assert failed.error and failed.created == 2
    assert Location.objects.count() == 2


def test_links_that_go_in_circles_end(peer, platform):
    peer.objects["locations"] = [theirs()]
    peer.misbehave(circular_link(), path="locations")
    assert "leads back" in run(platform).error


def test_only_modules_that_somebody_offers_and_we_consume_are_pulled(fake_peer, platform):
    assert pull.may_pull(platform, LOCATIONS)
    emsp = fake_peer(party="DE*MSP", role="EMSP")
    other = register("EMSP:DE*MSP", endpoints=emsp.endpoints(), outbound_token=emsp.token).platform
    assert not pull.may_pull(other, LOCATIONS)
    Party.objects.filter(platform=None, role="EMSP").delete()
    directory.changed()
    assert not pull.may_pull(platform, LOCATIONS), "a pure CPO node has no use for them"


def test_progress_is_told_with_the_partners_total(peer, platform):
    peer.page_limit = 2
    peer.objects["locations"] = [theirs(id=f"L{number}") for number in range(3)]
    told = []
    run(platform, progress=lambda done, total: told.append((done, total)))
    assert told == [(2, 3), (3, 3)]


def test_two_pulls_of_one_module_do_not_run_at_once(peer, platform):
    run(platform)
    soon = timezone.now() + timedelta(minutes=1)
    PullCursor.objects.update(claimed_until=soon)
    with pytest.raises(pull.UnderWay):
        run(platform)
    assert PullCursor.objects.get().claimed_until == soon, "the claim of the other run stays"


@pytest.mark.parametrize("behaviour", [None, fails(500)])
def test_the_claim_ends_with_the_run_however_it_ends(peer, platform, behaviour):
    if behaviour:
        peer.misbehave(behaviour)
    run(platform)
    assert PullCursor.objects.get().claimed_until is None


def test_the_claim_of_a_run_that_died_ends_by_itself(peer, platform):
    PullCursor.objects.create(platform=platform, module="locations", claimed_until=timezone.now())
    assert run(platform).error == ""


def test_of_two_workers_that_begin_at_once_one_pulls(threaded_db, peer, platform):
    """DESIGN section 2.5: the claim is one conditional statement."""
    peer.objects["locations"] = [theirs(id=f"L{number}") for number in range(20)]
    peer.misbehave(slow(0.3), path="locations")
    gate = threading.Barrier(4)

    def attempt(_):
        try:
            gate.wait()
            return run(platform).error
        except cursors.UnderWay:
            return "under way"
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == ["", "under way", "under way", "under way"]
    assert len(peer.requested("GET", "locations")) == 1
