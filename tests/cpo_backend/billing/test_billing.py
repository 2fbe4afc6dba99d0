"""From transactions to Sessions and CDRs: what is in them, what is held, what staff decide."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from cpo_backend.billing import deciding, making
from cpo_backend.models import Bill, Charger, ChargerEvse, Transaction
from ocpi.models import Cdr, Session, Tariff
from ocpi.store.objects import Arrival
from ocpi.store.tokens import tokens
from ocpi.types import codec
from tests.kit import charging
from tests.kit.charger import V201, FakeCharger
from tests.kit.chargers import connected
from tests.kit.charging import after, metered, sample, start, stopping
from tests.kit.objects import token
from tests.kit.platforms import Registered

BEGIN, END = "Transaction.Begin", "Transaction.End"


def charge(cp: FakeCharger, number: int = 1, *, kwh: int = 7, tag: str = charging.TAG, **stop: Any) -> int:
    """An hour at a connector; the bill is not made yet."""
    id = int(cp.call("StartTransaction", charging.starting(number, tag=tag))["transactionId"])
    cp.call("StopTransaction", stopping(id, meter=1000 + kwh * 1000, **stop))
    return id


def implausible(url: str) -> Bill:
    with connected(url) as cp:
        charge(cp, kwh=100)
    charging.make()
    return charging.bill()


def test_the_cdr_says_where_with_which_tariff_and_at_which_meter(url: str, charger: Charger) -> None:
    Charger.objects.update(meter_serial_number="M-1")
    with connected(url) as cp:
        charge(cp)
    charging.make()
    cdr = charging.cdr()
    assert cdr["cdr_location"] == {
        "id": "LOC-1",
        "name": "Harbour car park",
        "address": "Quay 12",
        "city": "Veldstad",
        "postal_code": "1234 AB",
        "country": "NLD",
        "coordinates": {"latitude": "52.123456", "longitude": "5.654321"},
        "evse_uid": "LOC-1-1",
        "evse_id": "NL*OCP*ELOC-1-1",
        "connector_id": "1",
        "connector_standard": "IEC_62196_T2",
        "connector_format": "SOCKET",
        "connector_power_type": "AC_3_PHASE",
    }
    assert ([tariff["id"] for tariff in cdr["tariffs"]], cdr["meter_id"]) == (["TARIFF-1"], "M-1")
    assert "home_charging_compensation" not in cdr


def test_the_session_is_that_of_the_evse_and_costs_what_it_costs_so_far(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        id = start(cp, 2)
        charging.meter(cp, id, 30, sample(4000), number=2)
        charging.make()
    session = charging.session()
    assert (session["evse_uid"], session["connector_id"], session["location_id"]) == ("LOC-1-2", "1", "LOC-1")
    assert session["total_cost"]["excl_vat"] == Decimal("1.25")
    assert sum(period["dimensions"][0]["volume"] for period in session["charging_periods"]) == 3


def test_how_the_token_was_authorized_is_told(url: str, charger: Charger, emsp: Registered) -> None:
    """Ours by us, a partner's by its list; in Session and CDR alike."""
    card = token(uid="LISTED", country_code="DE", party_id="MSP", whitelist="ALWAYS", contract_id="DE-MSP-C1-5")
    tokens.put(Arrival(card), emsp.platform.pk)
    with connected(url) as cp:
        charge(cp)
        charge(cp, 2, tag="listed")
    charging.make()
    found = [codec.decode(row.document.encode()) for row in Cdr.objects.order_by("pk")]
    assert [cdr["auth_method"] for cdr in found] == ["AUTH_REQUEST", "WHITELIST"]
    assert found[1]["cdr_token"] == {
        "country_code": "DE",
        "party_id": "MSP",
        "uid": "LISTED",
        "type": "RFID",
        "contract_id": "DE-MSP-C1-5",
    }
    sessions = [codec.decode(row.document.encode()) for row in Session.objects.order_by("pk")]
    assert [session["auth_method"] for session in sessions] == ["AUTH_REQUEST", "WHITELIST"]


def test_many_samples_are_one_update(url: str, charger: Charger) -> None:
    """At most every so many seconds, and at once when the state changes."""
    with connected(url) as cp:
        id = start(cp)
        making.make_due()
        for minute in (1, 2, 3):
            charging.meter(cp, id, minute, sample(1000 + minute))
        making.make_due()
        assert charging.session()["kwh"] == 0
        due_at = charging.bill().session_due_at
        assert due_at is not None
        assert timezone.now() < due_at < timezone.now() + timedelta(seconds=60)
        cp.status(1, "SuspendedEV", timestamp=after(4))
        making.make_due()
        assert charging.session()["kwh"] > 0


