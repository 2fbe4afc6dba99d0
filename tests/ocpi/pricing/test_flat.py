"""Flat fees; pricing notes 3.6."""

from tests.kit.pricing import alternative, cdr, codes, element, excl, flat, net, note, period, price, tariff, told

TIERS = tariff(element(price("FLAT", "1"), max_kwh=10), element(price("FLAT", "3")))


def test_the_first_fee_that_becomes_active_is_billed_once() -> None:
    """P3.6: another one is named, with the total it would make."""
    result = told(cdr(period(9, kwh=10), period(9, kwh=10)), TIERS)
    assert net(result, "total_fixed_cost") == "1"
    assert note(result, "flat_suppressed")["component"] == "/elements/1/price_components/0"
    assert alternative(result, "flat_each") == "4"


def test_a_fee_may_become_active_later() -> None:
    """P1.6"""
    assert excl(cdr(period(9, kwh=10), period(9, kwh=10)), tariff(element(price("FLAT", "3"), min_kwh=10))) == "3"


def test_a_session_that_only_parks_pays_the_fee() -> None:
    """P3.6"""
    result = told(cdr(period(9, parking=True)), flat(price("FLAT", "1")))
    assert net(result) == "1"
    assert "flat_without_energy" in codes(result)


def test_a_fee_has_no_steps() -> None:
    assert excl(cdr(period(9, kwh=1)), flat(price("FLAT", "1", step=300))) == "1"


def test_a_fee_is_billed_once_though_the_tariff_changes() -> None:
    """P3.6"""
    one, two = flat(price("FLAT", "1"), id="one"), flat(price("FLAT", "2"), id="two")
    charge = cdr(period(9, kwh=1, tariff_id="one"), period(9, kwh=1, tariff_id="two"), tariffs=[one, two])
    assert excl(charge) == "1"
    assert alternative(told(charge), "flat_each") == "3"
