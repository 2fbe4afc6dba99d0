"""Crawling lists of partners that make odd use of paging, and going on where a crawl was cut."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from ocpi.models import Location
from ocpi.v221.versions import ModuleID
from roaming.models import Platform
from roaming.pull_models import PullCursor, SyncRun
from roaming.sync import cursors, pull
from roaming.sync.crawling import EMPTY_PAGES
from tests.kit.objects import Document, location, minutes_after_noon
from tests.kit.peer import Behaviour, FakePeer, Recorded, Reply, answers, enveloped, fails, garbage, hangs_up

pytestmark = pytest.mark.django_db(transaction=True)


def theirs(*numbers: int, **changes: Any) -> list[Document]:
    return [location(country_code="DE", party_id="CPO", id=f"L{number}", **changes) for number in numbers]


def run(platform: Platform, **options: Any) -> SyncRun:
    return pull.pull(platform, ModuleID.LOCATIONS, **options)


def held() -> set[str]:
    return set(Location.objects.values_list("key", flat=True))


def asked(peer: FakePeer) -> list[dict[str, str]]:
    return [request.query for request in peer.requested("GET", "locations")]


def at_offset(offset: int, behaviour: Behaviour) -> Behaviour:
    """Misbehaves at one page only."""
    return lambda peer, request: (
        behaviour(peer, request) if request.query.get("offset") == str(offset) else peer.answer(request)
    )


def linked(peer: FakePeer, items: list[Any], to: str | None, **headers: str) -> Reply:
    link = {"Link": f'<{peer.endpoint_url("locations", "SENDER")}?{to}>; rel="next"'} if to else {}
    return enveloped(items, **{name.replace("_", "-"): value for name, value in headers.items()}, **link)


# --- paging ---------------------------------------------------------------------------------------------------------


def test_empty_pages_with_a_link_are_passed_and_told(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    """R5.4: only the absence of Link ends a list."""

    def reply(peer: FakePeer, request: Recorded) -> Reply:
        page = int(request.query.get("page", 0))
        return linked(peer, theirs(page) if page in (0, 3) else [], f"page={page + 1}" if page < 3 else None)

    cpo_peer.misbehave(reply, path="locations")
    done = run(cpo_platform)
    assert held() == {"l0", "l3"} and done.error == "" and done.pages == 4
    assert "2 empty pages" in done.notes


def test_empty_pages_without_end_are_an_error(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    """DESIGN section 2.9"""

    def reply(peer: FakePeer, request: Recorded) -> Reply:
        return linked(peer, [], f"page={int(request.query.get('page', 0)) + 1}")

    cpo_peer.misbehave(reply, path="locations")
    assert "empty pages in a row" in run(cpo_platform).error
    assert len(asked(cpo_peer)) <= EMPTY_PAGES + 2


def test_pages_that_repeat_behind_ever_new_links_are_an_error(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    """DESIGN section 2.9: a Link that only looks as if it led on."""

    def reply(peer: FakePeer, request: Recorded) -> Reply:
        return linked(peer, theirs(1, 2), f"nonce={int(request.query.get('nonce', 0)) + 1}")

    cpo_peer.misbehave(reply, path="locations")
    assert "repeat" in run(cpo_platform).error
    assert held() == {"l1", "l2"} and len(asked(cpo_peer)) <= 3
    assert PullCursor.objects.get().date_from is None


def test_what_is_no_list_is_an_error_and_no_empty_list(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    """R1.9: an object where a list belongs says nothing about what has disappeared."""
    cpo_peer.misbehave(answers(enveloped({"not": "a list"})), path="locations")
    assert "no list" in run(cpo_platform).error


def test_the_next_run_asks_for_pages_no_larger_than_x_limit(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    """R5.2"""
    cpo_peer.page_limit = 7
    run(cpo_platform)
    run(cpo_platform)
    assert [query["limit"] for query in asked(cpo_peer)] == [str(pull.PAGE), "7"]


def test_objects_that_move_up_while_the_list_is_read_are_not_missed(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    """§transport_and_format_paginated_response: when the total falls, the page is read again from a lower offset."""
    cpo_peer.page_limit = 2
    cpo_peer.objects["locations"] = theirs(*range(8))

    def one_leaves(peer: FakePeer, request: Recorded) -> Reply:
        peer.objects["locations"].pop(0)
        return peer.answer(request)

    cpo_peer.misbehave(at_offset(2, one_leaves), path="locations", count=2)
    done = run(cpo_platform)
    assert held() >= {f"l{number}" for number in range(1, 8)}
    assert [query.get("offset") for query in asked(cpo_peer)].count("1") == 1
    assert done.error == ""


def test_an_object_that_comes_twice_does_no_harm(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    cpo_peer.page_limit = 2
    cpo_peer.objects["locations"] = theirs(1, 2, 2, 3)
    assert (run(cpo_platform).created, held()) == (3, {"l1", "l2", "l3"})


@pytest.mark.parametrize("said", ["1", "900", "many"])
def test_totals_that_lie_change_nothing_but_the_notes(cpo_peer: FakePeer, cpo_platform: Platform, said: str) -> None:
    """R5.3"""
    cpo_peer.misbehave(lambda peer, request: linked(peer, theirs(1, 2), None, X_Total_Count=said), path="locations")
    done = run(cpo_platform)
    assert (done.created, done.error) == (2, "")
    assert ("X-Total-Count says" in done.notes) is said.isdecimal()


# --- odd partners ---------------------------------------------------------------------------------------------------


def test_a_partner_that_ignores_date_from_is_found_out(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    """R5.1"""
    cpo_peer.objects["locations"] = theirs(*range(3))
    run(cpo_platform)
    everything = linked(cpo_peer, cpo_peer.objects["locations"], None)
    cpo_peer.misbehave(answers(everything), path="locations")
    done = run(cpo_platform)
    assert (done.unchanged, done.full) == (3, False)
    assert "date_from is not kept to: 3 of 3 objects are older" in done.notes


def test_a_partner_that_stamps_everything_anew_changes_nothing(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    """DESIGN section 2.4: what says the same is not sent to everybody again."""
    cpo_peer.objects["locations"] = theirs(*range(12))
    run(cpo_platform)
    before = list(Location.objects.values_list("revision", flat=True))
    cpo_peer.objects["locations"] = theirs(*range(12), last_updated=minutes_after_noon(5))
    done = run(cpo_platform, full=True)
    assert (done.updated, done.unchanged) == (0, 12)
    assert list(Location.objects.values_list("revision", flat=True)) == before
    assert "all 12 objects have the same last_updated" in done.notes


def test_what_really_changed_is_stored_whatever_the_stamps(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    cpo_peer.objects["locations"] = theirs(1, 2, 3)
    run(cpo_platform)
    cpo_peer.objects["locations"] = theirs(1, 2, last_updated=minutes_after_noon(5)) + theirs(
        3, last_updated=minutes_after_noon(5), name="New name"
    )
    done = run(cpo_platform, full=True)
    assert (done.updated, done.unchanged) == (1, 2)
    assert "New name" in Location.objects.get(key="l3").document


# --- going on -------------------------------------------------------------------------------------------------------


@pytest.fixture
def cut(cpo_peer: FakePeer, cpo_platform: Platform) -> SyncRun:
    """A whole crawl of three pages whose second was cut."""
    cpo_peer.page_limit = 2
    cpo_peer.objects["locations"] = theirs(*range(6))
    cpo_peer.misbehave(at_offset(2, fails(502)), path="locations")
    found = run(cpo_platform)
    cpo_peer.behave()
    cpo_peer.requests.clear()
    return found


def test_a_crawl_that_was_cut_goes_on_at_the_page_it_had_reached(
    cpo_peer: FakePeer, cpo_platform: Platform, cut: SyncRun
) -> None:
    """Demand 16: a large list comes to its end although its partner fails now and then."""
    assert (cut.error != "", cut.created) == (True, 2)
    done = run(cpo_platform)
    assert (done.resumed, done.full, done.created, done.error) == (True, True, 4, "")
    assert [query["offset"] for query in asked(cpo_peer)] == ["2", "4"]
    assert PullCursor.objects.get().date_from == cut.started_at, "as of the start of the crawl"


def test_after_an_hour_a_crawl_begins_anew(cpo_peer: FakePeer, cpo_platform: Platform, cut: SyncRun) -> None:
    PullCursor.objects.update(reached_at=timezone.now() - cursors.RESUMABLE)
    assert not run(cpo_platform).resumed
    assert len(asked(cpo_peer)) == 3


def test_a_place_that_leads_nowhere_is_given_up(cpo_peer: FakePeer, cpo_platform: Platform, cut: SyncRun) -> None:
    """A Link may die before we come back to it."""
    cpo_peer.misbehave(at_offset(2, fails(500)), path="locations", count=1)
    assert run(cpo_platform).error
    done = run(cpo_platform)
    assert (done.resumed, done.pages, done.error) == (False, 3, "")


def test_a_place_is_kept_while_nobody_is_there(cpo_peer: FakePeer, cpo_platform: Platform, cut: SyncRun) -> None:
    cpo_peer.misbehave(hangs_up(), path="locations")
    assert run(cpo_platform).error
    cpo_peer.behave()
    assert run(cpo_platform).resumed


def test_an_interrupted_crawl_is_resumed(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    """Ctrl-C, or a worker that is told to end."""
    cpo_peer.page_limit = 2
    cpo_peer.objects["locations"] = theirs(*range(6))

    def interrupted(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(cpo_platform, progress=interrupted)
    assert SyncRun.objects.get().error == "interrupted"
    done = run(cpo_platform)
    assert (done.resumed, done.created, Location.objects.count()) == (True, 4, 6)


def test_a_delta_that_was_cut_does_not_stand_for_everything(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    cpo_peer.page_limit = 2
    run(cpo_platform)
    cpo_peer.objects["locations"] = theirs(*range(6), last_updated="2096-01-01T00:00:00Z")
    PullCursor.objects.update(next_url=cpo_peer.endpoint_url("locations", "SENDER"), reached_at=timezone.now())
    PullCursor.objects.update(crawls_from=timezone.now())
    done = run(cpo_platform, full=True)
    assert (done.resumed, done.full, done.created) == (False, True, 6)


@pytest.mark.parametrize("behaviour", [garbage(), answers(enveloped(code=2001))])
def test_only_who_was_not_there_is_asked_for_the_same_page_again(
    cpo_peer: FakePeer, cpo_platform: Platform, behaviour: Behaviour
) -> None:
    cpo_peer.page_limit = 2
    cpo_peer.objects["locations"] = theirs(*range(6))
    cpo_peer.misbehave(at_offset(2, behaviour), path="locations")
    run(cpo_platform)
    assert PullCursor.objects.get().next_url == ""


def test_a_partner_that_asks_for_a_pause_gets_it(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    cpo_peer.misbehave(fails(429, Retry_After="1800"), path="locations")
    done = run(cpo_platform)
    assert done.next_run_at - done.finished_at >= timedelta(minutes=30)
    assert PullCursor.objects.get().next_run_at == done.next_run_at


def test_who_has_lost_the_claim_writes_nothing_more(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    """DESIGN section 2.5: a worker that was taken for dead must not overwrite what its successor knows."""
    cpo_peer.page_limit = 2
    cpo_peer.objects["locations"] = theirs(*range(6))
    soon = timezone.now() + timedelta(hours=9)

    def overtaken(done: int, total: int) -> None:
        PullCursor.objects.update(claimed_until=soon, next_url="theirs")

    with pytest.raises(cursors.UnderWay):
        run(cpo_platform, progress=overtaken)
    cursor = PullCursor.objects.get()
    assert (cursor.claimed_until, cursor.next_url, cursor.date_from) == (soon, "theirs", None)
    assert "another run" in SyncRun.objects.get().error


def test_a_fault_of_ours_leaves_the_cursor_where_it_was(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    cpo_peer.objects["locations"] = theirs(1)

    def breaks(done: int, total: int) -> None:
        raise RuntimeError("ours")

    with pytest.raises(RuntimeError):
        run(cpo_platform, progress=breaks)
    cursor = PullCursor.objects.get()
    assert (cursor.date_from, cursor.claimed_until) == (None, None)
    assert "of this node" in SyncRun.objects.get().error, "or it would be taken for complete"
