"""Locations, Receiver interface: what a CPO pushes to us (§mod_locations_emsp_interface)."""

from decimal import Decimal
from typing import Any

import pytest

from ocpi.models import EvseStatus, Location, ObjectCount
from ocpi.types import codec
from tests.kit.caller import RECEIVER_LOCATIONS, Answer, PartnerClient
from tests.kit.objects import NOON, Document, connector, evse, location, minutes_after_noon, odd_location, without
from tests.kit.platforms import Registered, register

HARBOUR = f"{RECEIVER_LOCATIONS}/DE/CPO/LOC-1"
EVSE = f"{HARBOUR}/EVSE-1"
CONNECTOR = f"{EVSE}/1"

LATER, LATEST = minutes_after_noon(10), minutes_after_noon(20)
EARLIER = "2026-03-01T11:00:00Z"


def theirs(**changes: Any) -> Document:
    """A Location of DE*CPO."""
    return location(**{"country_code": "DE", "party_id": "CPO", **changes})


def two_evses(**changes: Any) -> Document:
    return theirs(
        evses=[evse(connectors=[connector(), connector(id="2")]), evse(uid="EVSE-2", evse_id="NL*OCP*E000002")],
        **changes,
    )


@pytest.fixture
def client(cpo_client: PartnerClient) -> PartnerClient:
    """A CPO that has pushed a Location with two EVSEs."""
    assert cpo_client.put(HARBOUR, two_evses()).codes == (201, 1000)
    return cpo_client


def stored() -> list[Any]:
    return [list(model._default_manager.order_by("pk").values()) for model in (Location, EvseStatus, ObjectCount)]


# --- PUT of a Location ----------------------------------------------------------------------------------------------


def test_a_new_location_is_201_and_an_update_200(cpo_client: PartnerClient) -> None:
    """R1.9, R1.10: without data."""
    created, updated = cpo_client.put(HARBOUR, theirs()), cpo_client.put(HARBOUR, theirs(last_updated=LATER))
    assert (created.codes, updated.codes) == ((201, 1000), (200, 1000))
    assert "data" not in created.envelope and "data" not in updated.envelope


def test_a_pushed_location_can_be_read_again(cpo_client: PartnerClient) -> None:
    """R9.2: at three levels."""
    document = two_evses()
    cpo_client.put(HARBOUR, document)
    assert cpo_client.get(HARBOUR).data == document
    assert cpo_client.get(f"{HARBOUR}/EVSE-2").data == document["evses"][1]
    assert cpo_client.get(f"{EVSE}/2").data == connector(id="2")


def test_everything_a_partner_sent_survives(cpo_client: PartnerClient) -> None:
    """R1.15, R1.22, R8.4, trap 18: unknown members and enum values, exact numbers, null, empty lists."""
    document = odd_location(country_code="DE", party_id="CPO")
    assert cpo_client.put(HARBOUR, document).codes == (201, 1000)
    answer = cpo_client.get(HARBOUR)
    assert answer.data == document
    for exact in (b'"amount":0.1000', b"33.3300", b"1234567.8901", b"9007199254740993"):
        assert exact in answer.body


def test_put_replaces_everything(client: PartnerClient) -> None:
    """R6.1, trap 15: what the new document lacks is gone."""
    smaller = without(theirs(last_updated=LATER, evses=[evse(uid="EVSE-9")]), "name", "postal_code")
    client.put(HARBOUR, smaller)
    assert client.get(HARBOUR).data == smaller
    assert client.get(EVSE).http == 404


def test_put_replaces_a_live_status(client: PartnerClient) -> None:
    """R6.1: also the one that came by PATCH."""
    client.patch(EVSE, {"status": "CHARGING", "last_updated": LATER})
    client.put(HARBOUR, two_evses())
    assert client.get(HARBOUR).data == two_evses()


def test_last_updated_is_the_one_pushed(cpo_client: PartnerClient) -> None:
    """R6.11, trap 14: in the owner's spelling, never the time of receipt."""
    for moment in ("2026-03-01T12:00:00.123456789", "2020-01-01T00:00:00Z"):
        cpo_client.put(HARBOUR, theirs(last_updated=moment))
        assert cpo_client.get(HARBOUR).data["last_updated"] == moment


