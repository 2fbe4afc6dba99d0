"""step_size (§mod_cdrs_step_size); pricing notes 3.1 and 3.2."""

import pytest

from ocpi.pricing.readings import Readings
from tests.kit.pricing import alternative, cdr, element, excl, flat, hours, net, period, price, tariff, told

BOTH = flat(price("TIME", "6", step=600), price("PARKING_TIME", "12", step=600))


@pytest.mark.parametrize(("step", "cost"), [(0, "0.1152"), (1, "0.116"), (25, "0.125"), (500, "0.5")])
def test_energy_is_billed_in_steps_of_watt_hours(step: int, cost: str) -> None:
    """P3.1: 0 is no rounding, 1 is a step."""
    assert excl(cdr(period(10, kwh="0.1152")), flat(price("ENERGY", "1", step=step))) == cost


def test_what_fits_the_step_is_not_rounded() -> None:
    """P3.1"""
    assert excl(cdr(period(10, kwh="1.5")), flat(price("ENERGY", "1", step=500))) == "1.5"


def test_energy_is_rounded_once_and_at_the_last_price() -> None:
    """P3.1"""
    prices = tariff(element(price("ENERGY", "1", step=7), max_kwh=3), element(price("ENERGY", "2", step=1000)))
    assert excl(cdr(period(9, kwh="3.2"), period(9, kwh="1.1")), prices) == "6.8"


def test_time_is_rounded_once_and_at_the_last_price() -> None:
    """P3.1"""
    prices = tariff(element(price("TIME", "6", step=3600), max_duration=360), element(price("TIME", "12", step=600)))
    assert excl(cdr(period(6, time=True), period(23, time=True)), prices) == "5.4"


def test_parking_that_follows_charging_takes_the_rounding() -> None:
    """P3.1"""
    assert excl(cdr(period(21, time=True), period(16, parking=True)), BOTH) == "6.1"


def test_parking_before_charging_takes_it_as_well() -> None:
    """P3.1: the sequential answer is an alternative."""
    result = told(cdr(period(16, parking=True), period(21, time=True)), BOTH)
    assert net(result) == "6.1"
    assert alternative(result, "step_sequential") == "6.2"


def test_charging_alone_is_rounded() -> None:
    """P3.1"""
    assert excl(cdr(period(21, time=True)), BOTH) == "3"


def test_free_time_is_not_counted() -> None:
    """P3.1"""
    prices = tariff(element(price("PARKING_TIME", "12", step=900), max_duration=480))
    result = told(cdr(period(8, parking=True), period(12, parking=True)), prices)
    assert net(result) == "3"
    assert result["periods"][0]["segments"][0]["surplus"] == 420
    assert alternative(result, "step_over_unpriced") == "3.6"


def test_what_costs_nothing_is_priced_nevertheless() -> None:
    """P3.1"""
    prices = tariff(
        element(price("PARKING_TIME", "0", step=60), max_duration=480), element(price("PARKING_TIME", "6", step=900))
    )
    assert excl(cdr(period(8, parking=True), period(12, parking=True)), prices) == "2.2"


def test_a_period_of_nothing_is_not_the_last_one() -> None:
    """P3.1"""
    prices = tariff(element(price("ENERGY", "1", step=1000), max_kwh=2), element(price("ENERGY", "9", step=5000)))
    result = told(cdr(period(9, kwh="2.5"), period(9, kwh="0")), prices)
    assert net(result) == "3"
    assert alternative(result, "step_by_empty_period") == "25"


def test_a_change_of_tariff_is_no_end_of_the_budget() -> None:
    """P3.1: the session is rounded, by the last tariff's component."""
    one, two = flat(price("ENERGY", "1", step=1000), id="one"), flat(price("ENERGY", "2", step=500), id="two")
    charge = cdr(period(9, kwh="1.3", tariff_id="one"), period(9, kwh="1.3", tariff_id="two"), tariffs=[one, two])
    assert excl(charge) == "4.7"


def test_energy_that_came_back_on_balance_is_not_rounded() -> None:
    """P3.8: and it is a credit."""
    result = told(cdr(period(9, kwh="-1.3")), flat(price("ENERGY", "1", step=1000)))
    assert net(result) == "-1.3"
    assert alternative(result, "export_not_credited") == "0"


def test_hours_rounded_on_the_wire_buy_no_block() -> None:
    """P3.2: 10 minutes are 0.1667 h there, which is 600.12 s."""
    prices = flat(price("TIME", "6", step=600))
    assert excl(cdr(period(10, time=hours(10))), prices) == "1"
    assert excl(cdr(period(10, time=hours(10))), prices, readings=Readings(hours_literal=True)) == "2"


def test_hours_near_the_length_of_their_period_are_that_length() -> None:
    """P3.2: three decimals are half a step away."""
    assert excl(cdr(period("14.5", time="0.242")), flat(price("TIME", "3600"))) == "870"


def test_hours_of_two_kinds_in_a_period_are_not_compared_with_its_length() -> None:
    """P3.2"""
    charge = cdr(period(20, time="0.1667", parking="0.1667"))
    assert excl(charge, flat(price("TIME", "3600"), price("PARKING_TIME", "3600"))) == "1200"


def test_hours_near_a_second_are_that_second_and_others_are_taken_as_they_are() -> None:
    """P3.2"""
    assert excl(cdr(period(60, time="0.0834")), flat(price("TIME", "3600"))) == "300.24"
    assert excl(cdr(period(60, time="0.0833")), flat(price("TIME", "3600"))) == "300"


def test_a_step_that_is_missing_is_one() -> None:
    component = price("ENERGY", "1")
    del component["step_size"]
    assert excl(cdr(period(9, kwh="0.0005")), flat(component)) == "0.001"
