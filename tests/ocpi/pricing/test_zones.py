"""Whose clock counts; pricing notes 2.2."""

import pytest

from ocpi.pricing.faults import BadInput
from tests.kit.pricing import cdr, codes, element, excl, net, opened, period, price, tariff, told

AFTER_NINE = tariff(element(price("ENERGY", "1"), start_time="09:00"))
AT_HALF_PAST_EIGHT_UTC = cdr(period(10, kwh=1), start="2026-03-09T08:30:00Z")


def test_the_argument_comes_first() -> None:
    charge = AT_HALF_PAST_EIGHT_UTC | {"cdr_location": {"country": "DEU"}}
    assert excl(charge, AFTER_NINE, zone="Europe/London") == "0"


def test_then_the_time_zone_of_the_location() -> None:
    charge = AT_HALF_PAST_EIGHT_UTC | {"cdr_location": {"country": "GBR", "time_zone": "Europe/Berlin"}}
    assert excl(charge, AFTER_NINE, zone=None) == "1"


@pytest.mark.parametrize(("country", "expected"), [("DEU", "1"), ("nld", "1"), ("BE", "1"), ("GBR", "0")])
def test_then_the_country_when_it_has_but_one_clock(country: str, expected: str) -> None:
    charge = AT_HALF_PAST_EIGHT_UTC | {"cdr_location": {"country": country}}
    assert excl(charge, AFTER_NINE, zone=None) == expected


@pytest.mark.parametrize("location", [{"country": "ESP"}, {"country": "USA"}, {}])
def test_else_it_is_utc_and_that_is_noted(location: dict[str, str]) -> None:
    result = told(AT_HALF_PAST_EIGHT_UTC | {"cdr_location": location}, AFTER_NINE, zone=None)
    assert net(result) == "0"
    assert "time_zone_assumed" in codes(result)


def test_nothing_is_noted_when_no_clock_is_asked() -> None:
    result = told(AT_HALF_PAST_EIGHT_UTC, tariff(element(price("ENERGY", "1"))), zone=None)
    assert "time_zone_assumed" not in codes(result)


def test_a_zone_nobody_knows_is_bad_input() -> None:
    for name in ("Mars/Olympus", "../../etc/passwd", ""):
        with pytest.raises(BadInput, match="time zone"):
            opened(AT_HALF_PAST_EIGHT_UTC, AFTER_NINE, zone=name)


def test_a_zone_of_the_location_nobody_knows_is_bad_input() -> None:
    with pytest.raises(BadInput) as caught:
        opened(AT_HALF_PAST_EIGHT_UTC | {"cdr_location": {"time_zone": "Nowhere"}}, AFTER_NINE, zone=None)
    assert caught.value.pointer == "/cdr_location/time_zone"


def test_a_session_through_the_clock_change_sees_both_offsets() -> None:
    """02:00 of that night is 03:00 at once."""
    prices = tariff(element(price("ENERGY", "1"), end_time="03:00"), element(price("ENERGY", "5")))
    charge = cdr(period(60, kwh=1), period(60, kwh=1), start="2026-03-29T00:00:00Z")
    assert excl(charge, prices, zone="Europe/Berlin") == "6"
