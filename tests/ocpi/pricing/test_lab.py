"""The tariff lab: one CDR before and after, and sums that are exact however many there are; pricing notes 3.3, 5."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.pricing.faults import BadInput
from ocpi.pricing.lab.comparing import Compared, compare, uses
from ocpi.pricing.lab.reports import EXTREMES, LISTED, Report
from ocpi.pricing.tariffs import compiled
from tests.kit.pricing import Document, cdr, costs, element, flat, period, price, tariff

DRAFT = flat(price("ENERGY", "0.40"))


def billed(total: Any, *periods: Document, **changes: Any) -> Document:
    return cdr(*(periods or [period(60, kwh=10)]), total_cost=total, **changes)


def compared(document: Document, draft: Document = DRAFT, zone: str | None = "UTC") -> tuple[str, str]:
    found = compare(document, compiled(draft), zone)
    return f"{found.before.normalize():f}", f"{found.after.normalize():f}"


def test_a_cdr_before_and_after() -> None:
    assert compared(billed(costs("5", "5.95"))) == ("5", "4")


def test_a_credit_takes_back_what_the_draft_would_have_cost() -> None:
    assert compared(billed(costs("-5"), credit=True, credit_reference_id="C")) == ("-5", "-4")


def test_the_draft_stands_in_for_every_tariff_of_the_cdr() -> None:
    own = flat(price("ENERGY", "0.90"), id="OWN")
    periods = (period(60, kwh=10, tariff_id="OWN"), period(60, kwh=10))
    assert compared(billed(costs("9"), *periods, tariffs=[own])) == ("9", "8")


def test_periods_that_the_draft_would_cut_elsewhere_are_estimated() -> None:
    evening = tariff(
        element(price("ENERGY", "0.60"), start_time="10:30", end_time="20:00"), element(price("ENERGY", "0.40"))
    )
    found = compare(billed(costs("5")), compiled(evening), "UTC")
    assert (found.after, found.is_estimate) == (Decimal("5"), True)
    assert not compare(billed(costs("5")), compiled(DRAFT), "UTC").is_estimate


def test_the_hour_is_that_of_the_charge_point() -> None:
    assert compare(billed(costs("5")), compiled(DRAFT), "Europe/Berlin").hour == 11


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"currency": "CHF"}, "/currency"),
        ({"total_cost": None}, "/total_cost"),
        ({"total_cost": {"excl_vat": "much"}}, "/total_cost"),
        ({"charging_periods": []}, "/charging_periods"),
        ({"start_date_time": "soon"}, "/start_date_time"),
    ],
)
def test_what_cannot_be_compared_says_why(changes: Document, pointer: str) -> None:
    with pytest.raises(BadInput) as caught:
        compare(billed(costs("5")) | changes, compiled(DRAFT), "UTC")
    assert caught.value.pointer == pointer


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"charging_periods": [{"tariff_id": "ac-DAY"}, {}]}, True),
        ({"charging_periods": [{"tariff_id": "OTHER"}], "tariffs": [{"id": "AC-DAY"}]}, False),
        ({"charging_periods": [{}], "tariffs": [{"id": "AC-DAY"}]}, True),
        ({"charging_periods": 7, "tariffs": [3, {"id": None}]}, False),
    ],
)
def test_which_tariff_a_cdr_was_priced_by(document: Document, expected: bool) -> None:
    assert uses(document, "AC-DAY") is expected


# --- sums -----------------------------------------------------------------------------------------------------------

AMOUNTS = st.decimals(min_value=-50, max_value=50, places=4)
CHANGES = st.lists(st.tuples(AMOUNTS, AMOUNTS, st.integers(0, 23), st.sampled_from(["A", "B", "C"])), max_size=60)


def report(changes: list[tuple[Decimal, Decimal, int, str]], currency: str = "EUR") -> Document:
    found = Report(currency)
    for number, (before, after, hour, partner) in enumerate(changes):
        found.add(f"C{number}", partner, Compared(before, after, hour, False))
    return found.document()


@given(CHANGES)
def test_the_sums_are_exact_whichever_way_they_are_divided(changes: list[tuple[Decimal, Decimal, int, str]]) -> None:
    found = report(changes)
    for part in ([found["total"]], found["hours"], found["partners"]):
        assert sum(row["before"] for row in part) == sum(before for before, *_ in changes)
        assert sum(row["change"] for row in part) == sum(after - before for before, after, *_ in changes)
        assert sum(row["more"] + row["less"] + row["same"] for row in part) == len(changes)
    assert sum(row["cdrs"] for row in found["distribution"]) == len(changes)


@given(CHANGES)
def test_the_extremes_are_those_that_change_most(changes: list[tuple[Decimal, Decimal, int, str]]) -> None:
    found = report(changes)
    increases = sorted((after - before for before, after, *_ in changes if after > before), reverse=True)
    assert [row["after"] - row["before"] for row in found["dearer"]] == increases[:EXTREMES]
    decreases = sorted(after - before for before, after, *_ in changes if after < before)
    assert [row["after"] - row["before"] for row in found["cheaper"]] == decreases[:EXTREMES]


@pytest.mark.parametrize(
    ("change", "currency", "expected"),
    [
        ("0", "EUR", ("same", None, None)),
        ("0.10", "EUR", ("more", 0, Decimal("0.10"))),
        ("0.1001", "EUR", ("more", Decimal("0.10"), Decimal("0.20"))),
        ("-0.3", "EUR", ("less", Decimal("0.20"), Decimal("0.50"))),
        ("-11", "EUR", ("less", 10, None)),
        ("9", "JPY", ("more", 0, 10)),
    ],
)
def test_a_change_is_counted_by_its_size(change: str, currency: str, expected: tuple[Any, ...]) -> None:
    found = report([(Decimal(0), Decimal(change), 0, "A")], currency)
    (row,) = [row for row in found["distribution"] if row["cdrs"]]
    assert (row["change"], row["above"], row["up_to"]) == expected


def test_partners_for_whom_most_changes_come_first() -> None:
    one = Decimal(1)
    found = report([(one, one, 0, "A"), (one, 3 * one, 0, "B"), (9 * one, one, 0, "C")])
    assert [row["partner"] for row in found["partners"]] == ["C", "B", "A"]


def test_what_could_not_be_priced_is_counted_by_reason_and_the_list_of_it_is_bounded() -> None:
    found = Report("EUR")
    for number in range(2 * LISTED):
        found.refuse(f"C{number}", BadInput(f"reason {number}", "total_cost"))
    unpriceable = found.document()["unpriceable"]
    assert unpriceable["cdrs"] == sum(unpriceable["reasons"].values()) == 2 * LISTED
    assert len(unpriceable["listed"]) == LISTED and len(unpriceable["reasons"]) <= 51
    assert unpriceable["listed"][0] == {"id": "C0", "pointer": "/total_cost", "message": "reason 0"}
