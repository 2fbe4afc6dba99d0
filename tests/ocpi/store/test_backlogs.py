"""How much of the change feed lies behind a place."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.models import EvseStatus, Location
from ocpi.store import revisions
from ocpi.store.backlogs import Backlog, Owners, Place, backlogs
from ocpi.store.locations import Path, locations
from ocpi.store.objects import Arrival
from ocpi.store.revisions import Position
from ocpi.store.scope import Scope
from tests.kit.objects import location, minutes_after_noon

pytestmark = pytest.mark.django_db

EVERYBODY = Scope.all_but([])
START = Position()


def put(*ids: str, source: int | None = None, party: str = "OCP") -> None:
    locations.put_many([Arrival(location(id=id, party_id=party)) for id in ids], source)


def behind(scope: Scope = EVERYBODY, since: Position = START, limit: int = 100) -> dict[int | None, int]:
    place = Place(scope, since)
    return {source: backlog.changes for source, backlog in backlogs(Location, [place], limit)[place].items()}


def test_changes_after_a_place_are_counted_by_where_they_came_from() -> None:
    put("A", "B", source=7)
    (end,) = revisions.ends([Location], unsettled=True)
    put("C")
    assert behind() == {7: 2, None: 1}
    assert behind(since=end) == {None: 1}
    assert behind(since=revisions.ends([Location], unsettled=True)[0]) == {}


def test_the_oldest_of_them_is_told() -> None:
    put("A", "B")
    moment = timezone.now() - timedelta(hours=1)
    Location.objects.filter(key="b").update(received_at=moment)
    place = Place(EVERYBODY, START)
    assert backlogs(Location, [place], 100) == {place: {None: Backlog(2, moment)}}


def test_only_what_is_in_the_scope_counts() -> None:
    put("A", "B")
    put("C", party="XXX")
    assert behind(Scope.only([PartyId("NL*XXX")])) == {None: 1}
    assert behind(Scope.all_but([PartyId("NL*XXX")])) == {None: 2}
    assert behind(Scope.only([])) == {}


def test_no_more_than_the_limit_is_looked_at() -> None:
    put("A", "B", "C")
    assert behind(limit=2) == {None: 2}


def test_changes_of_a_status_are_counted_by_evse() -> None:
    put("A")
    change = {"status": "CHARGING", "last_updated": minutes_after_noon(1)}
    for _ in range(2):
        locations.patch_part(Path(PartyId("NL*OCP"), "A", "EVSE-1"), change, None, lambda document: [])
    place = Place(EVERYBODY, START)
    assert backlogs(EvseStatus, [place], 100)[place][None].changes == 1


def test_each_place_has_what_lies_behind_it_also_when_others_stand_further_on() -> None:
    put("A", source=7)
    put("B", "C")
    ends = [revisions.change(row).position for row in Location.objects.order_by("revision")]
    own = Scope.only([PartyId("NL*OCP")])
    places = [Place(scope, since) for scope in (EVERYBODY, own) for since in (START, *ends)]
    found = backlogs(Location, places, 100)
    counts = [{source: backlog.changes for source, backlog in found[place].items()} for place in places]
    assert counts == 2 * [{7: 1, None: 2}, {None: 2}, {None: 1}, {}]


def test_places_by_the_hundred_are_answered_in_few_queries(django_assert_max_num_queries: Any) -> None:
    put("A")
    places = [Place(EVERYBODY, Position(0, -number)) for number in range(500)]
    with django_assert_max_num_queries(12):  # three, each with its transaction
        found = backlogs(Location, places, 100)
    assert [found[place][None].changes for place in places] == [1] * 500


def test_scopes_that_leave_out_others_in_vain_are_the_same() -> None:
    put("A")
    owners = Owners()
    assert owners.essence(Scope.all_but([PartyId("DE*MSP")]), "locations") == EVERYBODY
    own = Scope.all_but([PartyId("NL*OCP"), PartyId("DE*MSP")])
    assert owners.essence(own, "locations") == Scope.all_but([PartyId("NL*OCP")])
    assert owners.essence(own, "tariffs") == EVERYBODY
    only = Scope.only([PartyId("DE*MSP")])
    assert owners.essence(only, "locations") == only