def test_a_tariff_that_changes_meanwhile_changes_for_others(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        id = start(cp)
        charging.make()
        charging.add_tariff(elements=[{"price_components": [charging.component("9.99")]}])
        cp.call("StopTransaction", stopping(id))
    charging.make()
    assert charging.cdr()["total_cost"]["excl_vat"] == Decimal("2.25")


def test_a_tariff_that_is_not_valid_then_is_not_taken(url: str, charger: Charger) -> None:
    charging.add_tariff(end_date_time=after(-60))
    with connected(url) as cp:
        charge(cp)
    charging.make()
    cdr = charging.cdr()
    assert ([tariff["id"] for tariff in cdr["tariffs"]], cdr["total_cost"]["excl_vat"]) == (["FREE"], 0)


def test_without_a_tariff_it_is_free_and_says_so(url: str, charger: Charger) -> None:
    Tariff.objects.all().delete()
    with connected(url) as cp:
        charge(cp)
    charging.make()
    cdr = charging.cdr()
    assert (cdr["total_energy"], cdr["total_cost"]["excl_vat"]) == (7, 0)


def test_staff_let_out_what_looks_implausible(url: str, charger: Charger) -> None:
    bill = implausible(url)
    assert bill.state == Bill.State.HELD
    deciding.release(bill.pk, "ann", "the meter was checked")
    charging.make()
    bill.refresh_from_db()
    assert (bill.state, bill.decided_by, bill.decision) == (Bill.State.OUT, "ann", "the meter was checked")
    assert charging.cdr()["total_energy"] == 100


def test_staff_discard_what_is_held_for_good(url: str, charger: Charger) -> None:
    bill = implausible(url)
    deciding.discard(bill.pk, "ann", "a test of the electrician")
    with connected(url) as cp:
        charging.meter(cp, bill.pk, 30, sample(4000))
    charging.make()
    bill.refresh_from_db()
    assert (bill.state, Cdr.objects.count()) == (Bill.State.DISCARDED, 0)
    with pytest.raises(deciding.Undecidable, match="not held"):
        deciding.release(bill.pk, "ann", "after all")


def test_a_decision_needs_a_reason(url: str, charger: Charger) -> None:
    bill = implausible(url)
    with pytest.raises(deciding.Undecidable, match="say why"):
        deciding.release(bill.pk, "ann", " ")
    assert Bill.objects.get().state == Bill.State.HELD


def test_what_cannot_be_billed_at_all_is_not_let_out(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        charge(cp, tag="NOBODY")
    charging.make()
    deciding.release(charging.bill().pk, "ann", "try it")
    charging.make()
    assert (charging.bill().state, Cdr.objects.count()) == (Bill.State.HELD, 0)


def test_a_connector_that_nobody_mapped_is_held_and_billed_once_it_is(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        charge(cp, 3)
    charging.make()
    bill = charging.bill()
    assert bill.reason == "no EVSE is mapped to connector 3"
    ChargerEvse.objects.filter(number=2).update(number=3)
    deciding.release(bill.pk, "ann", "mapped now")
    charging.make()
    assert charging.cdr()["cdr_location"]["evse_uid"] == "LOC-1-2"


def test_a_token_that_was_refused_is_held(url: str, charger: Charger) -> None:
    """A charger that was offline may have charged for it all the same."""
    charging.add_token("BLOCKED", valid=False)
    with connected(url) as cp:
        charge(cp, tag="BLOCKED")
    charging.make()
    assert charging.bill().reason.startswith("the token was ")
    assert charging.session()["status"] == "COMPLETED"


def ocmf(begin: str, end: str) -> str:
    """A record as meters sign it, with both readings."""
    readings = [{"TX": "B", "RV": Decimal(begin), "RU": "kWh"}, {"TX": "E", "RV": Decimal(end), "RU": "kWh"}]
    return f'OCMF|{codec.encode_text({"FV": "1.0", "RD": readings})}|{{"SD":"304502"}}'


def test_what_the_meter_signed_decides_and_is_passed_on_to_the_letter(url: str, charger: Charger) -> None:
    record = ocmf("1.000", "7.991")
    signed = metered(60, sample(record, format="SignedData", context=END))
    with connected(url) as cp:
        charge(cp, transactionData=[signed])
    charging.make()
    cdr = charging.cdr()
    assert cdr["total_energy"] == Decimal("6.991")
    assert cdr["signed_data"] == {
        "encoding_method": "OCMF",
        "signed_values": [{"nature": "End", "plain_data": record, "signed_data": record}],
    }
    assert charging.bill().basis == "signed values"


def test_without_the_signature_of_the_end_it_is_held(url: str, charger: Charger) -> None:
    begin = metered(0, sample("AP;0;3;BLOB", format="SignedData", context=BEGIN))
    with connected(url) as cp:
        charge(cp, transactionData=[begin])
    charging.make()
    assert charging.bill().reason == "the meter signed the begin and not the end"


def test_odd_meters_are_named(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        charge(cp, transactionData=[metered(20, sample(3000)), metered(30, sample(0)), metered(40, sample(6000))])
    charging.make()
    assert "left out" in charging.bill().oddities
    assert charging.cdr()["total_energy"] == 7


def test_a_bill_that_fails_is_tried_again_and_keeps_no_other(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        broken = charge(cp)
        charge(cp, 2)
    Transaction.objects.filter(pk=broken).update(cdr_token="{")
    charging.make()
    assert charging.cdr()["cdr_location"]["evse_uid"] == "LOC-1-2"
    due_at = Bill.objects.get(pk=broken).cdr_due_at
    assert due_at is not None
    assert due_at > timezone.now()


def test_a_bill_is_made_once_however_often_it_is_asked_for(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        id = charge(cp)
    for _ in range(3):
        Bill.objects.update(cdr_due_at=timezone.now())
        making.make(id)
    assert Cdr.objects.count() == 1


def test_partners_do_not_hear_of_a_token_that_was_refused_and_did_not_charge(url: str, charger: Charger) -> None:
    charging.add_token("BLOCKED", valid=False)
    with connected(url) as cp:
        charge(cp, kwh=0, tag="BLOCKED")
        charging.make()
    assert (charging.bill().state, Session.objects.count()) == (Bill.State.NOTHING, 0)


def test_a_late_start_of_the_newer_version_is_told_with_its_own_token(url: str, charger: Charger) -> None:
    """The Session is that of whoever began, though the end came first."""
    with connected(url, subprotocol=V201) as cp:
        *others, ended = charging.course()
        cp.call("TransactionEvent", ended)
        charging.make()
        assert (Session.objects.count(), Cdr.objects.count()) == (0, 0)
        for told in others:
            cp.call("TransactionEvent", told)
    charging.make()
    assert charging.cdr()["total_energy"] == 7
    assert charging.session()["status"] == "COMPLETED"
