"""Owners of charge points: what is whose, what they get of it, and statements that stay as they are."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from cpo_backend.models import ChargePointOwner, Ownership, OwnerStatement, RevenueShare, StatedCdr
from cpo_backend.owning import building, closing, drafting, files
from cpo_backend.owning.choosing import NotOpen
from ocpi.accounts.months import Month
from ocpi.models import Cdr
from ocpi.types import codec
from tests.kit.billing import component, credit, per_kwh
from tests.kit.objects import price
from tests.kit.own_cdrs import OCP, ours, site, store

pytestmark = pytest.mark.django_db(transaction=True)

D = Decimal
MARCH, APRIL, MAY = Month(2025, 3), Month(2025, 4), Month(2025, 5)
IN_MARCH, IN_APRIL, IN_MAY = (datetime(2025, number, 10, 12, tzinfo=UTC) for number in (3, 4, 5))
NOW = datetime(2025, 8, 1, tzinfo=UTC)
BEGIN = date(2025, 1, 1)


def owner(name: str = "Harbour Ltd", *places: str, since: date = BEGIN, **terms: Any) -> ChargePointOwner:
    """An owner of LOC-1, or of these `Location` or `Location/EVSE`, with these terms from then on."""
    found = ChargePointOwner.objects.create(name=name)
    for place in places or ("LOC-1",):
        own(found, place, since)
    if terms:
        RevenueShare.objects.create(owner=found, first_day=since, **terms)
    return found


def own(found: ChargePointOwner, place: str, since: date = BEGIN, until: date | None = None) -> Ownership:
    location, _, evse = place.partition("/")
    row = Ownership(
        owner=found, party=OCP, location_id=location, evse_uid=evse, first_day=since, last_day=until
    )  # fmt: skip
    row.full_clean()
    row.save()
    return row


def entered_at_once(*forms: list[Any]) -> list[bool]:
    """Whether the database took all rows of a form; each has its first one saved before another goes on, if it can."""
    together = Barrier(len(forms))

    def is_saved(rows: list[Any]) -> bool:
        try:
            with transaction.atomic():
                for row in rows:
                    row.save()
                    with suppress(BrokenBarrierError):
                        together.wait(timeout=1)
        except IntegrityError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(len(forms)) as pool:
        return list(pool.map(is_saved, forms))


def drawn_up(found: ChargePointOwner, month: Month = MARCH) -> OwnerStatement:
    row = building.draft(found, month, NOW)
    assert row is not None
    return row


def closed(found: ChargePointOwner, month: Month = MARCH) -> OwnerStatement:
    row = closing.close(found, month, NOW, "clerk")
    assert row is not None
    return row


def figures(row: OwnerStatement) -> Any:
    return codec.decode(row.statement.encode())


def counted(row: OwnerStatement) -> list[str]:
    return list(row.cdrs.filter(fault="").order_by("number").values_list("cdr__key", flat=True))


def lines(found: ChargePointOwner, month: Month = MARCH) -> list[tuple[Any, ...]]:
    names = ("share", "quantity", "rate", "currency", "excl_vat")
    return [tuple(line[name] for name in names) for line in figures(drawn_up(found, month))["shares"]]


# --- what is whose --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"), [("LOC-1", "loc-1"), ("LOC-1", "LOC-1/A"), ("LOC-1/A", "LOC-1"), ("LOC-1/A", "LOC-1/a")]
)
def test_no_evse_has_two_owners_at_once(first: str, second: str) -> None:
    owner("First", first)
    other = ChargePointOwner.objects.create(name="Second")
    with pytest.raises(ValidationError, match="First owns"):
        own(other, second)
    location, _, evse = second.partition("/")
    with pytest.raises(IntegrityError):  # nor behind the back of the form
        Ownership.objects.create(owner=other, party=OCP, location_id=location, evse_uid=evse, first_day=BEGIN)


def test_an_ownership_cannot_be_moved_over_another() -> None:
    first = owner("First")
    later = own(first, "LOC-2")
    with pytest.raises(IntegrityError):
        Ownership.objects.filter(pk=later.pk).update(location_key="loc-1")


def test_two_evses_of_a_location_may_have_two_owners_and_one_evse_two_in_turn() -> None:
    first, second = owner("First", "LOC-1/A"), owner("Second", "LOC-1/B")
    own(first, "LOC-2", until=date(2025, 3, 14))
    own(second, "LOC-2", date(2025, 3, 15))
    with pytest.raises(ValidationError):
        own(second, "LOC-2", date(2025, 3, 14), date(2025, 3, 14))


def test_an_ownership_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValidationError, match="ends before it begins"):
        own(owner(), "LOC-2", date(2025, 3, 2), date(2025, 3, 1))


def test_an_owner_has_one_share_at_once() -> None:
    found = owner(percent=10)
    with pytest.raises(ValidationError, match="A share holds from 2025-01-01 already"):
        RevenueShare(owner=found, first_day=IN_MARCH.date()).full_clean()
    with pytest.raises(IntegrityError):
        RevenueShare.objects.create(owner=found, first_day=IN_MARCH.date())


def test_of_two_who_take_the_same_places_at_once_one_owns_them_and_the_other_is_told(threaded_db: None) -> None:
    def form(name: str, *places: str) -> list[Ownership]:
        found = ChargePointOwner.objects.create(name=name)
        return [Ownership(owner=found, party=OCP, location_id=place, first_day=BEGIN) for place in places]

    one, other = form("First", "LOC-1", "LOC-2"), form("Second", "LOC-2", "LOC-1")
    assert sorted(entered_at_once(one, other)) == [False, True]


def test_of_two_who_give_an_owner_shares_at_once_one_does_and_the_other_is_told(threaded_db: None) -> None:
    found = owner()
    days = date(2025, 1, 1), date(2025, 2, 1)
    one, other = ([RevenueShare(owner=found, first_day=day, last_day=day) for day in days] for _ in range(2))
    assert sorted(entered_at_once(one, other[::-1])) == [False, True]


# --- the share ------------------------------------------------------------------------------------------------------


def test_a_share_of_the_revenue_is_of_the_net_amount() -> None:
    store(ours(IN_MARCH, "A", cost="10.00"), ours(IN_MARCH, "B", cost="2.55"))
    assert lines(owner(percent=D("12.5"))) == [("percent", D("12.55"), D("12.50"), "EUR", D("1.57"))]


def test_a_share_can_be_per_kwh() -> None:
    store(ours(IN_MARCH, "A", kwh="10.1234"), ours(IN_MARCH, "B", kwh="5"))
    assert lines(owner(per_kwh=D("0.03"))) == [("per_kwh", D("15.1234"), D("0.03"), "EUR", D("0.45"))]


def test_a_share_can_be_per_session() -> None:
    store(ours(IN_MARCH, "A"), ours(IN_MARCH, "B"))
    assert lines(owner(per_session=D("0.25"))) == [("per_session", 2, D("0.25"), "EUR", D("0.50"))]


def test_an_amount_per_month_is_due_without_any_session() -> None:
    assert lines(owner(per_month=100)) == [("per_month", 31, 100, "EUR", D("100.00"))]


def test_an_amount_per_month_is_due_by_the_days_it_was_agreed_for() -> None:
    found = owner(per_month=100, since=date(2025, 3, 22))
    assert lines(found) == [("per_month", 10, 100, "EUR", D("32.26"))]
    assert building.draft(found, Month(2025, 2), NOW) is None


def test_a_share_until_the_end_of_time_is_one_until_further_notice() -> None:
    found = owner(per_month=100)
    found.shares.update(last_day=date.max)
    assert lines(found) == [("per_month", 31, 100, "EUR", D("100.00"))]


def test_kinds_of_shares_add_up_with_their_vat() -> None:
    store(ours(IN_MARCH, cost="10.00"))
    found = owner(percent=10, per_kwh=D("0.02"), per_session=1, per_month=20, vat_rate=21)
    assert [line[-1] for line in lines(found)] == [D("1.00"), D("0.20"), D("1.00"), D("20.00")]
    assert figures(drawn_up(found))["share_totals"] == [
        {"currency": "EUR", "excl_vat": D("22.20"), "vat": D("4.66"), "incl_vat": D("26.86")}
    ]


def test_each_line_is_rounded_once_to_the_smallest_unit_of_its_currency() -> None:
    store(*(ours(IN_MARCH, f"C{n}", cost="1.04") for n in range(3)), ours(IN_MARCH, "Y", cost="105", currency="JPY"))
    amounts = {line[3]: line[4] for line in lines(owner(percent=10))}
    assert amounts == {"EUR": D("0.31"), "JPY": D(11)}


def test_currencies_are_never_added() -> None:
    store(ours(IN_MARCH, "A"), ours(IN_MARCH, "B", cost="100", currency="SEK"))
    found = figures(drawn_up(owner(percent=10, per_session=1)))
    assert [(line["currency"], line["excl_vat"]) for line in found["revenue"]] == [("EUR", D("2.50")), ("SEK", 100)]
    assert [(line["currency"], line["excl_vat"]) for line in found["share_totals"]] == [
        ("EUR", D("2.25")),
        ("SEK", D("10.00")),
    ]


def test_a_credit_takes_its_share_back() -> None:
    """§mod_cdrs_credit_cdrs"""
    store(ours(IN_MARCH), credit(ours(IN_MARCH)))
    found = owner(percent=10, per_kwh=1, per_session=1)
    assert [line[-1] for line in lines(found)] == [0, 0, 0]
    revenue = figures(drawn_up(found))["revenue"]
    assert [(line["cdrs"], line["credits"], line["excl_vat"], line["kwh"]) for line in revenue] == [(1, 1, 0, 0)]


def test_another_share_from_a_day_on_is_a_line_of_its_own() -> None:
    found = ChargePointOwner.objects.create(name="Harbour Ltd")
    own(found, "LOC-1")
    RevenueShare.objects.create(owner=found, first_day=BEGIN, last_day=date(2025, 3, 14), percent=10)
    RevenueShare.objects.create(owner=found, first_day=date(2025, 3, 15), percent=20)
    store(ours(IN_MARCH, "A", cost="10"), ours(IN_MARCH + timedelta(days=5), "B", cost="10"))
    assert [line[1:] for line in lines(found)] == [(10, 10, "EUR", D("1.00")), (10, 20, "EUR", D("2.00"))]


def test_cdrs_of_days_without_a_share_are_told() -> None:
    store(ours(IN_MARCH))
    row = drawn_up(owner())
    assert (figures(row)["without_share"], figures(row)["shares"], row.cdr_count) == (1, [], 1)


def test_revenue_is_told_by_vat_rate_and_by_site() -> None:
    nineteen = {"total_cost": price("100", "119"), "tariffs": [per_kwh(component("10", "19"))]}
    site(name="Harbour")
    store(ours(IN_MARCH, "A"), ours(IN_MARCH, "B", site="LOC-2", **nineteen))
    found = figures(drawn_up(owner("Harbour Ltd", "LOC-1", "LOC-2")))
    assert [(line["rate"], line["excl_vat"], line["vat"]) for line in found["vat"]] == [
        ("19", 100, 19),
        ("20", D("2.50"), D("0.50")),
    ]
    assert [(line["site"], line["name"], line["excl_vat"]) for line in found["sites"]] == [
        ("LOC-1", "Harbour", D("2.50")),
        ("loc-2", "", 100),
    ]


# --- which month, whose month ---------------------------------------------------------------------------------------


def test_an_owner_gets_the_cdrs_of_its_evses_alone() -> None:
    store(ours(IN_MARCH, "1", uid="A"), ours(IN_MARCH, "2", uid="B"), ours(IN_MARCH, "3", site="LOC-2"))
    first, second = owner("First", "LOC-1/a"), owner("Second", "LOC-2")
    assert (counted(drawn_up(first)), counted(drawn_up(second))) == (["1"], ["3"])


def test_who_owns_the_evse_on_the_day_the_session_ended_gets_it() -> None:
    """By the clock of the site: 22:30 UTC is the next day in Amsterdam."""
    first, second = owner("First", "LOC-9"), owner("Second", "LOC-8")
    own(first, "LOC-1", until=date(2025, 3, 14))
    own(second, "LOC-1", date(2025, 3, 15))
    store(
        ours(datetime(2025, 3, 14, 20, tzinfo=UTC), "BEFORE"), ours(datetime(2025, 3, 14, 22, 30, tzinfo=UTC), "AFTER")
    )  # fmt: skip
    assert (counted(drawn_up(first)), counted(drawn_up(second))) == (["before"], ["after"])


def test_cdrs_of_partners_are_in_no_statement() -> None:
    store(ours(IN_MARCH), source=7)
    assert building.draft(owner(), MARCH, NOW) is None and not OwnerStatement.objects.exists()


def test_a_cdr_that_comes_after_its_month_was_closed_falls_into_the_next() -> None:
    found = owner(percent=10)
    store(ours(IN_MARCH))
    closed(found)
    store(ours(IN_MARCH, "LATE"), ours(IN_APRIL, "APRIL"))
    row = drawn_up(found, APRIL)
    assert counted(row) == ["late", "april"] and row.late_count == 1
    assert building.draft(found, MAY, NOW) is None


def test_a_late_credit_gives_back_in_the_next_month_what_was_paid() -> None:
    found = owner(percent=10)
    store(ours(IN_MARCH, cost="10"))
    closed(found)
    store(credit(ours(IN_MARCH, cost="10")))
    assert lines(found, APRIL) == [("percent", -10, 10, "EUR", D("-1.00"))]


def test_what_cannot_be_read_is_listed_and_does_not_count() -> None:
    found = owner(per_session=1)
    store(ours(IN_MARCH, "GOOD"), ours(IN_MARCH, "BAD", total_energy="ten"))
    row = closed(found)
    assert (counted(row), row.cdr_count, row.fault_count) == (["good"], 1, 1)
    assert row.cdrs.get(cdr__key="bad").fault == "/total_energy: it is no amount"
    assert not row.cdrs.get(cdr__key="bad").is_final


# --- drafts and closing ---------------------------------------------------------------------------------------------


def test_a_draft_may_be_drawn_up_anew() -> None:
    found = owner(per_session=1)
    store(ours(IN_MARCH))
    first = drawn_up(found)
    store(ours(IN_MARCH, "SECOND"))
    again = drawn_up(found)
    assert again.pk == first.pk and counted(again) == ["cdr-1", "second"]


def test_a_closed_statement_never_changes() -> None:
    found = owner(percent=10)
    store(ours(IN_MARCH))
    row = closed(found)
    store(ours(IN_MARCH, "LATE"))
    found.shares.update(percent=50)
    again = closed(found)
    assert (again.statement, again.closed_at, again.sha256) == (row.statement, row.closed_at, row.sha256)
    assert drawn_up(found).statement == row.statement


def test_no_cdr_is_in_two_closed_statements() -> None:
    store(ours(IN_MARCH))
    first = owner("First")
    row = closed(first)
    first.ownerships.all().delete()
    second = owner("Second")
    assert building.draft(second, MARCH, NOW) is None
    entry = row.cdrs.get()
    with pytest.raises(IntegrityError):
        other = OwnerStatement.objects.create(owner=second, month="2025-04")
        StatedCdr.objects.create(statement=other, cdr=entry.cdr, number=1, day=entry.day, is_final=True)


def test_a_month_is_closed_when_it_is_over_everywhere() -> None:
    found = owner()
    store(ours(IN_MARCH))
    with pytest.raises(NotOpen, match="not over"):
        closing.close(found, MARCH, datetime(2025, 4, 1, 11, 59, tzinfo=UTC))
    assert closing.close(found, MARCH, datetime(2025, 4, 1, 12, tzinfo=UTC)) is not None


def test_months_are_closed_in_their_order() -> None:
    found = owner()
    store(ours(IN_MARCH, "A"), ours(IN_MAY, "B"))
    with pytest.raises(NotOpen, match="2025-03 first"):
        closed(found, MAY)
    closed(found, MARCH)
    assert counted(closed(found, MAY)) == ["b"]
    with pytest.raises(NotOpen, match="up to 2025-05 are closed"):
        drawn_up(found, APRIL)


def test_a_month_whose_amount_is_due_is_not_passed_over() -> None:
    found = owner(per_month=10, since=date(2025, 3, 1))
    with pytest.raises(NotOpen, match="2025-03 first"):
        closed(found, APRIL)
    closed(found, MARCH)
    with pytest.raises(NotOpen, match="2025-04 first"):
        closed(found, MAY)


def test_of_many_closers_at_once_one_closes_and_all_see_the_same(threaded_db: None) -> None:
    found = owner(percent=10)
    store(*(ours(IN_MARCH, f"C{n}") for n in range(50)))

    def work(number: int) -> tuple[str, str]:
        try:
            row = closing.close(found, MARCH, NOW + timedelta(seconds=number), f"clerk {number}")
            assert row is not None
            return row.statement, row.closed_by
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(work, range(4)))) == 1
    assert OwnerStatement.objects.count() == 1 and StatedCdr.objects.filter(is_final=True).count() == 50


def test_the_month_that_is_over_is_drawn_up_by_itself() -> None:
    found = owner()
    store(ours(IN_MARCH))
    assert drafting.draft_last_month(datetime(2025, 4, 2, tzinfo=UTC)) == 1
    closed(found)
    assert drafting.draft_all(Month(2025, 2), NOW) == 0


# --- taking away ----------------------------------------------------------------------------------------------------


def written(row: OwnerStatement, ending: str) -> bytes:
    file = BytesIO()
    files.FORMATS[ending](row, file)
    return file.getvalue()


def test_the_hash_of_the_list_can_be_checked_with_the_csv() -> None:
    store(ours(IN_MARCH, "A"), ours(IN_MARCH, "B"))
    row = closed(owner())
    header, *found = (line.split(",") for line in written(row, "csv").decode("utf-8-sig").splitlines())
    listed = [dict(zip(header, line, strict=True)) for line in found]
    of_documents = [hashlib.sha256(cdr.document.encode()).hexdigest() for cdr in Cdr.objects.order_by("pk")]
    assert [line["sha256"] for line in listed] == of_documents
    text = "".join(f"{line['sha256']} {line['id']}\n" for line in listed)
    assert row.sha256 == hashlib.sha256(text.encode()).hexdigest() == figures(row)["sha256"]


def test_json_lines_begin_with_the_statement_and_keep_every_digit() -> None:
    store(ours(IN_MARCH, kwh="10.1000"))
    first, second = written(drawn_up(owner(percent=10)), "jsonl").splitlines()
    assert json.loads(first)["month"] == "2025-03" and b'"kwh":10.1000' in second


def test_the_workbook_has_figures_and_the_list() -> None:
    store(ours(IN_MARCH, session_id="=1+1"))
    book = openpyxl.load_workbook(BytesIO(written(drawn_up(owner(percent=10)), "xlsx")))
    assert book.sheetnames == ["Statement", "CDRs"]
    cells = [cell.value for line in book["CDRs"].iter_rows() for cell in line]
    assert "'=1+1" in cells and "=1+1" not in cells


def test_the_page_needs_nothing_else_and_runs_nothing() -> None:
    attack = "<script>alert(1)</script>"
    store(ours(IN_MARCH, remark=attack, cdr_location={**ours(IN_MARCH)["cdr_location"], "evse_uid": attack}))
    page = written(drawn_up(owner(attack, percent=10)), "html").decode()
    assert "default-src 'none'" in page and attack not in page and "0.25 EUR" in page
    assert "http://" not in page and "https://" not in page


def command(*arguments: str) -> tuple[Any, int]:
    output, code = StringIO(), 0
    try:
        call_command("owner_statement", *arguments, "--json", stdout=output, stderr=StringIO())
    except SystemExit as stop:
        code = int(stop.code or 0)
    return json.loads(output.getvalue(), parse_float=D), code


def test_the_command_states_and_writes_files(tmp_path: Path) -> None:
    owner(percent=10)
    store(ours(IN_MARCH))
    found, code = command("harbour ltd", "2025-03", "--out", str(tmp_path))
    assert (code, found["state"], found["share_totals"][0]["excl_vat"]) == (0, "draft", D("0.25"))
    assert sorted(Path(path).suffix for path in found["files"].values()) == [".csv", ".html", ".jsonl", ".xlsx"]


def test_the_command_closes_once() -> None:
    owner(percent=10)
    store(ours(IN_MARCH))
    first, again = (command("Harbour Ltd", "2025-03", "--close", "--by", "clerk") for _ in range(2))
    assert first == again and first[0]["state"] == "closed"


def test_the_command_fails_for_a_month_that_is_not_open() -> None:
    owner(per_month=1)
    found, code = command("Harbour Ltd", f"{timezone.now():%Y-%m}", "--close")
    assert code == 1 and "not over" in found["error"]["message"]


def test_the_command_is_partly_done_when_a_cdr_cannot_be_read() -> None:
    owner()
    store(ours(IN_MARCH, total_energy="ten"))
    assert command("Harbour Ltd", "2025-03")[1] == 3


@pytest.mark.parametrize("wrong", [("Nobody", "2025-03"), ("Harbour Ltd", "March")])
def test_the_command_tells_what_is_wrong_with_its_words(wrong: tuple[str, str]) -> None:
    owner()
    found, code = command(*wrong)
    assert code == 2 and found["error"]["message"]


def test_the_command_says_when_there_is_nothing() -> None:
    owner()
    assert command("Harbour Ltd", "2025-03") == (
        {"owner": {"name": "Harbour Ltd"}, "month": "2025-03", "state": "nothing"},
        0,
    )