def test_a_minimal_location_is_valid(cpo_client: PartnerClient) -> None:
    """R1.17, trap 39: optional members may be absent or null, lists absent, null or empty."""
    minimal = without(theirs(), "name", "postal_code", "evses")
    assert cpo_client.put(HARBOUR, minimal).codes == (201, 1000)
    assert cpo_client.put(HARBOUR, {**minimal, "name": None, "evses": None, "images": []}).codes == (200, 1000)


@pytest.mark.parametrize("path", ["de/cpo/loc-1", "DE/CPO/LOC-1", "De/Cpo/Loc-1"])
def test_ids_ignore_case(client: PartnerClient, path: str) -> None:
    """R1.16, trap 19: loc-1 and LOC-1 are one object."""
    assert client.put(f"{RECEIVER_LOCATIONS}/{path}", two_evses(last_updated=LATER)).codes == (200, 1000)
    assert client.get(f"{RECEIVER_LOCATIONS}/{path}/evse-2").data["uid"] == "EVSE-2"
    assert Location.objects.count() == 1


def test_the_same_put_twice_changes_nothing(client: PartnerClient) -> None:
    before = stored()
    assert client.put(HARBOUR, two_evses()).codes == (200, 1000)
    assert stored() == before


# --- ownership ------------------------------------------------------------------------------------------------------

FOREIGN = ["NL/OCP", "NL/OSP", "FR/TKN", "DE/MSP", "XX/YYY"]


@pytest.mark.parametrize("owner", FOREIGN)
def test_objects_of_somebody_else_are_refused(client: PartnerClient, emsp: Registered, owner: str) -> None:
    """R6.8, traps 8 and 24: ours, another platform's, nobody's. By any method, and nothing is stored."""
    register("CPO:FR*TKN")
    country_code, _, party_id = owner.partition("/")
    before = stored()
    body = location(country_code=country_code, party_id=party_id)
    path = f"{RECEIVER_LOCATIONS}/{owner}/LOC-1"
    answers = [client.put(path, body), client.patch(path, {"last_updated": LATER}), client.get(path)]
    answers.append(client.put(f"{path}/EVSE-1", evse()))
    assert [answer.codes for answer in answers] == [(404, 2000)] * 4
    assert stored() == before


def test_a_hub_pushes_for_the_parties_behind_it(db: None) -> None:
    """R6.9, trap 24: but not for ours, nor for those of other platforms."""
    register("CPO:FR*TKN")
    hub = register("HUB:BE*HUB").client()
    assert hub.put(f"{RECEIVER_LOCATIONS}/DE/CPO/LOC-1", theirs()).codes == (201, 1000)
    for owner in ("NL/OCP", "FR/TKN"):
        body = location(country_code=owner[:2], party_id=owner[3:])
        assert hub.put(f"{RECEIVER_LOCATIONS}/{owner}/LOC-1", body).codes == (404, 2000)


def test_parties_of_the_url_ignore_case(cpo_client: PartnerClient) -> None:
    """R1.16"""
    assert cpo_client.put(f"{RECEIVER_LOCATIONS}/de/cpo/LOC-1", theirs(country_code="dE")).codes == (201, 1000)
    assert cpo_client.get(HARBOUR).data["country_code"] == "dE"


# --- ids in the body ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (HARBOUR, theirs(id="OTHER")),
        (HARBOUR, theirs(country_code="NL")),
        (HARBOUR, theirs(party_id="OCP")),
        (EVSE, evse(uid="OTHER")),
        (CONNECTOR, connector(id="OTHER")),
    ],
)
def test_a_put_whose_ids_differ_from_the_url_is_2001(client: PartnerClient, path: str, body: Document) -> None:
    """R6.6, R6.7"""
    before = stored()
    assert client.put(path, body).codes == (200, 2001)
    assert stored() == before


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (HARBOUR, {"id": "OTHER"}),
        (HARBOUR, {"party_id": "OCP"}),
        (HARBOUR, {"id": None}),
        (EVSE, {"uid": "OTHER"}),
        (CONNECTOR, {"id": "OTHER"}),
    ],
)
def test_a_patch_cannot_change_ids(client: PartnerClient, path: str, change: Document) -> None:
    """R6.7"""
    before = stored()
    assert client.patch(path, {**change, "last_updated": LATER}).codes == (200, 2001)
    assert stored() == before


