"""min_price and max_price; pricing notes 3.5."""

from tests.kit.pricing import alternative, cdr, codes, costs, flat, net, period, price, told, total

KWH = price("ENERGY", "1", vat="20")
TEN = cdr(period(60, kwh=10))


def test_net_and_gross_each_have_their_limit() -> None:
    """P3.5: VAT computed on the limited net amount is an alternative."""
    prices = flat(KWH, max_price=costs("8", "10"))
    assert total(TEN, prices) == ("8", "10")
    other = [one for one in told(TEN, prices)["alternatives"] if one["reading"] == "limit_tax_on_base"]
    assert other[0]["total"] == costs("8", "9.6")


def test_one_may_be_limited_without_the_other() -> None:
    """P3.5"""
    assert total(TEN, flat(KWH, max_price=costs("11", "11.5"))) == ("10", "11.5")
    assert total(TEN, flat(KWH, min_price=costs("10.5", "11"))) == ("10.5", "12")


def test_a_limit_without_gross_amount_takes_the_tax_along() -> None:
    """P3.5"""
    assert total(TEN, flat(KWH, max_price=costs("5"))) == ("5", "6")
    assert total(cdr(period(1, kwh=0)), flat(KWH, min_price=costs("5"))) == ("5", "6")


def test_a_gross_limit_on_a_session_without_vat_has_tax_nobody_can_place() -> None:
    """P3.5"""
    result = told(TEN, flat(price("ENERGY", "1"), min_price=costs("20", "24")))
    assert result["total_cost"] == costs("20", "24")
    assert "unattributed_tax" in codes(result)
    assert [line["rate"] for line in result["tax_lines"]] == [None, None]
    assert sum(line["tax"] for line in result["tax_lines"]) == 4


def test_the_maximum_has_the_last_word() -> None:
    """P3.5"""
    result = told(TEN, flat(KWH, min_price=costs("30", "36"), max_price=costs("20", "24")))
    assert net(result) == "20"
    assert "limits_cross" in codes(result)
    assert [limit["limit"] for limit in result["limits"]] == ["min_price", "max_price"]


def test_the_costs_stay_as_they_were() -> None:
    """P1.11"""
    result = told(TEN, flat(KWH, max_price=costs("5", "6")))
    assert result["total_energy_cost"] == costs("10", "12")
    assert result["limits"][0]["before"]["excl_vat"] == 10 and result["limits"][0]["after"]["excl_vat"] == 5
    assert alternative(result, "limits_ignored") == "10"


def test_of_two_tariffs_the_limits_of_the_first_count() -> None:
    """P3.5"""
    one = flat(KWH, id="one", max_price=costs("5", "6"))
    two = flat(KWH, id="two", max_price=costs("1", "1"))
    charge = cdr(period(9, kwh=5, tariff_id="one"), period(9, kwh=5, tariff_id="two"), tariffs=[one, two])
    result = told(charge)
    assert net(result) == "5"
    assert "limit_of_first_tariff" in codes(result)


def test_a_minimum_applies_though_nothing_was_used() -> None:
    """P3.5"""
    assert total(cdr(period(1, kwh=0)), flat(KWH, min_price=costs("0.5", "0.6"))) == ("0.5", "0.6")
