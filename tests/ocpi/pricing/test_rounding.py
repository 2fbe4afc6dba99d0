"""Rounding and currency; pricing notes 5."""

from decimal import Decimal

import pytest

from ocpi.pricing.exact import arithmetic
from ocpi.pricing.figures import Mode, Rounding, Stage, figures, minor_unit
from tests.kit.pricing import cdr, excl, flat, net, opened, period, price, told

THIRDS = flat(price("TIME", "1"), price("PARKING_TIME", "1"))


def test_a_figure_is_rounded_once_half_away_from_zero() -> None:
    """P5"""
    assert excl(cdr(period(9, kwh="0.00125")), flat(price("ENERGY", "1.0"))) == "0.0013"
    assert excl(cdr(period(9, kwh="-0.00125")), flat(price("ENERGY", "1.0"))) == "-0.0013"


def test_costs_may_differ_from_the_total_in_the_last_place() -> None:
    """P5: no cost is bent to fit; the exact sum is there as well."""
    result = told(cdr(period(20, time=True), period(20, parking=True)), THIRDS)
    assert net(result, "total_time_cost") == "0.3333"
    assert net(result) == "0.6667"
    assert str(result["exact"]["excl_vat"]) == "0.66666666666666666667"


def test_thirds_that_make_a_half_are_rounded_as_a_half() -> None:
    """P5: money is kept in 3600ths until the end."""
    charge = cdr(period(20, time=True), period(10, parking=True))
    assert excl(charge, flat(price("TIME", "0.0001"), price("PARKING_TIME", "0.0001"))) == "0.0001"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Rounding(places=2), "0.67"),
        (Rounding(places=2, stage=Stage.SEGMENT), "0.66"),
        (Rounding(places=2, stage=Stage.PERIOD), "0.66"),
        (Rounding(places=2, stage=Stage.BUCKET), "0.66"),
        (Rounding(places=2, mode=Mode.DOWN), "0.66"),
        (Rounding(places=0, mode=Mode.HALF_EVEN), "1"),
    ],
)
def test_a_contract_may_set_another_policy(policy: Rounding, expected: str) -> None:
    """P5"""
    case = opened(cdr(period(20, time=True), period(20, parking=True)), THIRDS)
    with arithmetic():
        assert figures(case.priced, policy).total.excl == Decimal(expected)


def test_half_even_goes_to_the_even_digit() -> None:
    """P5"""
    case = opened(cdr(period(9, kwh="0.125")), flat(price("ENERGY", "1")))
    with arithmetic():
        assert figures(case.priced, Rounding(Mode.HALF_EVEN, places=2)).total.excl == Decimal("0.12")


@pytest.mark.parametrize(("currency", "decimals"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("jpy", 0), (None, 2)])
def test_the_smallest_unit_is_that_of_the_currency(currency: str | None, decimals: int) -> None:
    """P5"""
    assert minor_unit(currency) == decimals


def test_an_invoice_is_rounded_once_to_the_smallest_unit() -> None:
    """P5"""
    result = told(cdr(period(9, kwh="12.3456")), flat(price("ENERGY", "100", vat="10"), currency="JPY"))
    assert result["invoice"]["decimals"] == 0
    assert (result["invoice"]["excl_vat"], result["invoice"]["incl_vat"]) == (1235, 1358)
    assert result["invoice"]["tax_lines"] == [{"rate": 10, "base": 1235, "tax": 123}]


def test_numbers_are_as_exact_as_they_came() -> None:
    """P5: 0.1 and 0.2 are 0.3 here."""
    prices = flat(price("ENERGY", "1", step=100))
    assert excl(cdr(period(9, kwh="1.1"), period(9, kwh="2.2")), prices) == "3.3"