# --- unusable objects and mere defects ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["country_code", "party_id", "id", "publish", "address", "city", "country", "coordinates"]
)
def test_a_location_without_a_required_member_is_2001(cpo_client: PartnerClient, name: str) -> None:
    """R9.2, R1.7: the answer names it."""
    answer = cpo_client.put(HARBOUR, without(theirs(), name))
    assert answer.codes == (200, 2001) and f"/{name}" in answer.message
    assert not Location.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        theirs(last_updated="yesterday"), theirs(last_updated=None), theirs(id=""), theirs(id="x" * 37), theirs(id=7),
        theirs(id="\0"), theirs(name="\0"), theirs(unknown="\x1b"), theirs(unknown={"a": Decimal("1e99")}),
        theirs(unknown=10**60), theirs(publish="yes"), theirs(coordinates=[]), theirs(evses={}), theirs(evses=[7]),
        theirs(evses=[without(evse(), "uid")]), theirs(evses=[evse(), evse(uid="evse-1")]),
        theirs(evses=[evse(uid="é")]),
        theirs(evses=[evse(connectors="none")]), theirs(evses=[evse(connectors=[without(connector(), "id")])]),
        theirs(evses=[without(evse(), "connectors")]), theirs(evses=[evse(last_updated=7)]),
    ],
)  # fmt: skip
def test_an_unusable_location_is_2001_and_not_stored(cpo_client: PartnerClient, body: Document) -> None:
    """R1.7, trap 3"""
    assert cpo_client.put(HARBOUR, body).codes == (200, 2001)
    assert not Location.objects.exists() and not ObjectCount.objects.filter(count__gt=0).exists()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": "x" * 256}, "/name"),
        ({"country": "Nederland"}, "/country"),
        ({"parking_type": "ON_THE_MOON"}, "/parking_type"),
        ({"coordinates": {"latitude": "52", "longitude": "5.654321"}}, "/coordinates/latitude"),
        ({"time_zone": "Europe/Veldstad"}, "/time_zone"),
        ({"evses": []}, None),
        ({"evses": [evse(status="NAPPING")]}, "/evses/0/status"),
        ({"evses": [evse(status="NAPPING" * 20)]}, "/evses/0/status"),
        ({"evses": [evse(connectors=[])]}, "/evses/0/connectors"),
        ({"evses": [evse(last_updated="yesterday")]}, "/evses/0/last_updated"),
        ({"evses": [evse(last_updated="yesterday " * 20)]}, "/evses/0/last_updated"),
        ({"last_updated": "2026-03-01T12:00:00+00:00"}, "/last_updated"),
        ({"last_updated": f"2026-03-01T12:00:00.{'1' * 60}Z"}, "/last_updated"),
    ],
)
def test_a_mere_defect_is_kept_with_the_object(
    cpo_client: PartnerClient, changes: Document, pointer: str | None
) -> None:
    """DESIGN section 2.1: one odd field never loses an object; the defect is recorded with a JSON Pointer."""
    document = theirs(**changes)
    assert cpo_client.put(HARBOUR, document).codes == (201, 1000)
    assert cpo_client.get(HARBOUR).data == document
    defects = Location.objects.get().defects
    assert [defect["pointer"] for defect in codec.decode(defects.encode() or b"[]")] == ([pointer] if pointer else [])


def test_a_status_change_leaves_odd_neighbours_as_they_are(cpo_client: PartnerClient) -> None:
    """DESIGN section 2.2: what is put into a document is the change and nothing else."""
    odd = [evse(uid="LONG", status="NAPPING" * 20, last_updated="yesterday " * 20), evse(uid="EMPTY", status="")]
    document = theirs(evses=[evse(), *odd])
    assert cpo_client.put(HARBOUR, document).codes == (201, 1000)
    cpo_client.patch(EVSE, {"status": "CHARGING", "last_updated": LATER})
    assert cpo_client.get(HARBOUR).data["evses"] == [evse(status="CHARGING", last_updated=LATER), *odd]


