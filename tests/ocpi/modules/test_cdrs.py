"""CDRs: what is theirs alone; the rest is in test_owned.py (§mod_cdrs_cdrs_module)."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection

from ocpi.models import Cdr, ObjectCount
from ocpi.store.cdrs import cdrs
from ocpi.store.objects import Arrival
from ocpi.types import codec, validation
from ocpi.v221.cdrs import Cdr as WireCdr
from roaming import directory
from roaming.models import Party
from tests.kit.caller import RECEIVER, SENDER, PartnerClient
from tests.kit.objects import (
    Document,
    cdr,
    cdr_token,
    charging_period,
    credit_cdr,
    minutes_after_noon,
    price,
    tariff,
    without,
)
from tests.kit.platforms import Registered, register

URL = f"{RECEIVER}/cdrs"
LIST = f"{SENDER}/cdrs"


def theirs(**changes: Any) -> Document:
    """A CDR of DE*CPO."""
    return cdr(**{"country_code": "DE", "party_id": "CPO", **changes})


def defects() -> list[str]:
    return [found["pointer"] for found in codec.decode(Cdr.objects.get().defects.encode() or b"[]")]


def stored() -> list[Any]:
    return [list(Cdr.objects.order_by("pk").values()), list(ObjectCount.objects.values())]


# --- POST and where it leads ----------------------------------------------------------------------------------------


def test_a_new_cdr_is_201_with_the_url_it_can_be_read_at(cpo_client: PartnerClient, settings: Any) -> None:
    """R9.7, trap 22: absolute, by our public name."""
    settings.NODE_URL = "https://node.example"
    answer = cpo_client.post(URL, theirs())
    assert answer.codes == (201, 1000) and "data" not in answer.envelope
    assert answer.headers["Location"] == "https://node.example/ocpi/2.2.1/receiver/cdrs/DE/CPO/CDR-1"
    assert cpo_client.get(answer.headers["Location"]).data == theirs()


@pytest.mark.parametrize("id", ["a b", "2026/001", "a/../b", "%2F", "50%?#&;+", "x" * 36, "..", "(1)"])
def test_the_url_of_an_odd_id_leads_back_to_it(cpo_client: PartnerClient, id: str) -> None:
    """R9.7: percent-encoded; a CDR's id is in no URL but ours, and may be any printable ASCII."""
    location = cpo_client.post(URL, theirs(id=id)).headers["Location"]
    assert location.isascii() and " " not in location and not urlsplit(location).query
    assert cpo_client.get(location).data["id"] == id


def test_the_same_cdr_again_is_200_with_the_same_url(cpo_client: PartnerClient) -> None:
    """R9.8: a CPO that lost our answer asks again; equal is what says the same, in whatever order."""
    first = cpo_client.post(URL, theirs())
    before = stored()
    for again in (theirs(), dict(reversed(theirs().items())), theirs(total_energy=Decimal("1.25"))):
        answer = cpo_client.post(URL, again)
        assert answer.codes == (200, 1000)
        assert answer.headers["Location"] == first.headers["Location"]
    assert stored() == before


@pytest.mark.parametrize(
    "change", [{"total_cost": price("0.8126", "0.9831")}, {"id": "cdr-1"}, {"x": None}, {"last_updated": "2027-01-01"}]
)
def test_another_cdr_of_the_same_id_is_2001_and_changes_nothing(cpo_client: PartnerClient, change: Document) -> None:
    """R9.8, trap 22"""
    cpo_client.post(URL, theirs())
    before = stored()
    answer = cpo_client.post(URL, theirs(**change))
    assert answer.codes == (200, 2001) and "Location" not in answer.headers
    assert stored() == before


def test_the_id_of_a_cdr_is_unique_per_party(cpo_client: PartnerClient) -> None:
    """R9.8"""
    other = register("CPO:FR*CPO").client()
    assert cpo_client.post(URL, theirs()).codes == (201, 1000)
    assert other.post(URL, cdr(country_code="FR", party_id="CPO")).codes == (201, 1000)


