"""Objects that a partner names and we do not hold: asked for one by one where that is possible, else reported."""

import pytest

from ocpi.models import Location
from ocpi.v221.versions import ModuleID
from roaming.models import Platform
from roaming.pull_models import DanglingReference, SyncRun
from roaming.sync import dangling, pull
from tests.kit.objects import Document, cdr, connector, evse, location, session, tariff
from tests.kit.peer import FakePeer, answers, enveloped, fails

pytestmark = pytest.mark.django_db(transaction=True)
OWNER = {"country_code": "DE", "party_id": "CPO"}
AT = "/sender/locations/"


def session_at(place: str, id: str = "S1") -> Document:
    return session(**OWNER, id=id, location_id=place)


def run(platform: Platform, module: ModuleID = ModuleID.SESSIONS) -> SyncRun:
    return pull.pull(platform, module, full=True)


def test_a_location_that_a_session_names_is_fetched(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    """Demand 22, §mod_locations_get_object_request_parameters: from its owner."""
    cpo_peer.objects["sessions"] = [session_at("Loc 1"), session_at("loc 1", id="S2")]
    cpo_peer.objects["locations"] = [location(**OWNER, id="Loc 1"), location(**OWNER, id="unnamed")]
    done = run(cpo_platform)
    assert (done.dangling, done.fetched, done.created) == (1, 1, 2)
    assert Location.objects.get().key == "loc 1" and not DanglingReference.objects.exists()
    (request,) = cpo_peer.requested("GET", AT)
    assert request.path.endswith("/locations/Loc%201")
    assert (request.routing.to, request.routing.from_) == ("DE*CPO", "NL*OSP")


def test_a_location_that_a_cdr_names_is_fetched(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    """Demand 34: CDRs on unknown Locations arrive in practice."""
    cpo_peer.objects["cdrs"] = [cdr(**OWNER)]
    cpo_peer.objects["locations"] = [location(**OWNER)]
    assert run(cpo_platform, ModuleID.CDRS).fetched == 1


def test_one_that_is_not_there_is_reported_and_not_asked_for_every_time(
    cpo_peer: FakePeer, cpo_platform: Platform
) -> None:
    cpo_peer.objects["sessions"] = [session_at("NOWHERE")]
    assert [(done.dangling, done.fetched) for done in (run(cpo_platform), run(cpo_platform))] == [(1, 0)] * 2
    assert len(cpo_peer.requested("GET", AT)) == 1
    noted = DanglingReference.objects.get()
    assert (noted.spelling, noted.named_by) == ("NOWHERE", "sessions S1") and "2003" in noted.answer


def test_something_else_than_what_was_asked_for_is_not_it(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    cpo_peer.objects["sessions"] = [session_at("MINE")]
    cpo_peer.misbehave(answers(enveloped(location(**OWNER, id="OTHER"))), path=AT)
    assert run(cpo_platform).fetched == 0
    assert "not this object" in DanglingReference.objects.get().answer


def test_no_more_than_a_bounded_number_is_asked_for_in_a_run(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    cpo_peer.page_limit = 500
    cpo_peer.objects["sessions"] = [session_at(f"L{n}", id=f"S{n}") for n in range(dangling.MOST + 5)]
    run(cpo_platform)
    assert len(cpo_peer.requested("GET", AT)) == dangling.MOST
    run(cpo_platform)
    assert len(cpo_peer.requested("GET", AT)) == dangling.MOST + 5


def test_that_fetching_fails_does_not_fail_the_run(cpo_peer: FakePeer, cpo_platform: Platform) -> None:
    cpo_peer.objects["sessions"] = [session_at("A", id="SA"), session_at("B", id="SB")]
    cpo_peer.misbehave(fails(503), path=AT)
    done = run(cpo_platform)
    assert (done.error, done.created) == ("", 2) and "could not be fetched" in done.notes
    assert len(cpo_peer.requested("GET", AT)) == 1


def test_tariffs_that_connectors_name_in_vain_are_reported_until_they_come(
    cpo_peer: FakePeer, cpo_platform: Platform
) -> None:
    """Demand 22: the Sender interface of Tariffs has no GET of a single one."""
    plug = connector(tariff_ids=["T1", "Gone"])
    cpo_peer.objects["tariffs"] = [tariff(**OWNER, id="T1")]
    cpo_peer.objects["locations"] = [location(**OWNER, evses=[evse(connectors=[plug])])]
    run(cpo_platform, ModuleID.TARIFFS)
    assert run(cpo_platform, ModuleID.LOCATIONS).dangling == 1
    noted = DanglingReference.objects.get()
    assert (noted.module, noted.owner, noted.spelling, noted.named_by) == (
        "tariffs",
        "DE*CPO",
        "Gone",
        "locations LOC-1",
    )
    cpo_peer.objects["tariffs"].append(tariff(**OWNER, id="GONE"))
    run(cpo_platform, ModuleID.TARIFFS)
    assert not DanglingReference.objects.exists()
