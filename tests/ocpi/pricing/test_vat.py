"""VAT; pricing notes 4."""

from decimal import Decimal

from tests.kit.pricing import cdr, codes, flat, period, price, told, total


def test_no_vat_and_no_percent_cost_the_same_and_are_two_lines() -> None:
    """P4"""
    result = told(
        cdr(period(60, kwh=10, time=True)), flat(price("ENERGY", "1"), price("TIME", "2", vat="0"), price("FLAT", "1"))
    )
    assert result["total_cost"] == {"excl_vat": 13, "incl_vat": 13}
    assert [(line["rate"], line["base"], line["tax"]) for line in result["tax_lines"]] == [(None, 11, 0), (0, 2, 0)]


def test_the_lines_add_up_to_the_rounded_total() -> None:
    """P4: the last line takes up what rounding leaves."""
    result = told(
        cdr(period(60, kwh="1.11111", time="0.333333")),
        flat(price("ENERGY", "0.33333", vat="19"), price("TIME", "0.77777", vat="7")),
    )
    cost = result["total_cost"]
    assert sum(line["tax"] for line in result["tax_lines"]) == cost["incl_vat"] - cost["excl_vat"]
    assert sum(line["base"] for line in result["tax_lines"]) == cost["excl_vat"]


def test_a_negative_rate_is_applied_and_noted() -> None:
    """P4"""
    prices = flat(price("ENERGY", "1", vat="-10"))
    assert total(cdr(period(60, kwh=10)), prices) == ("10", "9")
    assert "negative_vat" in codes(told(cdr(period(60, kwh=10)), prices))


def test_of_2_1_1_only_net_amounts_are_known() -> None:
    """P4"""
    charge = cdr(period(60, kwh=10), total_cost=Decimal("10"), auth_id="DE-X")
    result = told(charge, flat(price("ENERGY", "1")))
    assert result["total_cost"] == {"excl_vat": 10}
    assert result["total_energy_cost"] == {"excl_vat": 10}
    assert result["agrees"] and "tax_unknown" in codes(result)


def test_of_2_1_1_with_a_tariff_that_has_vat_gross_amounts_are_known() -> None:
    """P4"""
    charge = cdr(period(60, kwh=10), auth_id="DE-X")
    assert total(charge, flat(price("ENERGY", "1", vat="20"))) == ("10", "12")