def test_a_cdr_posted_twice_at_once_is_one(threaded_db: None) -> None:
    """R9.8: one is told that it is new."""
    client = register("CPO:DE*CPO").client()

    def post(_: int) -> tuple[int, int]:
        try:
            return client.post(URL, theirs()).codes
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(post, range(4)))
    assert sorted(answers) == [(200, 1000)] * 3 + [(201, 1000)]
    assert ObjectCount.objects.get(module="cdrs").count == 1 == Cdr.objects.count()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"id": 1}'])
def test_what_is_no_cdr_leaves_nothing(cpo_client: PartnerClient, body: bytes) -> None:
    """R1.6, R1.7"""
    answer = cpo_client.post(URL, body)
    assert answer.codes in {(200, 2001), (400, 2001)} and "Location" not in answer.headers
    assert not Cdr.objects.exists()


def test_a_cdr_without_a_receiver_is_no_list_request_at_a_hub(cpo_client: PartnerClient) -> None:
    """R7.9: POST is for Open Routing, GET of a list is not."""
    Party.objects.create(party="NL*HUB", role="HUB", name="Hub")
    directory.changed()
    assert cpo_client.post(URL, theirs()).codes == (201, 1000)
    assert cpo_client.get(LIST).codes == (200, 2001)


# --- members --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("member", ["country_code", "party_id", "uid", "type", "contract_id"])
def test_a_cdr_token_of_version_2_2_is_refused(cpo_client: PartnerClient, member: str) -> None:
    """R9.7, trap 36"""
    answer = cpo_client.post(URL, theirs(cdr_token=without(cdr_token(), member)))
    assert answer.codes == (200, 2001) and f"/cdr_token/{member}" in answer.message
    assert not Cdr.objects.exists()


def signed(length: int) -> Document:
    value = {"nature": "Start", "plain_data": "p" * length, "signed_data": "s" * length}
    return {"encoding_method": "OCMF", "public_key": "k" * 512, "signed_values": [value], "url": "https://" + "u" * 504}


def test_signed_data_may_be_long(cpo_client: PartnerClient) -> None:
    """R9.7, R9.9e: 5000 characters; a longer text is kept too, as a defect."""
    document = theirs(signed_data=signed(5000), session_id=None)
    location = cpo_client.post(URL, document).headers["Location"]
    assert cpo_client.get(location).data == document and not defects()
    Cdr.objects.all().delete()
    assert cpo_client.post(URL, theirs(signed_data=signed(5001))).codes == (201, 1000)
    assert defects() == [f"/signed_data/signed_values/0/{name}_data" for name in ("plain", "signed")]


def test_a_cdr_may_be_far_larger_than_other_messages(cpo_client: PartnerClient) -> None:
    """Trap 38: thousands of charging periods, and the tariffs as they were."""
    document = theirs(charging_periods=[charging_period()] * 8000, tariffs=[tariff()] * 10)
    assert len(codec.encode(document)) > 1024 * 1024
    assert cpo_client.post(URL, document).codes == (201, 1000)
    assert not defects()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"charging_periods": [charging_period(dimensions=[{"type": "POWER", "volume": 1}])]}, "/charging_periods/0"),
        ({"id": "x" * 37}, "/id"),
        ({"credit_reference_id": "CDR-0"}, "/credit_reference_id"),
        ({"charging_periods": []}, "/charging_periods"),
    ],
)
def test_what_the_chapter_forbids_is_kept_as_a_defect(
    cpo_client: PartnerClient, changes: Document, pointer: str
) -> None:
    """R9.7, R9.9, R9.9c: dimensions of Sessions, long ids and references of CDRs that credit nothing."""
    assert cpo_client.post(URL, theirs(**changes)).codes == (201, 1000)
    assert [found for found in defects() if found.startswith(pointer)]


def test_an_id_beyond_the_longest_is_2001(cpo_client: PartnerClient) -> None:
    """R9.7"""
    assert cpo_client.post(URL, theirs(id="x" * 40)).codes == (200, 2001)


def test_a_cdr_without_a_session_is_valid(cpo_client: PartnerClient) -> None:
    """R9.7: of a reservation that came to nothing; a start that nobody knows is 1970 (errata E23)."""
    document = without(theirs(start_date_time="1970-01-01T00:00:00Z"), "session_id")
    assert cpo_client.post(URL, document).codes == (201, 1000)
    assert not defects()


