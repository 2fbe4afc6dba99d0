"""What a partner's whole list does not have any more: policies, the rule that keeps our map from being emptied."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from ocpi.models import Cdr, Location, Tariff, Token
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.types import codec, times
from ocpi.v221.versions import ModuleID
from roaming.models import Platform
from roaming.pull_models import MissingObject, PullCursor, SeenObject, SyncRun
from roaming.sync import pull
from tests.kit.objects import Document, cdr, evse, location, tariff, token, without
from tests.kit.peer import FakePeer, enveloped, fails
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)
LOCATIONS, TARIFFS = ModuleID.LOCATIONS, ModuleID.TARIFFS
Policy = PullCursor.Policy
ACCEPT = {"full": True, "accept": True}


def theirs(*numbers: int, make: Any = location) -> list[Document]:
    return [make(country_code="DE", party_id="CPO", id=f"L{number}") for number in numbers]


def run(platform: Platform, module: ModuleID = LOCATIONS, **options: Any) -> SyncRun:
    return pull.pull(platform, module, **({"full": True} | options))


def decide(policy: str, **changes: Any) -> None:
    PullCursor.objects.update(policy=policy, **changes)


def counts(done: SyncRun) -> tuple[int, int, int]:
    return done.disappeared, done.removed, done.withheld


def missed_for(**ago: int) -> None:
    """Nothing was heard of what is missing for as long."""
    Location.objects.update(received_at=timezone.now() - timedelta(days=99))
    MissingObject.objects.update(since=timezone.now() - timedelta(**ago))


def statuses(key: str) -> list[str]:
    (text,) = locations.texts([Location.objects.get(key=key).pk]).values()
    return [part["status"] for part in codec.decode(text.encode())["evses"]]


@pytest.fixture
def pulled(cpo_peer: FakePeer, cpo_platform: Platform) -> Platform:
    """A CPO from which five Locations were pulled; then the fifth disappeared."""
    cpo_peer.page_limit = 2
    cpo_peer.objects["locations"] = theirs(0, 1, 2, 3, 4)
    run(cpo_platform)
    del cpo_peer.objects["locations"][4]
    return cpo_platform


# --- policies -------------------------------------------------------------------------------------------------------


def test_what_is_to_be_removed_at_once_is_removed_by_its_evses(pulled: Platform) -> None:
    """Demand 21, §mod_locations_status_enum: REMOVED, with a last_updated that tells others."""
    decide(Policy.REMOVE)
    before = timezone.now()
    assert counts(run(pulled)) == (1, 1, 0)
    assert statuses("l4") == ["REMOVED"] and statuses("l3") == ["AVAILABLE"]
    row = Location.objects.get(key="l4")
    document = codec.decode(row.document.encode())
    assert times.parse(document["last_updated"]) >= before - timedelta(milliseconds=1)
    assert document["evses"][0]["last_updated"] == document["last_updated"]
    assert row.last_updated == times.parse(document["last_updated"])
    assert row.source == pulled.pk, "so that a hub does not tell whom it came from"


def test_a_grace_period_is_waited_for(pulled: Platform) -> None:
    """Demand 21: of the whole list of some nights a partner may have left something out."""
    decide(Policy.GRACE, grace_days=3)
    assert counts(run(pulled)) == (1, 0, 0)
    missed_for(days=2, hours=23)
    assert counts(run(pulled)) == (1, 0, 0) and statuses("l4") == ["AVAILABLE"]
    missed_for(days=3)
    assert counts(run(pulled)) == (1, 1, 0) and statuses("l4") == ["REMOVED"]


def test_what_is_kept_is_counted_every_night(pulled: Platform) -> None:
    decide(Policy.IGNORE)
    assert [counts(run(pulled)) for _ in range(2)] == [(1, 0, 0)] * 2
    assert statuses("l4") == ["AVAILABLE"]


def test_what_was_removed_is_missed_no_more(pulled: Platform) -> None:
    decide(Policy.REMOVE)
    run(pulled)
    revision = Location.objects.get(key="l4").revision
    assert counts(run(pulled)) == (0, 0, 0)
    assert Location.objects.get(key="l4").revision == revision


@pytest.mark.parametrize("policy", [Policy.REMOVE, Policy.IGNORE])
def test_what_appears_again_is_taken_back_as_it_comes(cpo_peer: FakePeer, pulled: Platform, policy: str) -> None:
    """Demand 21, with reappearance: however old its last_updated is."""
    decide(policy)
    run(pulled)
    cpo_peer.objects["locations"] += theirs(4)
    done = run(pulled)
    assert counts(done) == (0, 0, 0)
    assert statuses("l4") == ["AVAILABLE"] and not MissingObject.objects.exists()


def test_what_is_pushed_again_is_back_and_has_its_grace_again(pulled: Platform) -> None:
    """A push proves that it is there, whatever the list says."""
    decide(Policy.GRACE, grace_days=3)
    run(pulled)
    missed_for(days=9)
    locations.put(Arrival(theirs(4)[0] | {"name": "Still here"}), pulled.pk)
    assert counts(run(pulled)) == (1, 0, 0)
    assert MissingObject.objects.get().since > timezone.now() - timedelta(hours=1)


def test_tariffs_are_deleted(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    """§mod_tariffs_cpo_get_method: what the list does not have is no longer valid."""
    cpo_peer.objects["tariffs"] = theirs(0, 1, 2, make=tariff)
    run(cpo_platform, TARIFFS)
    decide(Policy.REMOVE)
    gone = cpo_peer.objects["tariffs"].pop()
    assert counts(run(cpo_platform, TARIFFS)) == (1, 1, 0)
    assert list(Tariff.objects.filter(deleted=True).values_list("key", flat=True)) == ["l2"]
    cpo_peer.objects["tariffs"].append(gone)
    assert run(cpo_platform, TARIFFS).created == 1


def test_tokens_become_invalid(fake_peer: Any) -> None:
    """§mod_tokens_flow_and_lifecycle: a Token is never deleted."""
    peer = fake_peer(party="DE*MSP", role="EMSP")
    platform = register("EMSP:DE*MSP", endpoints=peer.endpoints(), outbound_token=peer.token).platform
    owner = {"country_code": "DE", "party_id": "MSP"}
    peer.objects["tokens"] = [token(uid="A", **owner), token(uid="B", **owner), token(uid="C", **owner)]
    run(platform, ModuleID.TOKENS)
    decide(Policy.REMOVE)
    peer.objects["tokens"].pop(0)
    assert counts(run(platform, ModuleID.TOKENS)) == (1, 1, 0)
    assert list(Token.objects.filter(valid=False).values_list("uid", flat=True)) == ["a"]
    assert '"valid":false' in Token.objects.get(uid="a").document


def test_cdrs_never_disappear(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    """R9.8: nothing changes a CDR."""
    cpo_peer.objects["cdrs"] = theirs(0, 1, make=cdr)
    run(cpo_platform, ModuleID.CDRS)
    decide(Policy.REMOVE)
    cpo_peer.objects["cdrs"] = []
    assert counts(run(cpo_platform, ModuleID.CDRS, accept=True)) == (0, 0, 0)
    assert Cdr.objects.count() == 2


def test_evses_that_are_removed_already_stay_as_they_are(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    """A partner that removes a Location properly and then lists it no more."""
    (gone,) = theirs(9)
    gone["evses"] = [evse(status="REMOVED")]
    cpo_peer.objects["locations"] = [*theirs(0, 1), gone]
    run(cpo_platform)
    decide(Policy.REMOVE)
    revision = Location.objects.get(key="l9").revision
    cpo_peer.objects["locations"].pop()
    run(cpo_platform)
    assert Location.objects.get(key="l9").revision == revision


# --- whose objects --------------------------------------------------------------------------------------------------


def test_a_delta_says_nothing_about_what_has_disappeared(pulled: Platform) -> None:
    decide(Policy.REMOVE)
    assert counts(run(pulled, full=False)) == (0, 0, 0)
    assert statuses("l4") == ["AVAILABLE"]


def test_only_what_came_from_the_platform_can_disappear_from_its_list(pulled: Platform) -> None:
    decide(Policy.REMOVE)
    other = register("CPO:FR*CPO").platform
    locations.put(Arrival(location(country_code="FR", party_id="CPO")), other.pk)
    locations.put(Arrival(location()), None)
    assert counts(run(pulled)) == (1, 1, 0)


def test_what_is_pushed_while_the_list_is_read_has_not_disappeared(cpo_peer: FakePeer, pulled: Platform) -> None:
    decide(Policy.REMOVE)
    new = Arrival(theirs(77)[0])
    done = run(pulled, progress=lambda done, total: locations.put(new, pulled.pk))
    assert counts(done) == (1, 1, 0) and statuses("l77") == ["AVAILABLE"]


def test_an_object_that_comes_broken_has_not_disappeared(cpo_peer: FakePeer, pulled: Platform) -> None:
    """Demand 18: it is on the list, if only we could read it."""
    decide(Policy.REMOVE)
    cpo_peer.objects["locations"] += [without(theirs(4)[0], "country")]
    done = run(pulled)
    assert (done.quarantined, *counts(done)) == (1, 0, 0, 0)


# --- safety ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def many(cpo_peer: FakePeer, cpo_platform: Platform) -> Platform:
    """A CPO from which thirty Locations were pulled; what disappears goes at once."""
    cpo_peer.objects["locations"] = theirs(*range(30))
    run(cpo_platform)
    decide(Policy.REMOVE)
    return cpo_platform


def removed() -> int:
    return sum("REMOVED" in row.document for row in Location.objects.all())


@pytest.mark.parametrize(("left", "gone"), [(20, 10), (19, 0), (0, 0)])
def test_more_than_ten_and_a_third_are_not_removed(cpo_peer: FakePeer, many: Platform, left: int, gone: int) -> None:
    """A partner's fault must not empty our map."""
    cpo_peer.objects["locations"] = theirs(*range(left))
    done = run(many)
    assert counts(done) == (30 - left, gone, 0 if gone else 30 - left) and removed() == gone
    assert ("more than a third" in done.notes) is (gone == 0)