def test_defects_vanish_when_the_object_is_repaired(cpo_client: PartnerClient) -> None:
    cpo_client.put(HARBOUR, theirs(country="Nederland"))
    assert Location.objects.get().defects
    cpo_client.patch(HARBOUR, {"country": "NLD", "last_updated": LATER})
    assert not Location.objects.get().defects


def test_a_repaired_status_is_no_defect_any_more(cpo_client: PartnerClient) -> None:
    cpo_client.put(HARBOUR, theirs(evses=[evse(status="NAPPING")]))
    assert Location.objects.get().defects
    cpo_client.patch(EVSE, {"status": "AVAILABLE", "last_updated": LATER})
    assert not Location.objects.get().defects


# --- PUT of an EVSE or Connector ------------------------------------------------------------------------------------


def test_an_evse_can_be_added_and_replaced(client: PartnerClient) -> None:
    """R9.2, R1.9, R6.1"""
    added = evse(uid="EVSE-3", last_updated=LATER)
    assert client.put(f"{HARBOUR}/EVSE-3", added).codes == (201, 1000)
    replaced = without(evse(last_updated=LATER), "evse_id", "capabilities")
    assert client.put(EVSE, replaced).codes == (200, 1000)
    assert client.get(HARBOUR).data == {
        **two_evses(last_updated=LATER),
        "evses": [replaced, two_evses()["evses"][1], added],
    }


def test_the_first_evse_of_a_location_can_be_added(cpo_client: PartnerClient) -> None:
    for nothing in ({}, {"evses": None}, {"evses": []}):
        cpo_client.put(HARBOUR, {**without(theirs(), "evses"), **nothing})
        assert cpo_client.put(EVSE, evse()).codes == (201, 1000)
        assert cpo_client.get(HARBOUR).data["evses"] == [evse()]


def test_a_connector_can_be_added_and_replaced(client: PartnerClient) -> None:
    """R9.2, R1.9"""
    assert client.put(f"{EVSE}/3", connector(id="3", last_updated=LATER)).codes == (201, 1000)
    assert client.put(CONNECTOR, connector(max_amperage=16, last_updated=LATER)).codes == (200, 1000)
    found = client.get(EVSE).data["connectors"]
    assert [(item["id"], item["max_amperage"]) for item in found] == [("1", 16), ("2", 32), ("3", 32)]


def test_an_added_evse_has_a_live_status(client: PartnerClient) -> None:
    client.put(f"{HARBOUR}/EVSE-3", evse(uid="EVSE-3"))
    assert client.patch(f"{HARBOUR}/EVSE-3", {"status": "CHARGING", "last_updated": LATER}).codes == (200, 1000)
    assert client.get(f"{HARBOUR}/EVSE-3").data["status"] == "CHARGING"


@pytest.mark.parametrize(
    "body", [evse(status=None), without(evse(), "status"), evse(connectors=None), evse(status="\0")]
)
def test_an_unusable_part_is_2001_and_changes_nothing(client: PartnerClient, body: Document) -> None:
    before = stored()
    assert client.put(EVSE, body).codes == (200, 2001)
    assert stored() == before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{RECEIVER_LOCATIONS}/DE/CPO/NOWHERE/EVSE-1", evse()),
        (f"{RECEIVER_LOCATIONS}/DE/CPO/NOWHERE/EVSE-1/1", connector()),
        (f"{HARBOUR}/NOWHERE/1", connector()),
    ],
)
def test_a_part_of_an_unknown_parent_is_2003_and_creates_nothing(
    client: PartnerClient, path: str, body: Document
) -> None:
    before = stored()
    assert client.put(path, body).codes == (200, 2003)
    assert stored() == before


# --- PATCH ----------------------------------------------------------------------------------------------------------


def test_patch_changes_the_named_members_only(client: PartnerClient) -> None:
    """R6.2, trap 15"""
    assert client.patch(HARBOUR, {"name": "Pier", "last_updated": LATER}).codes == (200, 1000)
    assert client.get(HARBOUR).data == two_evses(name="Pier", last_updated=LATER)