# --- credit CDRs ----------------------------------------------------------------------------------------------------


def credit(**changes: Any) -> Document:
    return credit_cdr(**{"country_code": "DE", "party_id": "CPO", **changes})


@pytest.mark.parametrize("order", [1, -1])
def test_a_credit_cdr_and_its_original_may_come_in_any_order(cpo_client: PartnerClient, order: int) -> None:
    """R9.9: both stay, and the new CDR beside them."""
    documents = [theirs(), credit(), theirs(id="CDR-2")][::order]
    for document in documents:
        answer = cpo_client.post(URL, document)
        assert answer.codes == (201, 1000)
        assert cpo_client.get(answer.headers["Location"]).data == document
    assert dict(Cdr.objects.values_list("key", "is_credit")) == {"cdr-1": False, "cdr-1-c": True, "cdr-2": False}
    assert not Cdr.objects.exclude(defects="").exists()


def test_the_id_of_a_credit_cdr_may_be_longer(cpo_client: PartnerClient) -> None:
    """R9.9: 39 characters, so that something can be appended."""
    document = credit(id="x" * 36 + "-C1", credit_reference_id="x" * 36)
    assert cpo_client.post(URL, document).codes == (201, 1000)
    assert not defects()


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (without(credit(), "credit_reference_id"), "/credit_reference_id"),
        (credit(total_cost=price("0.8125")), "/total_cost/excl_vat"),
    ],
)
def test_an_odd_credit_cdr_is_kept_as_a_defect(cpo_client: PartnerClient, document: Document, pointer: str) -> None:
    """R9.9: it has to be paid back by somebody; a person looks at it."""
    assert cpo_client.post(URL, document).codes == (201, 1000)
    assert defects() == [pointer]


# --- who may see a CDR ----------------------------------------------------------------------------------------------


def test_only_the_cpo_that_sent_a_cdr_reads_it_at_our_receiver(
    cpo_client: PartnerClient, emsp_client: PartnerClient
) -> None:
    """R9.7, trap 8: not even the eMSP that pays, who has the Sender's list for that."""
    location = cpo_client.post(URL, theirs()).headers["Location"]
    others = [emsp_client, register("CPO:FR*CPO").client(), register("HUB:BE*HUB").client()]
    assert [client.get(location).codes for client in others] == [(404, 2000)] * 3
    assert cpo_client.get(location).http == 200


def test_of_two_hubs_each_reads_what_it_sent(db: None) -> None:
    """R7.7: a CDR is between a CPO and an eMSP."""
    first, second = register("HUB:BE*HUB").client(), register("HUB:FR*HUB").client()
    location = first.post(URL, theirs()).headers["Location"]
    assert first.get(location).data == theirs()
    assert second.get(location).codes == (404, 2000)


def test_our_own_cdrs_are_not_at_the_receiver(cpo_client: PartnerClient) -> None:
    """R6.8"""
    cdrs.put(Arrival(cdr()), None)
    assert cpo_client.get(f"{URL}/NL/OCP/CDR-1").codes == (404, 2000)


def test_a_cdr_is_listed_for_the_emsp_of_its_token_only(emsp_client: PartnerClient, emsp: Registered) -> None:
    """R7.7: with an exact total; hubs see what is behind them."""
    foreign = cdr(id="CDR-2", cdr_token=cdr_token(country_code="FR"))
    cdrs.put_many([Arrival(cdr()), Arrival(foreign), Arrival(credit_cdr())], None)
    answer = emsp_client.get(LIST)
    assert answer.data == [cdr(), credit_cdr()] and answer.headers["X-Total-Count"] == "2"
    assert register("EMSP:FR*MSP").client().get(LIST).data == [foreign]
    assert register("CPO:FR*CPO").client().get(LIST).data == []
    assert len(register("HUB:BE*HUB").client().get(LIST).data) == 3
    since = {"date_from": minutes_after_noon(25)}
    assert emsp_client.get(LIST, since).data == [credit_cdr()]


def test_what_we_list_is_valid(emsp_client: PartnerClient) -> None:
    """R9.7, DESIGN section 2.1"""
    cdrs.put(Arrival(cdr()), None)
    assert not [found for document in emsp_client.get(LIST).data for found in validation.check(document, WireCdr)]