def test_ten_may_go_whatever_share_they_are(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    cpo_peer.objects["locations"] = theirs(*range(10))
    run(cpo_platform)
    decide(Policy.REMOVE)
    cpo_peer.objects["locations"] = []
    assert counts(run(cpo_platform)) == (10, 10, 0)


def test_staff_may_say_that_what_is_missing_is_gone(cpo_peer: FakePeer, many: Platform) -> None:
    """Also before its grace is over; and that is said of one list only."""
    decide(Policy.GRACE)
    cpo_peer.objects["locations"] = []
    assert counts(run(many, accept=True)) == (30, 30, 0) and removed() == 30
    cpo_peer.objects["locations"] = theirs(*range(30))
    run(many)
    cpo_peer.objects["locations"] = []
    decide(Policy.REMOVE)
    assert counts(run(many)) == (30, 0, 30)


def test_a_list_that_broke_off_removes_nothing(cpo_peer: FakePeer, many: Platform) -> None:
    cpo_peer.page_limit = 2
    cpo_peer.misbehave(
        lambda peer, request: fails(500)(peer, request) if "offset" in request.query else peer.answer(request),
        path="locations",
    )
    done = run(many, accept=True)
    assert done.error and counts(done) == (0, 0, 0) and removed() == 0
    assert PullCursor.objects.get().accepts_disappearance, "which still holds for the list that is whole"


def test_a_list_that_was_cut_and_resumed_is_whole(cpo_peer: FakePeer, many: Platform) -> None:
    """What the first part had is not missing."""
    cpo_peer.page_limit = 10
    cpo_peer.objects["locations"].pop()
    cpo_peer.misbehave(
        lambda peer, request: fails(500)(peer, request) if "offset" in request.query else peer.answer(request),
        path="locations",
    )
    run(many)
    cpo_peer.behave()
    done = run(many)
    assert (done.resumed, *counts(done)) == (True, 1, 1, 0) and removed() == 1
    assert not SeenObject.objects.exists()


def test_fewer_objects_than_the_partner_counts_remove_nothing(cpo_peer: FakePeer, many: Platform) -> None:
    """R5.3: an object that moved to a page we had read is on no page."""
    some = theirs(*range(29))
    cpo_peer.misbehave(lambda peer, request: enveloped([*some, some[0]], **{"X-Total-Count": "30"}), path="locations")
    done = run(many)
    assert counts(done) == (1, 0, 0) and removed() == 0
    assert "X-Total-Count says 30, 29 different objects came" in done.notes


def test_an_object_that_nobody_can_tell_may_be_any(cpo_peer: FakePeer, many: Platform) -> None:
    cpo_peer.objects["locations"] = [*theirs(*range(29)), without(theirs(29)[0], "id")]
    done = run(many)
    assert counts(done) == (1, 0, 0) and removed() == 0
    assert "without a readable id" in done.notes
