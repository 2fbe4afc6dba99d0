"""When an element applies (§mod_tariffs_tariffrestrictions_class); pricing notes 2.2 and 3.4."""

from typing import Any

import pytest

from ocpi.pricing.faults import BadInput
from tests.kit.pricing import alternative, cdr, codes, element, excl, net, note, opened, period, price, tariff, told

ENERGY = price("ENERGY", "1")


def applies(start: str, *, zone: str = "UTC", **restrictions: Any) -> bool:
    """Whether an element applies to a charge that starts then."""
    return excl(cdr(period(1, kwh=1), start=start), tariff(element(ENERGY, **restrictions)), zone=zone) == "1"


@pytest.mark.parametrize(("time", "expected"), [("07:59:59", 0), ("08:00:00", 1), ("17:59:59", 1), ("18:00:00", 0)])
def test_a_window_holds_from_its_start_to_before_its_end(time: str, expected: int) -> None:
    """P2.2"""
    assert applies(f"2026-03-09T{time}Z", start_time="08:00", end_time="18:00") == bool(expected)


@pytest.mark.parametrize(("time", "expected"), [("21:59:59", 0), ("22:00:00", 1), ("05:59:59", 1), ("06:00:00", 0)])
def test_a_window_may_wrap_around_midnight(time: str, expected: int) -> None:
    """P2.2"""
    assert applies(f"2026-03-09T{time}Z", start_time="22:00", end_time="06:00") == bool(expected)


def test_a_window_with_one_end_reaches_to_midnight() -> None:
    """P2.2"""
    assert applies("2026-03-09T23:00:00Z", start_time="22:00")
    assert not applies("2026-03-09T21:00:00Z", start_time="22:00")
    assert applies("2026-03-09T05:00:00Z", end_time="06:00")
    assert not applies("2026-03-09T06:00:00Z", end_time="06:00")


def test_until_midnight_alone_is_always() -> None:
    """P3.4"""
    assert applies("2026-03-09T15:00:00Z", end_time="00:00")


def test_until_midnight_from_a_time_is_the_rest_of_the_day() -> None:
    """P3.4"""
    assert applies("2026-03-09T15:00:00Z", start_time="14:00", end_time="00:00")
    assert not applies("2026-03-09T13:00:00Z", start_time="14:00", end_time="00:00")


def test_from_a_time_to_the_same_time_is_the_whole_day() -> None:
    """P3.4"""
    assert applies("2026-03-09T15:00:00Z", start_time="08:00", end_time="08:00")
    charge = cdr(period(1, kwh=1))
    result = told(charge, tariff(element(ENERGY, start_time="08:00", end_time="08:00")))
    assert alternative(result, "equal_times_never") == "0"


def test_24_00_is_midnight_and_noted() -> None:
    """P2.2"""
    prices = tariff(element(ENERGY, start_time="14:00", end_time="24:00"))
    charge = cdr(period(1, kwh=1), start="2026-03-09T23:59:59Z")
    assert excl(charge, prices) == "1"
    assert note(told(charge, prices), "odd_clock_time")["at"] == "/elements/0/restrictions/end_time"


@pytest.mark.parametrize("time", ["25:00", "8 o'clock", "12:60", 8, "24:30"])
def test_what_is_no_time_of_day_is_bad_input(time: Any) -> None:
    """P2.2"""
    with pytest.raises(BadInput) as caught:
        opened(cdr(period(1, kwh=1)), tariff(element(ENERGY, start_time=time)))
    assert caught.value.pointer == "/elements/0/restrictions/start_time"


def test_dates_are_local_and_the_end_date_is_excluded() -> None:
    """P2.2"""
    days = {"start_date": "2026-03-10", "end_date": "2026-03-11"}
    assert not applies("2026-03-09T22:59:59Z", zone="Europe/Berlin", **days)
    assert applies("2026-03-09T23:00:00Z", zone="Europe/Berlin", **days)
    assert applies("2026-03-10T22:59:59Z", zone="Europe/Berlin", **days)
    assert not applies("2026-03-10T23:00:00Z", zone="Europe/Berlin", **days)


def test_dates_and_times_together_mean_every_day_between_the_dates() -> None:
    """P3.4"""
    both = {"start_date": "2026-03-09", "end_date": "2026-03-12", "start_time": "20:00", "end_time": "22:00"}
    assert applies("2026-03-10T21:00:00Z", **both)
    assert not applies("2026-03-10T23:00:00Z", **both)


def test_a_weekday_is_that_of_the_local_date() -> None:
    """P2.2"""
    assert applies("2026-03-09T23:30:00Z", zone="Europe/Berlin", day_of_week=["TUESDAY"])
    assert not applies("2026-03-09T23:30:00Z", day_of_week=["TUESDAY"])


def test_inside_a_wrapped_window_the_weekday_is_that_of_the_moment() -> None:
    """P3.4"""
    prices = tariff(element(ENERGY, start_time="22:00", end_time="06:00", day_of_week=["MONDAY"]))
    tuesday_night = cdr(period(1, kwh=1), start="2026-03-10T02:00:00Z")
    assert excl(tuesday_night, prices) == "0"
    assert alternative(told(tuesday_night, prices), "window_of_starting_day") == "1"


def test_null_and_empty_restrictions_are_none() -> None:
    """P2.2"""
    assert applies("2026-03-09T10:00:00Z", day_of_week=[], start_time=None, min_kwh=None)


