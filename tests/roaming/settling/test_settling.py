"""Settling a month: what counts, what does not yet, and what stays as it is for good."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from ocpi.accounts.months import Month
from ocpi.ids import PartyId
from ocpi.models import Cdr
from ocpi.store import corrections
from ocpi.types import codec, times
from roaming import tasks
from roaming.agreement_models import Agreement
from roaming.audit_models import CdrAudit
from roaming.dispute_models import Dispute
from roaming.settlement_models import SettledCdr, Settlement
from roaming.settling import building, choosing, closing, drafting
from roaming.settling.choosing import NotOpen
from tests.kit.billing import CPO, MSP, bill, component, credit, per_kwh, receive
from tests.kit.objects import Document, cdr_token, price

pytestmark = pytest.mark.django_db(transaction=True)

MARCH, APRIL, MAY = Month(2025, 3), Month(2025, 4), Month(2025, 5)
IN_MARCH, IN_APRIL, IN_MAY = (datetime(2025, number, 10, 12, tzinfo=UTC) for number in (3, 4, 5))
NOW = datetime(2025, 8, 1, tzinfo=UTC)
State = Settlement.State


def drawn_up(month: Month = MARCH) -> Settlement:
    row = building.draft(CPO, MSP, month, NOW)
    assert row is not None
    return row


def closed(month: Month = MARCH) -> Settlement:
    row = closing.close(CPO, MSP, month, NOW, "clerk")
    assert row is not None
    return row


def statement(row: Settlement) -> Any:
    return codec.decode(row.statement.encode())


def counted(row: Settlement) -> list[str]:
    return list(row.cdrs.filter(held="").order_by("number").values_list("cdr__key", flat=True))


def total(row: Settlement) -> tuple[Decimal, Decimal]:
    (found,) = statement(row)["totals"]
    return found["excl_vat"], found["incl_vat"]


def agree(**terms: Any) -> Agreement:
    return Agreement.objects.create(party_a=MSP, party_b=CPO, valid_from=datetime(2025, 1, 1, tzinfo=UTC), **terms)


def dispute(key: str, state: str = Dispute.State.OPEN) -> Dispute:
    return Dispute.objects.create(cdr=Cdr.objects.get(key=key), reason="too dear", evidence="{}", state=state)


def doubt(key: str, verdict: str = "HOLD", **more: Any) -> None:
    row = Cdr.objects.get(key=key)
    CdrAudit.objects.create(cdr=row, verdict=verdict, findings="[]", started_at=IN_MARCH, ended_at=IN_MARCH, **more)


# --- which month ----------------------------------------------------------------------------------------------------


def test_a_cdr_belongs_to_the_month_its_session_ended_in() -> None:
    receive(bill(datetime(2025, 3, 31, 23, 30, tzinfo=UTC), id="OVER"), bill(IN_MARCH, id="IN"))
    assert (counted(drawn_up(MARCH)), counted(drawn_up(APRIL))) == (["in"], ["over"])


def test_the_month_is_that_of_the_clock_that_was_agreed_on() -> None:
    receive(bill(datetime(2025, 3, 31, 21, 30, tzinfo=UTC)))
    agree(settle_zone="Europe/Amsterdam")
    assert counted(drawn_up(APRIL)) == ["cdr-1"]
    assert building.draft(CPO, MSP, MARCH, NOW) is None


def test_a_cdr_that_does_not_say_when_it_ended_counts_from_when_it_was_made() -> None:
    receive(bill(IN_MARCH, end_date_time="yesterday", last_updated=times.format(IN_APRIL)))
    assert counted(drawn_up(APRIL)) == ["cdr-1"]


def test_each_pair_of_parties_has_its_own_settlement() -> None:
    other = cdr_token(party_id="XXX")
    receive(bill(IN_MARCH, id="A"), bill(IN_MARCH, id="B", cdr_token=other))
    assert choosing.pairs(MARCH) == [(CPO, MSP), (CPO, "DE*XXX")]
    assert counted(drawn_up()) == ["a"]


def test_our_own_cdrs_are_settled_like_those_we_received() -> None:
    receive(bill(IN_MARCH), source=None)
    assert counted(drawn_up()) == ["cdr-1"]


def test_what_comes_after_its_month_was_closed_falls_into_the_next_one() -> None:
    receive(bill(IN_MARCH))
    closed()
    receive(bill(IN_MARCH, id="LATE"), bill(IN_APRIL, id="APRIL"))
    row = drawn_up(APRIL)
    assert counted(row) == ["late", "april"] and row.late_count == 1
    assert [entry.is_late for entry in row.cdrs.order_by("number")] == [True, False]


def test_a_late_cdr_falls_into_the_first_open_month_not_a_later_one() -> None:
    receive(bill(IN_MARCH))
    closed()
    receive(bill(IN_MARCH, id="LATE"), bill(IN_MAY, id="MAY"))
    assert (counted(drawn_up(APRIL)), counted(drawn_up(MAY))) == (["late"], ["may"])


def test_months_are_closed_in_their_order() -> None:
    receive(bill(IN_MARCH, id="A"), bill(IN_APRIL, id="B"), bill(IN_MAY, id="C"))
    with pytest.raises(NotOpen, match="2025-03 first"):
        closed(MAY)
    closed(MARCH)
    with pytest.raises(NotOpen, match="2025-04 first"):
        closed(MAY)
    closed(APRIL)
    assert counted(closed(MAY)) == ["c"]


def test_a_month_without_cdrs_need_not_be_closed() -> None:
    receive(bill(IN_MARCH, id="A"), bill(IN_MAY, id="C"))
    closed(MARCH)
    assert closing.close(CPO, MSP, APRIL, NOW) is None
    assert counted(closed(MAY)) == ["c"]
    assert not Settlement.objects.filter(month="2025-04").exists()


def test_a_month_that_was_passed_over_is_not_opened_again() -> None:
    receive(bill(IN_APRIL))
    closed(APRIL)
    receive(bill(IN_MARCH, id="LATE"))
    with pytest.raises(NotOpen, match="up to 2025-04 are closed"):
        building.draft(CPO, MSP, MARCH, NOW)
    assert counted(drawn_up(MAY)) == ["late"]


def test_nothing_falls_between_two_months_when_the_clock_changes() -> None:
    """April ends by UTC; May is by Amsterdam, where it begins two hours earlier: nothing counts twice either."""
    receive(bill(IN_APRIL))
    closed(APRIL)
    agree(settle_zone="America/New_York")
    receive(bill(datetime(2025, 5, 1, 0, 30, tzinfo=UTC), id="BETWEEN"))
    assert counted(drawn_up(MAY)) == ["between"]


# --- what it comes to -----------------------------------------------------------------------------------------------


def test_totals_are_exact_to_the_last_digit() -> None:
    receive(*(bill(IN_MARCH, id=f"C{n}", total_cost=price("0.1001", "0.12012"), tariffs=[]) for n in range(10)))
    assert total(drawn_up()) == (Decimal("1.001"), Decimal("1.2012"))


def test_vat_is_told_by_rate() -> None:
    receive(
        bill(IN_MARCH, id="A"),
        bill(IN_MARCH, id="B"),
        bill(IN_MARCH, id="C", total_cost=price("100", "119"), tariffs=[per_kwh(component("10", "19"))]),
    )
    lines = [(line["rate"], line["cdrs"], line["excl_vat"], line["vat"]) for line in statement(drawn_up())["vat"]]
    assert lines == [("19", 1, 100, 19), ("20", 2, Decimal("5.00"), Decimal("1.00"))]


def test_a_cdr_that_tells_nothing_of_vat_is_a_line_of_its_own() -> None:
    receive(bill(IN_MARCH, id="A"), bill(IN_MARCH, id="B", total_cost=price("2.50")))
    row = drawn_up()
    assert [(line["rate"], line["vat"]) for line in statement(row)["vat"]] == [
        ("20", Decimal("0.50")),
        ("not told", None),
    ]
    (found,) = statement(row)["totals"]
    assert (found["excl_vat"], found["incl_vat"]) == (Decimal("5.00"), None)


def test_currencies_are_never_added() -> None:
    receive(bill(IN_MARCH, id="A"), bill(IN_MARCH, id="B", currency="SEK"), bill(IN_MARCH, id="C", currency="sek"))
    totals = [(found["currency"], found["excl_vat"]) for found in statement(drawn_up())["totals"]]
    assert totals == [("EUR", Decimal("2.50")), ("SEK", Decimal("5.00"))]


def test_a_credit_nets_to_zero_and_is_a_line_of_its_own() -> None:
    """§mod_cdrs_credit_cdrs"""
    receive(bill(IN_MARCH), credit(bill(IN_MARCH)))
    row = drawn_up()
    assert total(row) == (0, 0)
    assert [(line["kind"], line["excl_vat"]) for line in statement(row)["vat"]] == [
        ("charge", Decimal("2.50")),
        ("credit", Decimal("-2.50")),
    ]
    (found,) = statement(row)["totals"]
    assert (found["cdrs"], found["credits"], found["kwh"]) == (1, 1, 0)


def test_original_credit_and_corrected_cdr_come_to_the_corrected_one() -> None:
    receive(bill(IN_MARCH, cost="3.50"), source=None)
    corrections.correct(PartyId(CPO), "CDR-1", corrections.repriced(Cdr.objects.get()))
    assert total(drawn_up()) == (Decimal("2.50"), Decimal("3.00"))


def test_an_invoice_is_rounded_once_for_each_rate_to_the_smallest_unit() -> None:
    thirds = [bill(IN_MARCH, id=f"C{n}", total_cost=price("0.3334", "0.4001")) for n in range(3)]
    yen = bill(IN_MARCH, id="Y", currency="JPY", total_cost=price("10.4", "12.48"))
    receive(*thirds, yen)
    invoices = {found["currency"]: found["invoice"] for found in statement(drawn_up())["totals"]}
    assert (invoices["EUR"]["excl_vat"], invoices["EUR"]["incl_vat"]) == (Decimal("1.00"), Decimal("1.20"))
    assert (invoices["JPY"]["excl_vat"], invoices["JPY"]["incl_vat"]) == (10, 12)


def test_the_hub_takes_a_fee_for_each_session_that_was_not_credited() -> None:
    agree(fee_per_session=Decimal("0.40"), fee_currency="EUR", fee_vat=Decimal(21))
    receive(bill(IN_MARCH, id="A"), bill(IN_MARCH, id="B", currency="SEK"), bill(IN_MARCH), credit(bill(IN_MARCH)))
    (fee,) = statement(drawn_up())["fees"]
    assert (fee["sessions"], fee["excl_vat"], fee["vat"], fee["currency"]) == (
        2,
        Decimal("0.80"),
        Decimal("0.17"),
        "EUR",
    )


def test_a_fee_in_percent_is_of_the_net_total_in_each_currency() -> None:
    agree(fee_percent=Decimal("1.5"))
    receive(bill(IN_MARCH, id="A", cost="33.30"), bill(IN_MARCH, id="B", currency="JPY", total_cost=price("100")))
    fees = [(fee["currency"], fee["base"], fee["excl_vat"], fee["vat"]) for fee in statement(drawn_up())["fees"]]
    assert fees == [("EUR", Decimal("33.30"), Decimal("0.50"), None), ("JPY", 100, 2, None)]


def test_terms_are_those_that_were_in_force_last_in_the_month() -> None:
    agree(fee_percent=Decimal(1), valid_to=datetime(2025, 3, 20, tzinfo=UTC))
    Agreement.objects.create(party_a=CPO, party_b=MSP, valid_from=datetime(2025, 3, 20, tzinfo=UTC), fee_percent=2)
    Agreement.objects.create(party_a=CPO, party_b=MSP, valid_from=datetime(2025, 4, 1, tzinfo=UTC), fee_percent=3)
    receive(bill(IN_MARCH))
    assert statement(drawn_up())["terms"]["fee_percent"] == 2


# --- what is held back ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [Dispute.State.OPEN, Dispute.State.SENT, Dispute.State.ACCEPTED])
def test_a_disputed_cdr_is_listed_and_held_back(state: str) -> None:
    receive(bill(IN_MARCH, id="A"), bill(IN_MARCH, id="B"))
    dispute("b", state)
    row = drawn_up()
    assert counted(row) == ["a"] and row.held_count == 1
    assert "dispute" in row.cdrs.get(cdr__key="b").held
    assert statement(row)["held"] == [{"currency": "EUR", "cdrs": 1, "excl_vat": Decimal("2.50")}]


@pytest.mark.parametrize("state", [Dispute.State.REJECTED, Dispute.State.WITHDRAWN])
def test_a_dispute_that_was_lost_holds_nothing_back_whatever_the_audit_said(state: str) -> None:
    receive(bill(IN_MARCH))
    doubt("cdr-1", "DISPUTE")
    assert drawn_up().held_count == 1
    dispute("cdr-1", state)
    assert counted(drawn_up()) == ["cdr-1"]


def test_what_the_audit_holds_is_held_back_until_it_is_released() -> None:
    receive(bill(IN_MARCH))
    doubt("cdr-1")
    assert drawn_up().held_count == 1
    CdrAudit.objects.update(released_at=timezone.now())
    assert counted(drawn_up()) == ["cdr-1"]


def test_by_agreement_disputed_cdrs_are_settled() -> None:
    agree(settle_disputed=True)
    receive(bill(IN_MARCH))
    dispute("cdr-1")
    assert counted(drawn_up()) == ["cdr-1"]


def test_a_credited_cdr_is_not_held_back_for_both_come_to_nothing() -> None:
    receive(bill(IN_MARCH))
    doubt("cdr-1")
    receive(credit(bill(IN_MARCH)))
    assert total(drawn_up()) == (0, 0)


def test_a_credit_that_is_doubted_does_not_release_its_cdr() -> None:
    receive(bill(IN_MARCH), credit(bill(IN_MARCH), total_cost=price("-1", "-1.2")))
    doubt("cdr-1")
    doubt("cdr-1-c", "DISPUTE")
    assert drawn_up().held_count == 2


def test_what_was_held_back_when_its_month_was_closed_is_settled_in_the_next() -> None:
    receive(bill(IN_MARCH, id="A"), bill(IN_MARCH, id="B"))
    held = dispute("b")
    closed()
    assert drawn_up(APRIL).held_count == 1
    Dispute.objects.filter(pk=held.pk).update(state=Dispute.State.WITHDRAWN)
    row = closed(APRIL)
    assert (counted(row), row.late_count) == (["b"], 1)


def test_a_total_that_cannot_be_read_is_held_back() -> None:
    receive(bill(IN_MARCH, total_cost=price("1e20")))
    row = drawn_up()
    assert (row.cdr_count, row.held_count) == (0, 1)
    assert row.cdrs.get().held == "its total is beyond reason"


# --- the list and its hash ------------------------------------------------------------------------------------------


def test_everybody_can_compute_the_hashes() -> None:
    receive(bill(IN_MARCH, id="A"), bill(IN_MARCH + timedelta(hours=1), id="B"))
    row = drawn_up()
    lines = ""
    for key in counted(row):
        document = Cdr.objects.get(key=key).document
        lines += f"{hashlib.sha256(document.encode()).hexdigest()} {json.loads(document)['id']}\n"
    assert row.sha256 == hashlib.sha256(lines.encode()).hexdigest() == statement(row)["sha256"]


@pytest.mark.parametrize("changes", [{"remark": "x"}, {"total_cost": price("2.50", "3.0000")}, {"id": "cdr-1"}])
def test_the_hash_changes_with_any_byte(changes: Document) -> None:
    receive(bill(IN_MARCH))
    before = drawn_up().sha256
    Cdr.objects.update(document=codec.encode_text({**bill(IN_MARCH), **changes}))
    assert drawn_up().sha256 != before


def test_a_draft_is_made_anew_and_comes_to_the_same() -> None:
    receive(bill(IN_MARCH, id="A"), bill(IN_MARCH, id="B"))
    first = drawn_up()
    again = drawn_up()
    assert (first.pk, first.statement, first.sha256) == (again.pk, again.statement, again.sha256)
    assert SettledCdr.objects.count() == 2


def test_a_draft_of_nothing_is_none() -> None:
    receive(bill(IN_MARCH))
    drawn_up()
    Cdr.objects.update(ended_at=IN_APRIL)
    assert building.draft(CPO, MSP, MARCH, NOW) is None and not Settlement.objects.exists()


def test_a_large_month_is_read_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "BATCH", 7)
    begins = [IN_MARCH + timedelta(hours=n // 5) for n in range(40)]  # five end at once
    receive(*(bill(begin, id=f"C{n}") for n, begin in enumerate(begins)))
    row = drawn_up()
    assert counted(row) == [f"c{n}" for n in range(40)] and total(row)[0] == 100


# --- closing --------------------------------------------------------------------------------------------------------


def test_after_closing_nothing_changes_it() -> None:
    receive(bill(IN_MARCH, id="A"), bill(IN_MARCH, id="B"))
    row = closed()
    before = (row.statement, row.sha256, row.closed_at, list(row.cdrs.values_list("cdr", "held", "sha256")))
    receive(bill(IN_MARCH, id="LATE"), credit(bill(IN_MARCH, id="A")))
    dispute("b")
    agree(fee_percent=Decimal(5), settle_zone="Asia/Tokyo")
    later = NOW + timedelta(days=9)
    for after in (building.draft(CPO, MSP, MARCH, later), closing.close(CPO, MSP, MARCH, later, "somebody else")):
        assert after is not None and after.closed_by == "clerk"
        after.refresh_from_db()
        assert (
            after.statement,
            after.sha256,
            after.closed_at,
            list(after.cdrs.values_list("cdr", "held", "sha256")),
        ) == (before)


def test_a_month_that_is_not_over_is_not_closed() -> None:
    receive(bill(IN_MARCH))
    with pytest.raises(NotOpen, match="not over"):
        closing.close(CPO, MSP, MARCH, datetime(2025, 3, 31, 23, 59, tzinfo=UTC))
    assert not Settlement.objects.filter(state=State.CLOSED).exists()


def test_no_cdr_is_in_two_closed_settlements() -> None:
    receive(bill(IN_MARCH))
    entry = closed().cdrs.get()
    other = Settlement.objects.create(cpo=CPO, emsp=MSP, month="2025-04", begins_at=NOW, ends_at=NOW)
    with pytest.raises(IntegrityError):
        SettledCdr.objects.create(settlement=other, cdr=entry.cdr, number=1, is_final=True)


def test_of_many_closers_at_once_one_closes_and_all_see_the_same(threaded_db: None) -> None:
    receive(*(bill(IN_MARCH, id=f"C{n}") for n in range(50)))

    def work(number: int) -> tuple[str, str]:
        try:
            row = closing.close(CPO, MSP, MARCH, NOW + timedelta(seconds=number), f"clerk {number}")
            assert row is not None
            return row.statement, row.closed_by
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(work, range(4)))
    assert len(found) == 1
    assert Settlement.objects.count() == 1 and SettledCdr.objects.filter(is_final=True).count() == 50


def test_a_closer_and_one_who_draws_up_do_not_meet(threaded_db: None) -> None:
    receive(*(bill(IN_MARCH, id=f"C{n}") for n in range(50)))

    def work(number: int) -> None:
        try:
            (closing.close if number % 2 else building.draft)(CPO, MSP, MARCH, NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    row = Settlement.objects.get()
    assert row.state == State.CLOSED and row.cdrs.filter(is_final=True).count() == 50


def test_the_month_that_is_over_is_drawn_up_by_itself() -> None:
    receive(bill(IN_MARCH))
    assert drafting.draft_last_month(datetime(2025, 4, 2, tzinfo=UTC)) == 1
    assert Settlement.objects.get().month == "2025-03"
    tasks.draft_settlements()  # the months of now have nothing
    assert Settlement.objects.count() == 1