def test_patch_replaces_lists_and_objects_whole(client: PartnerClient) -> None:
    """R6.2, trap 15: no deep merge."""
    client.put(HARBOUR, two_evses(facilities=["HOTEL", "WIFI"], operator={"name": "A", "website": "https://a.example"}))
    client.patch(HARBOUR, {"facilities": ["CAFE"], "operator": {"name": "B"}, "last_updated": LATER})
    found = client.get(HARBOUR).data
    assert found["facilities"] == ["CAFE"] and found["operator"] == {"name": "B"}
    client.patch(EVSE, {"connectors": [connector(id="9")], "capabilities": [], "last_updated": LATER})
    assert client.get(EVSE).data == evse(connectors=[connector(id="9")], capabilities=[], last_updated=LATER)


def test_patch_of_the_evses_of_a_location_replaces_them(client: PartnerClient) -> None:
    """R6.2: with their live status."""
    client.patch(HARBOUR, {"evses": [evse(uid="NEW")], "last_updated": LATER})
    assert client.get(EVSE).http == 404
    assert client.patch(f"{HARBOUR}/NEW", {"status": "BLOCKED", "last_updated": LATEST}).codes == (200, 1000)
    assert client.get(HARBOUR).data["evses"] == [evse(uid="NEW", status="BLOCKED", last_updated=LATEST)]


def test_patch_with_null_takes_an_optional_member_away(client: PartnerClient) -> None:
    """R1.17"""
    assert client.patch(HARBOUR, {"name": None, "last_updated": LATER}).codes == (200, 1000)
    assert client.get(HARBOUR).data["name"] is None
    assert client.patch(HARBOUR, {"address": None, "last_updated": LATER}).codes == (200, 2001)


def test_patch_keeps_unknown_members(client: PartnerClient) -> None:
    """R1.22"""
    client.patch(EVSE, {"vendor": {"x": Decimal("1.50")}, "last_updated": LATER})
    assert b'"vendor":{"x":1.50}' in client.get(EVSE).body


def test_a_status_patch_in_any_spelling_of_the_id(client: PartnerClient) -> None:
    """R1.16"""
    path = f"{RECEIVER_LOCATIONS}/de/cpo/loc-1/evse-1"
    assert client.patch(path, {"status": "CHARGING", "last_updated": LATER}).codes == (200, 1000)
    assert client.get(EVSE).data["status"] == "CHARGING"


def test_a_status_of_another_version_is_kept(client: PartnerClient) -> None:
    """DESIGN section 2.1"""
    assert client.patch(EVSE, {"status": "NAPPING", "last_updated": LATER}).codes == (200, 1000)
    assert client.get(EVSE).data["status"] == "NAPPING"
    assert "/evses/0/status" in Location.objects.get().defects


@pytest.mark.parametrize("path", [HARBOUR, EVSE, CONNECTOR])
def test_patch_without_last_updated_is_2001(client: PartnerClient, path: str) -> None:
    """R6.3, trap 17"""
    before = stored()
    for change in ({"tariff_ids": []}, {}, {"last_updated": None}, {"last_updated": "soon"}, {"last_updated": 7}):
        answer = client.patch(path, change)
        assert answer.codes == (200, 2001) and "last_updated" in answer.message
    assert stored() == before


