"""Periods that outlast their price (§mod_cdrs_charging_period); pricing notes 3.3."""

from tests.kit.pricing import alternative, cdr, codes, element, excl, net, note, period, price, tariff, told

TIERS = tariff(element(price("ENERGY", "1"), max_kwh=10), element(price("ENERGY", "2")))
EVENING = tariff(element(price("TIME", "6"), end_time="17:00"), element(price("TIME", "12")))


def test_the_price_at_the_start_counts_and_the_split_is_an_alternative() -> None:
    """P3.3: exact for tiers of energy."""
    result = told(cdr(period(30, kwh="12.5")), TIERS)
    assert net(result) == "12.5"
    assert alternative(result, "interpolated") == "15"
    found = note(result, "period_spans_price_change")
    assert (found["dimension"], found["instant"]) == ("ENERGY", "2026-03-09T10:24:00Z")
    assert (found["from"], found["to"]) == ("/elements/0/price_components/0", "/elements/1/price_components/0")


def test_clock_borders_are_exact_on_time() -> None:
    """P3.3"""
    charge = cdr(period(20, time=True), start="2026-03-09T15:55:00Z")
    result = told(charge, EVENING, zone="Europe/Berlin")
    assert net(result) == "2"
    assert alternative(result, "interpolated") == "3.5"
    assert note(result, "period_spans_price_change")["instant"] == "2026-03-09T16:00:00Z"


def test_a_period_that_ends_on_the_border_spans_nothing() -> None:
    """P3.3"""
    assert "period_spans_price_change" not in codes(told(cdr(period(30, kwh=10), period(9, kwh=1)), TIERS))
    charge = cdr(period(60, time=True), start="2026-03-09T16:00:00Z")
    assert "period_spans_price_change" not in codes(told(charge, EVENING))


def test_a_price_that_comes_and_goes_within_a_period_is_seen() -> None:
    """P3.3"""
    happy_hour = tariff(element(price("TIME", "0"), start_time="12:00", end_time="13:00"), element(price("TIME", "6")))
    result = told(cdr(period(240, time=True)), happy_hour)
    assert codes(result).count("period_spans_price_change") == 2
    assert alternative(result, "interpolated") == "18"


def test_durations_and_midnight_are_borders_too() -> None:
    """P3.3"""
    grace = tariff(element(price("PARKING_TIME", "0"), max_duration=900), element(price("PARKING_TIME", "6")))
    assert alternative(told(cdr(period(60, parking=True)), grace), "interpolated") == "4.5"
    weekday = tariff(element(price("TIME", "6"), day_of_week=["MONDAY"]), element(price("TIME", "12")))
    result = told(cdr(period(120, time=True), start="2026-03-09T23:00:00Z"), weekday)
    assert alternative(result, "interpolated") == "18"


def test_the_nonexistent_hour_begins_where_the_clock_jumps() -> None:
    """P3.3: the window from 02:30 begins at 03:00 local time that night, which is 01:00 UTC."""
    prices = tariff(element(price("TIME", "12"), start_time="02:30"), element(price("TIME", "6")))
    result = told(cdr(period(60, time=True), start="2026-03-29T00:30:00Z"), prices, zone="Europe/Berlin")
    assert note(result, "period_spans_price_change")["instant"] == "2026-03-29T01:00:00Z"


def test_time_is_never_made_up_from_the_clock() -> None:
    """P1.3"""
    prices = tariff(element(price("TIME", "6"), price("ENERGY", "1")))
    result = told(cdr(period(60, kwh=1)), prices)
    assert net(result) == "1"
    assert note(result, "dimension_not_reported")["dimension"] == "TIME"
    assert excl(cdr(period(60, kwh=1, time=True)), prices) == "7"


def test_durations_within_a_reservation_are_borders_too() -> None:
    """P3.3: they count from its start."""
    held = {"reservation": "RESERVATION"}
    prices = tariff(element(price("TIME", "0"), max_duration=600, **held), element(price("TIME", "6"), **held))
    result = told(cdr(period(20, reservation=True), period(10, kwh=1)), prices)
    assert note(result, "period_spans_price_change")["instant"] == "2026-03-09T10:10:00Z"
    assert alternative(result, "interpolated") == "1"