def test_a_weekday_nobody_knows_is_noted_and_never_comes() -> None:
    """P2.2"""
    prices = tariff(element(ENERGY, day_of_week=["MOONDAY"]))
    assert excl(cdr(period(1, kwh=1)), prices) == "0"
    assert "unknown_value" in codes(told(cdr(period(1, kwh=1)), prices))


def test_energy_restrictions_see_the_energy_before_the_period() -> None:
    """P2.2: min inclusive, max exclusive, and free energy counts."""
    tiers = tariff(
        element(price("ENERGY", "0"), max_kwh=10),
        element(price("ENERGY", "1"), min_kwh=10, max_kwh=20),
        element(price("ENERGY", "2"), min_kwh=20),
    )
    assert excl(cdr(period(9, kwh=10), period(9, kwh=10), period(9, kwh=10)), tiers) == "30"
    unpriced = tariff(element(price("ENERGY", "1"), min_kwh=10))
    assert excl(cdr(period(9, kwh=10), period(9, kwh=5)), unpriced) == "5"


def test_duration_restrictions_count_real_seconds_and_parking() -> None:
    """P2.2, P3.4"""
    prices = tariff(element(price("PARKING_TIME", "0"), max_duration=3600), element(price("PARKING_TIME", "6")))
    charge = cdr(period(30, time=True), period(30, parking=True), period(30, parking=True))
    assert excl(charge, prices) == "3"


def test_durations_are_not_confused_by_the_clock_change() -> None:
    """P2.2: two real hours pass between 01:30 and 04:30 of that night."""
    prices = tariff(element(price("ENERGY", "1"), min_duration=7201), element(price("ENERGY", "5")))
    charge = cdr(period(120, kwh=1), period(10, kwh=1), start="2026-03-29T00:30:00Z")
    assert excl(charge, prices, zone="Europe/Berlin") == "10"


def test_the_doubled_hour_has_one_price_in_both_passes() -> None:
    """P3.4"""
    prices = tariff(element(price("ENERGY", "1"), start_time="02:00", end_time="03:00"))
    charge = cdr(period(60, kwh=1), period(60, kwh=1), period(60, kwh=1), start="2026-10-25T00:00:00Z")
    assert excl(charge, prices, zone="Europe/Berlin") == "2"


def test_the_highest_meets_a_minimum_and_the_lowest_stays_below_a_maximum() -> None:
    """P2.2"""
    fast, slow = tariff(element(ENERGY, min_power=22)), tariff(element(ENERGY, max_power=22))
    for gauges, is_fast, is_slow in (
        ({"MAX_POWER": 22}, "1", "0"),
        ({"MIN_POWER": 21, "MAX_POWER": 21}, "0", "1"),
        ({"MIN_POWER": 30}, "1", "0"),
        ({"MIN_POWER": 4, "MAX_POWER": 50}, "1", "1"),
    ):
        charge = cdr(period(60, kwh=1, **gauges))
        assert (excl(charge, fast), excl(charge, slow)) == (is_fast, is_slow)


def test_a_threshold_crossed_within_a_period_is_noted() -> None:
    """P3.8"""
    charge = cdr(period(60, kwh=1, MIN_CURRENT=6, MAX_CURRENT=32))
    result = told(charge, tariff(element(ENERGY, max_current=16), element(price("ENERGY", "2"))))
    assert net(result) == "1"
    assert "period_spans_price_change" in codes(result)


def test_power_that_was_not_measured_is_inferred_from_energy() -> None:
    """P3.8"""
    prices = tariff(element(price("ENERGY", "1"), max_power=11), element(price("ENERGY", "2")))
    result = told(cdr(period(30, kwh=5), period(30, kwh=6)), prices)
    assert net(result) == "17"
    assert codes(result).count("power_inferred") == 2


def test_power_nobody_can_know_does_not_match() -> None:
    """P3.8"""
    result = told(cdr(period(30, time=True)), tariff(element(price("TIME", "1"), max_power=11)))
    assert net(result) == "0"
    assert "power_not_measured" in codes(result)
    assert alternative(result, "unmeasured_holds") == "0.5"


def test_current_that_was_not_measured_does_not_match() -> None:
    """P3.8"""
    result = told(cdr(period(30, kwh=5)), tariff(element(ENERGY, max_current=16), element(price("ENERGY", "2"))))
    assert net(result) == "10"
    assert "current_not_measured" in codes(result)


def test_all_restrictions_have_to_hold() -> None:
    """P2.2"""
    assert applies("2026-03-09T10:00:00Z", start_time="09:00", day_of_week=["MONDAY"], max_kwh=5)
    assert not applies("2026-03-09T10:00:00Z", start_time="09:00", day_of_week=["SUNDAY"], max_kwh=5)


def test_dimensions_are_looked_up_one_by_one() -> None:
    """P1.5: elements of different index serve different dimensions at once."""
    prices = tariff(
        element(price("ENERGY", "1"), min_kwh=100),
        element(price("TIME", "6")),
        element(price("ENERGY", "2"), price("TIME", "60")),
    )
    assert excl(cdr(period(60, kwh=10, time=True)), prices) == "26"


def test_the_first_component_of_a_dimension_counts_within_an_element() -> None:
    """P1.5"""
    assert excl(cdr(period(60, kwh=10)), tariff(element(price("ENERGY", "1"), price("ENERGY", "2")))) == "10"


def test_what_no_element_prices_is_free_and_noted() -> None:
    """P1.5"""
    result = told(cdr(period(60, kwh=10, time=True)), tariff(element(price("TIME", "6"))))
    assert net(result) == "6"
    assert note(result, "no_price_component")["dimension"] == "ENERGY"