@pytest.mark.parametrize(
    "path",
    [
        f"{RECEIVER_LOCATIONS}/DE/CPO/NOWHERE",
        f"{RECEIVER_LOCATIONS}/DE/CPO/NOWHERE/EVSE-1",
        f"{HARBOUR}/NOWHERE",
        f"{HARBOUR}/NOWHERE/1",
        f"{EVSE}/NOWHERE",
    ],
)
def test_patch_of_an_unknown_object_is_2003_and_creates_nothing(client: PartnerClient, path: str) -> None:
    """R6.4, errata E6"""
    before = stored()
    for change in ({"status": "CHARGING"}, {"max_amperage": 16}, {"name": "X"}):
        assert client.patch(path, {**change, "last_updated": LATER}).codes == (200, 2003)
    assert stored() == before


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (HARBOUR, {"publish": "yes"}), (HARBOUR, {"evses": "none"}), (HARBOUR, {"evses": [evse(), evse()]}),
        (EVSE, {"status": 7}), (EVSE, {"status": None}), (EVSE, {"connectors": {}}), (EVSE, {"status": "\0"}),
        (CONNECTOR, {"max_voltage": "230"}), (CONNECTOR, {"standard": []}), (CONNECTOR, {"x": "\0"}),
    ],
)  # fmt: skip
def test_an_unusable_patch_is_2001_and_changes_nothing(client: PartnerClient, path: str, change: Document) -> None:
    """R1.7"""
    before = stored()
    assert client.patch(path, {**change, "last_updated": LATER}).codes == (200, 2001)
    assert stored() == before


# --- last_updated moves up ------------------------------------------------------------------------------------------


def moments(client: PartnerClient) -> tuple[str, str, str, str]:
    """last_updated of the Location, its first EVSE, that one's first Connector, and the second EVSE."""
    document = client.get(HARBOUR).data
    first, second = document["evses"]
    return tuple(item["last_updated"] for item in (document, first, first["connectors"][0], second))  # type: ignore[return-value]


def put_evse(client: PartnerClient, moment: str) -> Answer:
    return client.put(EVSE, evse(connectors=[connector(), connector(id="2")], last_updated=moment))


def patch_evse(client: PartnerClient, moment: str) -> Answer:
    return client.patch(EVSE, {"floor_level": "1", "last_updated": moment})


def patch_status(client: PartnerClient, moment: str) -> Answer:
    return client.patch(EVSE, {"status": "CHARGING", "last_updated": moment})


def put_connector(client: PartnerClient, moment: str) -> Answer:
    return client.put(CONNECTOR, connector(last_updated=moment))


def patch_connector(client: PartnerClient, moment: str) -> Answer:
    return client.patch(CONNECTOR, {"max_amperage": 16, "last_updated": moment})


@pytest.mark.parametrize("change", [put_evse, patch_evse, patch_status])
def test_a_change_of_an_evse_moves_its_location_and_no_sibling(client: PartnerClient, change: Any) -> None:
    """R9.2, R9.2a"""
    assert change(client, LATER).codes == (200, 1000)
    assert moments(client) == (LATER, LATER, NOON, NOON)


@pytest.mark.parametrize("change", [put_connector, patch_connector])
def test_a_change_of_a_connector_moves_its_evse_and_location(client: PartnerClient, change: Any) -> None:
    """R9.2, R9.2a"""
    assert change(client, LATER).codes == (200, 1000)
    assert moments(client) == (LATER, LATER, LATER, NOON)


@pytest.mark.parametrize("change", [put_evse, patch_evse, patch_status])
def test_a_newer_location_keeps_its_moment(client: PartnerClient, change: Any) -> None:
    """Errata E12: the child has what was pushed, the parent is not set back."""
    client.patch(HARBOUR, {"last_updated": LATEST})
    for moment in (LATER, EARLIER):
        change(client, moment)
        assert moments(client) == (LATEST, moment, NOON, NOON)


@pytest.mark.parametrize("change", [put_connector, patch_connector])
def test_a_newer_evse_keeps_its_moment(client: PartnerClient, change: Any) -> None:
    """Errata E12"""
    patch_status(client, LATEST)
    for moment in (LATER, EARLIER):
        change(client, moment)
        assert moments(client) == (LATEST, LATEST, moment, NOON)


def test_status_patches_add_up_over_both_ways_of_storing_them(client: PartnerClient) -> None:
    """The live status beside the document and a change of the document itself do not undo each other."""
    patch_status(client, LATER)
    patch_evse(client, LATEST)
    client.patch(f"{HARBOUR}/EVSE-2", {"status": "RESERVED", "last_updated": LATEST})
    patch_connector(client, minutes_after_noon(30))
    first, second = client.get(HARBOUR).data["evses"]
    assert (first["status"], first["floor_level"], first["connectors"][0]["max_amperage"]) == ("CHARGING", "1", 16)
    assert second["status"] == "RESERVED"
