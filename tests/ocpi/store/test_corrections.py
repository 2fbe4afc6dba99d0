"""Correcting a CDR of our own: it is credited and replaced, once."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from ocpi.ids import PartyId
from ocpi.models import Cdr, CdrCorrection
from ocpi.store import corrections
from ocpi.store.catalogue import STORES
from ocpi.store.corrections import Uncorrectable
from ocpi.store.objects import Arrival
from ocpi.types import codec, validation
from ocpi.v221 import cdrs as wire
from ocpi.v221.versions import ModuleID
from tests.kit import cli
from tests.kit.objects import NOON, Document, cdr, location, price, tariff, without

pytestmark = pytest.mark.django_db(transaction=True)

OCP = PartyId("NL*OCP")


def bill(**changes: Any) -> Document:
    """1.25 kWh at 0.25 and a start fee of 0.50, billed as 2.00: too much."""
    return cdr(**{"tariffs": [tariff()], "total_cost": price("2.00", "2.42"), **changes})


def store(document: Document, source: int | None = None) -> Cdr:
    STORES[ModuleID.CDRS].put_many([Arrival(document)], source)
    row: Cdr = Cdr.objects.get(key=document["id"].lower())
    return row


def stored(id: str) -> Document:
    document: Document = codec.decode(Cdr.objects.get(key=id.lower()).document.encode())
    return document


def repriced(id: str = "CDR-1") -> corrections.Corrected:
    return corrections.correct(OCP, id, corrections.repriced(Cdr.objects.get(key=id.lower())))


def test_the_credit_cdr_says_all_that_the_original_says_but_for_the_sign_of_its_total() -> None:
    """§mod_cdrs_credit_cdrs"""
    original = bill(unknown_member={"kept": Decimal("0.10")}, total_energy_cost=price("0.3125"))
    store(original)
    repriced()
    credit = stored("CDR-1-C")
    assert credit["total_cost"] == price("-2.00", "-2.42") and str(credit["total_cost"]["excl_vat"]) == "-2.00"
    assert (credit["credit"], credit["credit_reference_id"]) == (True, "CDR-1")
    changed = ("id", "credit", "credit_reference_id", "total_cost", "last_updated")
    assert without(credit, *changed) == without(original, *changed)
    assert credit["last_updated"] > original["last_updated"]


def test_the_original_stays_as_it_is() -> None:
    before = store(bill()).document
    repriced()
    assert Cdr.objects.get(key="cdr-1").document == before


def test_the_new_cdr_costs_what_its_own_periods_and_tariffs_make_of_it() -> None:
    store(bill())
    repriced()
    new = stored("CDR-1-R1")
    assert new["total_cost"] == {
        "excl_vat": Decimal("0.8125"),
        "incl_vat": Decimal("0.878125").quantize(Decimal("0.0001")),
    }
    assert new["total_energy_cost"]["excl_vat"] == Decimal("0.3125")
    assert not {"credit", "credit_reference_id"} & new.keys()


def test_after_it_the_sum_of_the_three_is_the_new_one() -> None:
    store(bill())
    repriced()
    totals = [stored(id)["total_cost"]["excl_vat"] for id in ("CDR-1", "CDR-1-C", "CDR-1-R1")]
    assert sum(totals) == totals[-1]


def test_both_are_valid_and_the_credit_goes_out_first() -> None:
    store(bill())
    repriced()
    rows = Cdr.objects.order_by("revision")
    assert [row.key for row in rows] == ["cdr-1", "cdr-1-c", "cdr-1-r1"]
    assert all(row.source is None and not row.defects for row in rows)
    assert not any(validation.check(stored(row.key), wire.Cdr) for row in rows)


def test_local_times_are_those_of_the_location() -> None:
    """The dear hour begins at 13:00 by the clock of Amsterdam, which is noon UTC."""
    dear, cheap = ({"price_components": [{"type": "ENERGY", "price": Decimal(p), "step_size": 1}]} for p in "42")
    dear["restrictions"] = {"start_time": "13:00", "end_time": "14:00"}
    place = {**bill()["cdr_location"], "country": "PRT"}
    store(bill(tariffs=[tariff(elements=[dear, cheap])], cdr_location=place, start_date_time=NOON))
    STORES[ModuleID.LOCATIONS].put_many([Arrival(location())], None)
    repriced()
    assert stored("CDR-1-R1")["total_cost"]["excl_vat"] == Decimal("5.00")


def test_a_cdr_is_corrected_once_and_its_successor_can_be_corrected_again() -> None:
    store(bill())
    repriced()
    with pytest.raises(Uncorrectable, match="credited before, by cdr-1-c"):
        repriced()
    corrections.correct(OCP, "CDR-1-R1", bill(id="CDR-1-R1", total_cost=price("1.00")))
    assert stored("CDR-1-R1-C")["credit_reference_id"] == "CDR-1-R1"
    assert stored("CDR-1-R2")["total_cost"] == price("1.00")
    assert CdrCorrection.objects.count() == 2


def test_of_many_at_once_one_corrects(threaded_db: None) -> None:
    store(bill())

    def work(_: int) -> bool:
        try:
            repriced()
        except Uncorrectable:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, range(4))) == [False, False, False, True]
    assert Cdr.objects.count() == 3


def test_a_credit_that_came_another_way_counts() -> None:
    store(bill())
    store(bill(id="K-9", credit=True, credit_reference_id="cdr-1", total_cost=price("-2.00", "-2.42")))
    with pytest.raises(Uncorrectable, match="k-9"):
        repriced()


def test_a_credit_of_a_credit_is_refused() -> None:
    store(bill())
    repriced()
    with pytest.raises(Uncorrectable, match="credit CDR itself"):
        corrections.correct(OCP, "CDR-1-C", bill())


def test_a_partners_cdr_is_not_ours_to_credit() -> None:
    store(bill(), source=7)
    with pytest.raises(Uncorrectable, match="a partner's"):
        repriced()


@pytest.mark.parametrize(
    ("replacement", "because"),
    [
        (without(bill(), "total_energy"), "/total_energy"),
        (bill(party_id="XXX"), "/party_id"),
        (bill(id="TAKEN"), "/id"),
        ([], "no JSON object"),
    ],
)
def test_a_replacement_that_cannot_be_sent_leaves_nothing_behind(replacement: Any, because: str) -> None:
    store(bill())
    store(bill(id="TAKEN"))
    with pytest.raises(Uncorrectable, match=because):
        corrections.correct(OCP, "CDR-1", replacement)
    assert Cdr.objects.count() == 2 and not CdrCorrection.objects.exists()


def test_the_longest_id_has_room_for_its_credit_and_a_new_one_for_its_successor() -> None:
    long = "X" * 36
    store(bill(id=long))
    made = repriced(long)
    assert made.credit["id"] == long + "-C"
    assert len(made.replacement["id"]) == 36 and made.replacement["id"] != long


def command(*arguments: str) -> tuple[Any, int]:
    return cli.run("correct_cdr", *arguments, "--party", "nl*ocp")


def test_the_command_reprices_or_takes_a_file(tmp_path: Path) -> None:
    store(bill())
    store(bill(id="CDR-2"))
    result, code = command("CDR-1", "--reprice")
    assert (code, result["credit"], result["replacement"]) == (0, "CDR-1-C", "CDR-1-R1")
    file = tmp_path / "cdr.json"
    file.write_bytes(codec.encode(bill(id="CDR-2", total_cost=price("1.50"))))
    result, code = command("cdr-2", "--with", str(file))
    assert (code, result["total_cost"]) == (0, price("1.50"))


def test_the_command_says_why_not(tmp_path: Path) -> None:
    assert command("NONE", "--reprice")[1] == 1
    assert command("CDR-1", "--with", str(tmp_path / "none.json"))[1] == 2
    store(without(bill(), "tariffs"))
    result, code = command("CDR-1", "--reprice")
    assert code == 1 and "cannot be priced" in result["error"]["message"]


def test_staff_see_both_totals_and_correct(admin_client: Client) -> None:
    row = store(bill())
    url = reverse("admin:ocpi_cdr_correct", args=[row.pk])
    page = admin_client.get(url).content.decode()
    assert "2.00" in page and "0.8125" in page
    assert not CdrCorrection.objects.exists()
    admin_client.post(url, {"way": "reprice"})
    assert CdrCorrection.objects.get().made_by == "admin"
    assert "cdr-1-c" in admin_client.get(reverse("admin:ocpi_cdr_change", args=[row.pk])).content.decode()


def test_staff_upload_a_corrected_cdr(admin_client: Client) -> None:
    row = store(bill())
    url = reverse("admin:ocpi_cdr_correct", args=[row.pk])
    broken = SimpleUploadedFile("cdr.json", b"{")
    assert "is not JSON" in admin_client.post(url, {"way": "file", "file": broken}).content.decode()
    good = SimpleUploadedFile("cdr.json", codec.encode(bill(total_cost=price("1.00"))))
    assert admin_client.post(url, {"way": "file", "file": good}).status_code == 302
    assert stored("CDR-1-R1")["total_cost"] == price("1.00")


def test_who_may_only_look_does_not_correct(client: Client, django_user_model: Any) -> None:
    from django.contrib.auth.models import Permission

    row = store(bill())
    user = django_user_model.objects.create_user("looker", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_cdr"))
    client.force_login(user)
    assert client.post(reverse("admin:ocpi_cdr_correct", args=[row.pk]), {"way": "reprice"}).status_code == 403
    assert Cdr.objects.count() == 1
