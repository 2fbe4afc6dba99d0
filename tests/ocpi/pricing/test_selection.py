"""Which tariff is relevant (§mod_cdrs_chargingperiod_class); pricing notes 2.1."""

import pytest

from ocpi.pricing.faults import BadInput
from tests.kit.pricing import cdr, codes, excl, flat, note, opened, period, price, told

CHEAP = flat(price("ENERGY", "0.10"), id="cheap")
DEAR = flat(price("ENERGY", "0.90"), id="dear")


def test_a_tariff_given_prices_every_period_and_the_one_named_is_noted() -> None:
    """P2.1"""
    charge = cdr(period(30, kwh=10, tariff_id="dear"), tariffs=[DEAR])
    assert excl(charge, CHEAP) == "1"
    assert note(told(charge, CHEAP), "tariff_overridden")["tariff_id"] == "dear"


def test_each_period_has_the_tariff_it_names_whatever_the_case() -> None:
    """P2.1: ids are CiStrings."""
    charge = cdr(period(30, kwh=10, tariff_id="CHEAP"), period(30, kwh=10, tariff_id="Dear"), tariffs=[DEAR, CHEAP])
    assert excl(charge) == "10"


def test_a_tariff_id_nobody_knows_is_bad_input() -> None:
    """P2.1"""
    with pytest.raises(BadInput) as caught:
        opened(cdr(period(5, kwh=1, tariff_id="cheap"), period(5, kwh=1, tariff_id="lost"), tariffs=[CHEAP]))
    assert caught.value.pointer == "/charging_periods/1/tariff_id"


def test_without_any_tariff_id_the_one_valid_at_the_start_counts() -> None:
    """P2.1: from start_date_time, inclusive, to end_date_time, exclusive."""
    old = DEAR | {"end_date_time": "2026-03-09T10:00:00Z"}
    new = CHEAP | {"start_date_time": "2026-03-09T10:00:00Z"}
    assert excl(cdr(period(30, kwh=10), tariffs=[old, new])) == "1"


def test_a_session_keeps_its_tariff_though_that_ends_meanwhile() -> None:
    """P2.1"""
    old = DEAR | {"end_date_time": "2026-03-09T10:10:00Z"}
    new = CHEAP | {"start_date_time": "2026-03-09T10:10:00Z"}
    assert excl(cdr(period(15, kwh=1), period(15, kwh=1), tariffs=[old, new])) == "1.8"


def test_when_none_is_valid_the_first_counts_and_that_is_noted() -> None:
    """P2.1"""
    charge = cdr(period(30, kwh=10), tariffs=[DEAR | {"end_date_time": "2020-01-01T00:00:00Z"}])
    assert excl(charge) == "9"
    assert "tariff_not_active" in codes(told(charge))


def test_a_period_without_tariff_among_others_is_not_priced() -> None:
    """P2.1"""
    charge = cdr(period(30, kwh=10, tariff_id="cheap"), period(30, kwh=10), tariffs=[CHEAP])
    assert excl(charge) == "1"
    result = told(charge)
    assert note(result, "period_without_tariff")["at"] == "/charging_periods/1"
    assert result["periods"][1]["unpriced"][0]["quantity"] == 10


def test_no_tariff_at_all_is_bad_input() -> None:
    """P6"""
    with pytest.raises(BadInput, match="no tariff"):
        opened(cdr(period(30, kwh=10)))


def test_tariffs_of_several_currencies_are_bad_input() -> None:
    """P2.1"""
    charge = cdr(period(5, kwh=1, tariff_id="cheap"), period(5, kwh=1, tariff_id="dear"))
    with pytest.raises(BadInput, match="currencies"):
        opened(charge | {"tariffs": [CHEAP, DEAR | {"currency": "SEK"}]})


def test_several_tariffs_given_are_chosen_from_like_those_of_the_document() -> None:
    """P2.1"""
    charge = cdr(period(30, kwh=10, tariff_id="dear"), period(30, kwh=10, tariff_id="cheap"))
    assert excl(charge, CHEAP, DEAR) == "10"
