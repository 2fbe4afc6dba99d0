"""Tariffs: what is theirs alone; the rest is in test_owned.py (§mod_tariffs_tariffs_module)."""

from decimal import Decimal
from typing import Any

import pytest

from ocpi.models import ObjectCount, Tariff
from ocpi.store.objects import Arrival
from ocpi.store.tariffs import tariffs
from tests.kit.caller import RECEIVER, SENDER, PartnerClient
from tests.kit.objects import Document, minutes_after_noon, price, tariff, without
from tests.kit.platforms import Registered, register

URL = f"{RECEIVER}/tariffs/DE/CPO/T"
LIST = f"{SENDER}/tariffs"


def theirs(**changes: Any) -> Document:
    """Tariff T of DE*CPO."""
    return tariff(**{"country_code": "DE", "party_id": "CPO", "id": "T", **changes})


@pytest.fixture
def client(cpo_client: PartnerClient) -> PartnerClient:
    """A CPO that has pushed a Tariff."""
    assert cpo_client.put(URL, theirs()).codes == (201, 1000)
    return cpo_client


def counted(owner: str) -> int:
    return ObjectCount.objects.get(module="tariffs", owner=owner).count


def element(*components: Document, **restrictions: Any) -> Document:
    return {"price_components": list(components)} | ({"restrictions": restrictions} if restrictions else {})


def component(type: str, amount: str, **more: Any) -> Document:
    return {"type": type, "price": Decimal(amount), "step_size": 1, **more}


# --- DELETE ---------------------------------------------------------------------------------------------------------


def test_a_deleted_tariff_is_gone(client: PartnerClient) -> None:
    """R9.10: without data in the answer."""
    answer = client.delete(URL)
    assert answer.codes == (200, 1000) and "data" not in answer.envelope
    assert client.get(URL).codes == (404, 2000)
    assert counted("DE*CPO") == 0


def test_deleting_twice_or_what_never_was_is_404(client: PartnerClient) -> None:
    """R9.10, R1.8"""
    client.delete(URL)
    for url in (URL, f"{RECEIVER}/tariffs/DE/CPO/NEVER"):
        assert client.delete(url).codes == (404, 2000)
    assert counted("DE*CPO") == 0


def test_a_deleted_tariff_can_come_back(client: PartnerClient) -> None:
    """R9.10, R1.9: as a new one."""
    client.delete(URL)
    again = theirs(currency="SEK", last_updated=minutes_after_noon(5))
    assert client.put(URL, again).codes == (201, 1000)
    assert client.get(URL).data == again
    assert counted("DE*CPO") == 1 == Tariff.objects.count()


def test_ids_of_a_delete_ignore_case(client: PartnerClient) -> None:
    """R1.16, trap 19"""
    assert client.delete(f"{RECEIVER}/tariffs/de/cpo/t").codes == (200, 1000)


@pytest.mark.parametrize("owner", ["NL/OCP", "FR/TKN", "XX/YYY"])
def test_nobody_deletes_the_tariffs_of_others(cpo_client: PartnerClient, owner: str) -> None:
    """R6.8, trap 8"""
    register("CPO:FR*TKN")
    tariffs.put(Arrival(tariff(country_code=owner[:2], party_id=owner[3:])), None)
    assert cpo_client.delete(f"{RECEIVER}/tariffs/{owner}/TARIFF-1").codes == (404, 2000)
    assert not Tariff.objects.get().deleted


def test_deleted_tariffs_are_in_no_list_and_no_total(emsp_client: PartnerClient) -> None:
    """R9.10, R5.3: also with a filter, and on later pages."""
    tariffs.put_many([Arrival(tariff(id=f"T{number}")) for number in range(4)], None)
    owner = Arrival(tariff()).owner
    assert tariffs.delete(owner, "T1", None) and not tariffs.delete(owner, "T1", None)
    for params in ({}, {"date_from": "2020-01-01T00:00:00Z"}, {"limit": "2"}):
        answer = emsp_client.get(LIST, params)
        assert answer.headers["X-Total-Count"] == "3"
        assert [document["id"] for document in answer.data] == ["T0", "T2", "T3"][: len(answer.data)]
    assert [document["id"] for document in emsp_client.get(str(answer.next_url)).data] == ["T3"]


# --- members --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"elements": [element(component("FLAT", "0.00"))]},
        {"elements": [element(component("TIME", "2.0000", vat=Decimal("0.0")), start_time="22:00", end_time="06:00")]},
        {"elements": [element(component("TIME", "1"), reservation="RESERVATION_EXPIRES")]},
        {"elements": [element(component("ENERGY", "-0.1"), min_kwh=Decimal("0.5"), day_of_week=["MONDAY"])]},
        {"min_price": price("0.50", "0.605"), "max_price": price("99.99"), "type": "AD_HOC_PAYMENT"},
        {"start_date_time": minutes_after_noon(0), "end_date_time": None, "energy_mix": {"is_green_energy": True}},
        {"tariff_alt_text": [{"language": "de", "text": "2 € je Stunde"}], "tariff_alt_url": "https://cpo.example/t"},
    ],
)
def test_what_the_chapter_allows_is_no_defect(cpo_client: PartnerClient, changes: Document) -> None:
    """R9.10, R9.10c: no vat is not vat 0, and both stay as they are."""
    assert cpo_client.put(URL, theirs(**changes)).codes == (201, 1000)
    assert cpo_client.get(URL).data == theirs(**changes)
    assert not Tariff.objects.get().defects


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"elements": []}, "/elements"),
        ({"elements": [element()]}, "/elements/0/price_components"),
        ({"elements": [element(component("ENERGY", "1"), reservation="RESERVATION")]}, "/elements/0"),
        ({"elements": [element(component("WEIGHT", "1"))]}, "/elements/0/price_components/0/type"),
        ({"elements": [element(component("TIME", "1"), start_time="24:00")]}, "/elements/0/restrictions/start_time"),
    ],
)
def test_what_the_chapter_forbids_is_kept_as_a_defect(
    cpo_client: PartnerClient, changes: Document, pointer: str
) -> None:
    """R9.10, DESIGN section 2.1"""
    assert cpo_client.put(URL, theirs(**changes)).codes == (201, 1000)
    assert pointer in Tariff.objects.get().defects


@pytest.mark.parametrize(
    "broken",
    [
        {"elements": None}, {"elements": [7]}, {"elements": [{}]},
        {"elements": [element(without(component("TIME", "1"), "price"))]},
        {"elements": [element(component("TIME", "1", step_size="1"))]},
        {"elements": [element({**component("TIME", "1"), "price": "1.00"})]},
    ],
)  # fmt: skip
def test_a_price_that_cannot_be_read_is_2001(cpo_client: PartnerClient, broken: Document) -> None:
    """R1.7, R1.15: a number is never a string."""
    assert cpo_client.put(URL, theirs(**broken)).codes == (200, 2001)
    assert not Tariff.objects.exists()


def test_every_emsp_sees_every_tariff(emsp_client: PartnerClient, emsp: Registered) -> None:
    """R9.10: tariffs are no secret between parties that exchange them."""
    tariffs.put(Arrival(tariff()), None)
    assert emsp_client.get(LIST).data == [tariff()] == register("NSP:FR*NSP").client().get(LIST).data
