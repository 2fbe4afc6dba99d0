"""Locations, Sender interface: what an eMSP reads from us (§mod_locations_cpo_interface)."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from ocpi.ids import PartyId
from ocpi.store.locations import Path
from ocpi.store.locations import locations as store
from ocpi.store.objects import Arrival
from tests.kit.caller import SENDER_LOCATIONS, Answer, PartnerClient
from tests.kit.objects import NOON, Document, connector, evse, location, minutes_after_noon, odd_location
from tests.kit.platforms import Registered

OCP = PartyId("NL*OCP")


def publish(*documents: Document) -> None:
    store.put_many([Arrival(document) for document in documents], source=None)


def numbered(count: int, start: int = 0, **changes: Any) -> list[Document]:
    """LOC-000, LOC-001 …, each a minute later than the one before."""
    return [
        location(id=f"LOC-{number:03}", last_updated=minutes_after_noon(number), **changes)
        for number in range(start, start + count)
    ]


def set_status(location_id: str, status: str, moment: str) -> None:
    change = {"status": status, "last_updated": moment}
    store.patch_part(Path(OCP, location_id, "EVSE-1"), change, None, lambda document: ())


def ids(answer: Answer) -> list[str]:
    return [document["id"] for document in answer.data]


def all_ids(pages: Iterable[Answer]) -> list[str]:
    return [id for page in pages for id in ids(page)]


def crawl(client: PartnerClient, **params: str) -> Iterator[Answer]:
    """Every page, following Link."""
    answer = client.get(SENDER_LOCATIONS, params)
    yield answer
    while answer.next_url:
        answer = client.get(answer.next_url)
        yield answer


# --- lists ----------------------------------------------------------------------------------------------------------


def test_no_locations_are_an_empty_list(emsp_client: PartnerClient) -> None:
    """R5.6, R1.3: not null, not 404."""
    answer = emsp_client.get(SENDER_LOCATIONS)
    assert answer.codes == (200, 1000) and answer.data == []
    assert answer.headers["X-Total-Count"] == "0" and answer.next_url is None


def test_pages_hold_every_location_once_in_the_order_of_creation(emsp_client: PartnerClient) -> None:
    """R5.4, R5.5, trap 13"""
    publish(*reversed(numbered(3)))
    publish(*numbered(4, start=3))
    pages = list(crawl(emsp_client, limit="3"))
    assert [len(page.data) for page in pages] == [3, 3, 1]
    assert sorted(all_ids(pages)[:3]) == ["LOC-000", "LOC-001", "LOC-002"]
    assert all_ids(pages)[3:] == ["LOC-003", "LOC-004", "LOC-005", "LOC-006"]


def test_a_total_that_is_a_multiple_of_the_limit_makes_no_empty_page(emsp_client: PartnerClient) -> None:
    """R5.4: no Link on the last page."""
    publish(*numbered(4))
    assert [len(page.data) for page in crawl(emsp_client, limit="2")] == [2, 2]


def test_every_page_tells_the_total_and_our_limit(emsp_client: PartnerClient, settings: Any) -> None:
    """R5.2, R5.3, trap 11: X-Limit is our maximum, not what was asked for or returned."""
    settings.NODE_PAGE_LIMIT = 4
    publish(*numbered(5))
    for page in crawl(emsp_client, limit="2"):
        assert (page.headers["X-Total-Count"], page.headers["X-Limit"]) == ("5", "4")
    assert len(emsp_client.get(SENDER_LOCATIONS, {"limit": "1000"}).data) == 4


def test_without_a_limit_there_is_one(emsp_client: PartnerClient) -> None:
    """R5.1"""
    publish(*numbered(101))
    assert [len(page.data) for page in crawl(emsp_client)] == [100, 1]


def test_a_bare_offset_is_served(emsp_client: PartnerClient) -> None:
    """R5.1: clients that count for themselves."""
    for document in numbered(5):
        publish(document)
    assert ids(emsp_client.get(SENDER_LOCATIONS, {"offset": "3", "limit": "1"})) == ["LOC-003"]
    beyond = emsp_client.get(SENDER_LOCATIONS, {"offset": "5"})
    assert beyond.data == [] and beyond.headers["X-Total-Count"] == "5" and beyond.next_url is None


def test_the_same_url_gives_the_same_objects(emsp_client: PartnerClient) -> None:
    """R5.5"""
    publish(*numbered(5))
    second = emsp_client.get(SENDER_LOCATIONS, {"limit": "2"}).next_url
    assert second is not None
    before = ids(emsp_client.get(second))
    publish(*numbered(5, start=5), location(id="LOC-000", name="changed", last_updated=minutes_after_noon(99)))
    assert ids(emsp_client.get(second)) == before


def test_date_from_is_inclusive_and_date_to_exclusive(emsp_client: PartnerClient) -> None:
    """R5.1, R5.3, trap 12"""
    publish(*numbered(5))
    answer = emsp_client.get(SENDER_LOCATIONS, {"date_from": minutes_after_noon(1), "date_to": minutes_after_noon(3)})
    assert sorted(ids(answer)) == ["LOC-001", "LOC-002"] and answer.headers["X-Total-Count"] == "2"


@pytest.mark.parametrize(
    ("date_from", "found"),
    [
        ("2026-03-01T12:00:00.500Z", 1), ("2026-03-01T12:00:00.501Z", 0), ("2026-03-01T12:00:00.5", 1),
        ("2026-03-01T12:00:00.5000001Z", 1), ("2026-03-01T12:00:00", 1), ("2027-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00Z", 1),
    ],
)  # fmt: skip
def test_dates_are_compared_to_the_microsecond_in_utc(emsp_client: PartnerClient, date_from: str, found: int) -> None:
    """R1.14, trap 12"""
    publish(location(last_updated="2026-03-01T12:00:00.500Z"))
    assert len(emsp_client.get(SENDER_LOCATIONS, {"date_from": date_from}).data) == found


def test_link_carries_the_filters_and_our_public_url(emsp_client: PartnerClient, settings: Any) -> None:
    """R5.4, trap 10"""
    settings.NODE_URL = "https://node.example"
    publish(*numbered(5))
    params = {"limit": "1", "date_from": minutes_after_noon(1), "date_to": minutes_after_noon(4)}
    pages = list(crawl(emsp_client, **params))
    assert [page.headers["X-Total-Count"] for page in pages] == ["3", "3", "3"]
    assert all(
        page.next_url.startswith(f"https://node.example{SENDER_LOCATIONS}?") for page in pages[:-1] if page.next_url
    )
    assert sorted(all_ids(pages)) == ["LOC-001", "LOC-002", "LOC-003"]


@pytest.mark.parametrize(
    "params", [{"limit": "0"}, {"offset": "-1"}, {"date_from": "x"}, {"date_to": ""}, {"cursor": "x"}]
)
def test_a_bad_parameter_is_2001(emsp_client: PartnerClient, params: dict[str, str]) -> None:
    """R5.8"""
    assert emsp_client.get(SENDER_LOCATIONS, params).codes == (200, 2001)


# --- lists that change while they are read --------------------------------------------------------------------------


def test_nothing_is_lost_or_doubled_when_objects_change_while_crawling(emsp_client: PartnerClient) -> None:
    """R5.5, trap 13: every change raises last_updated, and moves nothing between pages."""
    publish(*numbered(9))
    seen: list[str] = []
    for round, page in enumerate(crawl(emsp_client, limit="2", date_from=NOON)):
        seen += ids(page)
        set_status(f"LOC-{round:03}", "CHARGING", minutes_after_noon(100 + round))
        set_status(f"LOC-{8 - round:03}", "BLOCKED", minutes_after_noon(200 + round))
    assert sorted(seen) == [f"LOC-{number:03}" for number in range(9)]


def test_objects_created_while_crawling_come_at_the_end(emsp_client: PartnerClient) -> None:
    """R5.5"""
    publish(*numbered(4))
    pages = crawl(emsp_client, limit="2")
    first = next(pages)
    publish(*numbered(2, start=4))
    assert sorted(ids(first) + all_ids(pages)) == [f"LOC-{number:03}" for number in range(6)]


def test_a_bare_offset_keeps_its_place_under_change(emsp_client: PartnerClient) -> None:
    publish(*numbered(4))
    first = ids(emsp_client.get(SENDER_LOCATIONS, {"limit": "2"}))
    for number in range(4):
        set_status(f"LOC-{number:03}", "CHARGING", minutes_after_noon(100 - number))
    second = ids(emsp_client.get(SENDER_LOCATIONS, {"limit": "2", "offset": "2"}))
    assert sorted(first + second) == [f"LOC-{number:03}" for number in range(4)]


def test_a_status_change_is_in_the_next_page_with_every_last_updated(emsp_client: PartnerClient) -> None:
    """R9.2, R9.2b: EVSE and Location move together, so that date_from finds the Location."""
    publish(*numbered(3, evses=[evse(), evse(uid="EVSE-2")]))
    later = minutes_after_noon(60)
    set_status("LOC-001", "CHARGING", later)
    found = emsp_client.get(SENDER_LOCATIONS, {"date_from": later}).data
    assert [document["id"] for document in found] == ["LOC-001"]
    assert found[0]["last_updated"] == later
    changed, sibling = found[0]["evses"]
    assert (changed["status"], changed["last_updated"]) == ("CHARGING", later)
    assert sibling == evse(uid="EVSE-2")


# --- who sees what --------------------------------------------------------------------------------------------------


def test_the_list_holds_our_own_locations_only(emsp_client: PartnerClient, cpo: Registered) -> None:
    """R5.3: counted and listed is what this client may see."""
    publish(location())
    store.put(Arrival(location(country_code="DE", party_id="CPO", id="THEIRS")), cpo.platform.pk)
    answer = emsp_client.get(SENDER_LOCATIONS)
    assert ids(answer) == ["LOC-1"] and answer.headers["X-Total-Count"] == "1"
    assert emsp_client.get(f"{SENDER_LOCATIONS}/THEIRS").http == 404


def test_a_named_receiver_narrows_the_list_to_its_objects(emsp: Registered, settings: Any) -> None:
    publish(location())
    assert len(emsp.client(to="NL*OCP").get(SENDER_LOCATIONS).data) == 1
    assert emsp.client(to="NL*OSP").get(SENDER_LOCATIONS).data == []


# --- single objects -------------------------------------------------------------------------------------------------


def test_a_location_an_evse_and_a_connector_are_single_objects(emsp_client: PartnerClient) -> None:
    """R9.1, R1.3, trap 9"""
    document = location(
        evses=[evse(), evse(uid="EVSE-2", connectors=[connector(), connector(id="2", max_amperage=16)])]
    )
    publish(document)
    assert emsp_client.get(f"{SENDER_LOCATIONS}/LOC-1").data == document
    assert emsp_client.get(f"{SENDER_LOCATIONS}/LOC-1/EVSE-2").data == document["evses"][1]
    assert emsp_client.get(f"{SENDER_LOCATIONS}/LOC-1/EVSE-2/2").data == connector(id="2", max_amperage=16)


def test_ids_ignore_case_and_keep_their_spelling(emsp_client: PartnerClient) -> None:
    """R1.16, trap 19"""
    publish(location(id="Loc-a", evses=[evse(uid="Evse-A", connectors=[connector(id="Plug")])]))
    assert emsp_client.get(f"{SENDER_LOCATIONS}/LOC-A").data["id"] == "Loc-a"
    assert emsp_client.get(f"{SENDER_LOCATIONS}/loc-a/EVSE-a").data["uid"] == "Evse-A"
    assert emsp_client.get(f"{SENDER_LOCATIONS}/lOC-a/evse-A/pLUG").data["id"] == "Plug"


@pytest.mark.parametrize("id", ["A B", "A+B", "A%B", "A*B", "a.b~c", "x" * 36])
def test_ids_with_odd_characters_are_found_percent_encoded(emsp_client: PartnerClient, id: str) -> None:
    publish(location(id=id))
    encoded = "".join(f"%{ord(sign):02X}" for sign in id)
    assert emsp_client.get(f"{SENDER_LOCATIONS}/{encoded}").data["id"] == id


@pytest.mark.parametrize("path", ["NOWHERE", "LOC-1/NOWHERE", "LOC-1/EVSE-1/NOWHERE", "LOC-1/EVSE-1/1/1", "LOC-1//1"])
def test_what_does_not_exist_is_404(emsp_client: PartnerClient, path: str) -> None:
    """R1.8"""
    publish(location())
    assert emsp_client.get(f"{SENDER_LOCATIONS}/{path}").http == 404


def test_a_removed_evse_stays(emsp_client: PartnerClient) -> None:
    """R9.2, R9.2c: there is no delete."""
    publish(location())
    set_status("LOC-1", "REMOVED", minutes_after_noon(1))
    assert emsp_client.get(f"{SENDER_LOCATIONS}/LOC-1/EVSE-1").data["status"] == "REMOVED"


def test_documents_leave_as_they_were_stored(emsp_client: PartnerClient) -> None:
    """R1.15, R8.4: unknown members, exact numbers, null, empty lists; also when a live status was put in."""
    document = odd_location()
    publish(document)
    assert emsp_client.get(f"{SENDER_LOCATIONS}/LOC-1").data == document
    later = minutes_after_noon(1)
    set_status("LOC-1", "CHARGING", later)
    document["last_updated"] = later
    document["evses"][0] |= {"status": "CHARGING", "last_updated": later}
    answer = emsp_client.get(SENDER_LOCATIONS)
    assert answer.data == [document]
    for exact in (b"0.1000", b"33.3300", b"1234567.8901", b"9007199254740993"):
        assert exact in answer.body


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["", "/LOC-1", "/LOC-1/EVSE-1", "/LOC-1/EVSE-1/1"])
def test_the_sender_interface_is_for_reading(emsp_client: PartnerClient, method: str, path: str) -> None:
    """R9.1"""
    assert emsp_client.request(method, SENDER_LOCATIONS + path, location()).codes == (405, 2000)
