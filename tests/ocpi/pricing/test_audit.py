"""The comparison of what is claimed with what it costs; pricing notes 6."""

from decimal import Decimal
from typing import Any

import pytest

from ocpi.pricing.faults import BadInput
from tests.kit.pricing import Document, cdr, codes, costs, element, flat, note, period, price, tariff, told, verdict

KWH = flat(price("ENERGY", "0.33", vat="21", step=1))
TEN = cdr(period(60, kwh=10))


def claims(excl: str, incl: str | None = None, charge: Document = TEN, **more: Any) -> Document:
    return {**charge, "total_cost": costs(excl, incl), **more}


def causes(charge: Document, prices: Document, **options: Any) -> dict[str, str | None]:
    """By field the likely cause of what differs."""
    return {found.field: found.likely_cause for found in verdict(charge, prices, **options).differences}


@pytest.mark.parametrize(("excl", "incl"), [("3.3", "3.993"), ("3.30", "3.99"), ("3.30001", None)])
def test_equal_at_four_decimals_or_in_the_smallest_unit_agrees(excl: str, incl: str | None) -> None:
    """P6: and what is absent is no claim."""
    assert verdict(claims(excl, incl), KWH).agrees


def test_another_rounding_within_the_smallest_unit_agrees_with_a_note() -> None:
    """P6: each period rounded to cents, VAT from their sum."""
    charge = cdr(period(9, kwh="7.293", tariff_id=None), period(9, kwh="0.969"))
    prices = tariff(element(price("ENERGY", "0.22", vat="21"), max_kwh=7), element(price("ENERGY", "0.24", vat="21")))
    result = told(claims("1.83", "2.21", charge), prices)
    assert result["agrees"]
    assert codes(result).count("rounding_policy") == 2
    found = [one for one in result["notes"] if one["code"] == "rounding_policy"]
    assert found[0]["policy"] == "rounding_half_up_per_period_to_2"


def test_within_the_smallest_unit_without_a_rounding_that_gives_it_is_a_difference() -> None:
    """P6"""
    (found,) = verdict(claims("3.31"), KWH).differences
    assert (found.field, found.severity, found.likely_cause) == ("total_cost.excl_vat", "rounding", None)


def test_a_rounding_that_is_further_off_is_named_as_a_cause() -> None:
    """P6"""
    prices = flat(price("ENERGY", "0.005"))
    charge = cdr(*[period(1, kwh=1)] * 10)
    (found,) = verdict(claims("0.10", charge=charge), prices).differences
    assert (found.severity, found.likely_cause) == ("rounding", "rounding_half_up_per_period_to_2")


def test_a_difference_says_what_is_claimed_too_much() -> None:
    """P6"""
    result = told(claims("5", "6.05"), KWH)
    assert not result["agrees"]
    found = result["differences"][0]
    assert (found["field"], found["claimed"], found["computed"]) == ("total_cost.excl_vat", 5, Decimal("3.3"))
    assert (found["delta"], found["severity"]) == (Decimal("1.7"), "money")


def test_costs_are_compared_if_they_are_claimed() -> None:
    """P6"""
    assert verdict(claims("3.30", total_energy_cost=costs("3.30")), KWH).agrees
    assert list(causes(claims("3.30", total_energy_cost=costs("3")), KWH)) == ["total_energy_cost.excl_vat"]
    assert list(causes(claims("3.30", total_time_cost=costs("1")), KWH)) == ["total_time_cost.excl_vat"]


def test_fixed_cost_and_parking_cost_may_share_a_fee() -> None:
    """P6, P1.10"""
    prices = flat(price("FLAT", "1"), price("PARKING_TIME", "6"))
    charge = cdr(period(60, parking=True))
    shared = claims("7", charge=charge, total_fixed_cost=costs("0"), total_parking_cost=costs("7"))
    assert "fixed_within_parking" in codes(told(shared, prices))
    assert verdict(shared, prices).agrees
    wrong = claims("7", charge=charge, total_fixed_cost=costs("0"), total_parking_cost=costs("8"))
    assert "total_parking_cost.excl_vat" in causes(wrong, prices)


def test_quantities_are_compared_with_the_periods_and_the_clock() -> None:
    """P6"""
    charge = cdr(period(60, kwh=10), period(30, parking="0.5"), total_cost=costs("3.30"))
    assert verdict(charge | {"total_time": Decimal("1.5004"), "total_parking_time": Decimal("0.5004")}, KWH).agrees
    wrong = {"total_energy": 11, "total_time": 2, "total_parking_time": 1}
    found = verdict(charge | wrong, KWH).differences
    assert {one.field for one in found} == set(wrong)
    assert {str(one.severity) for one in found} == {"quantity"}


def test_the_time_of_a_session_may_leave_out_its_reservation() -> None:
    """P6"""
    charge = cdr(period(30, reservation=True), period(60, kwh=10), total_cost=costs("3.30"))
    assert verdict(charge, KWH).agrees
    assert verdict(charge | {"total_time": 1}, KWH).agrees


def test_energy_in_watt_hours_is_recognized() -> None:
    """P3.9"""
    assert causes({**cdr(period(60, kwh=10_000)), "total_energy": 10}, KWH)["total_energy"] == "energy_in_wh"


def test_another_currency_is_a_difference() -> None:
    """P6"""
    assert causes(claims("3.30", currency="SEK"), KWH) == {"currency": None}


def test_a_credit_cdr_claims_the_negative_total_and_all_else_unchanged() -> None:
    """P6 (§mod_cdrs_credit_cdrs)"""
    credit = claims("-3.30", "-3.99", credit=True, credit_reference_id="C", total_energy_cost=costs("3.30"))
    result = told(credit, KWH)
    assert result["agrees"] and "credit_cdr" in codes(result)
    assert result["total_cost"]["excl_vat"] == Decimal("-3.3")
    assert result["total_energy_cost"]["excl_vat"] == Decimal("3.3")
    assert not verdict(credit | {"total_cost": costs("3.30")}, KWH).agrees


def test_without_a_total_there_is_nothing_to_compare() -> None:
    """P6"""
    result = told(TEN, KWH)
    assert result["agrees"] and "no_claim" in codes(result)


def test_a_claim_that_is_no_number_is_bad_input() -> None:
    """P6"""
    with pytest.raises(BadInput) as caught:
        verdict(TEN | {"total_cost": {"excl_vat": "much"}}, KWH)
    assert caught.value.pointer == "/total_cost/excl_vat"


def test_a_running_session_claims_its_kwh() -> None:
    """P6"""
    running = claims("3.30", kwh=12, status="ACTIVE")
    for name in ("total_energy", "total_time", "end_date_time"):
        del running[name]
    assert list(causes(running, KWH)) == ["kwh"]


# --- causes, in the order in which they are tried ---------------------------------------------------------------------

STEPPED = flat(price("TIME", "6", step=600), price("PARKING_TIME", "12", step=600))
TIERED = tariff(element(price("ENERGY", "1", vat="20"), max_kwh=10), element(price("ENERGY", "2", vat="20")))
GRACE = tariff(element(price("PARKING_TIME", "12", step=900), max_duration=480))
CAPPED = flat(price("ENERGY", "1", vat="20"), max_price=costs("5", "6.5"))
FEES = tariff(element(price("FLAT", "1"), max_kwh=10), element(price("FLAT", "3")))
NIGHT = tariff(element(price("ENERGY", "1"), start_time="11:00"), element(price("ENERGY", "2")))


@pytest.mark.parametrize(
    ("cause", "charge", "prices", "excl", "incl"),
    [
        ("hours_literal", cdr(period(10, time="0.1667")), STEPPED, "2", "2"),
        ("step_per_period", cdr(period(11, time=True), period(11, time=True)), STEPPED, "4", None),
        ("step_over_unpriced", cdr(period(8, parking=True), period(12, parking=True)), GRACE, "3.6", None),
        ("step_sequential", cdr(period(16, parking=True), period(21, time=True)), STEPPED, "6.2", None),
        ("interpolated", cdr(period(30, kwh="12.5")), TIERED, "15", "18"),
        ("limits_ignored", TEN, CAPPED, "10", "12"),
        ("limit_tax_on_base", TEN, CAPPED, "5", "6"),
        ("flat_each", cdr(period(9, kwh=10), period(9, kwh=10)), FEES, "4", None),
        ("vat_missing", TEN, KWH, "3.30", "3.30"),
        ("vat_added", TEN, KWH, "3.993", "3.993"),
        ("wall_clock_time", cdr(period(30, kwh=1)), flat(price("TIME", "6"), price("ENERGY", "1")), "4", None),
    ],
)
def test_a_mistake_is_recognized(cause: str, charge: Document, prices: Document, excl: str, incl: str | None) -> None:
    """P6"""
    found = causes(claims(excl, incl, charge), prices)
    assert set(found.values()) == {cause}


def test_utc_taken_for_local_time_is_recognized() -> None:
    """P6"""
    charge = claims("20", charge=TEN)
    assert causes(charge, NIGHT, zone="Europe/Berlin") == {"total_cost.excl_vat": "utc"}


def test_one_cause_for_all_figures_comes_before_one_for_each() -> None:
    """P6"""
    found = causes(claims("15", "18", cdr(period(30, kwh="12.5")), total_energy_cost=costs("15")), TIERED)
    assert set(found.values()) == {"interpolated"} and len(found) == 3


def test_what_nobody_can_explain_has_no_cause() -> None:
    """P6"""
    assert causes(claims("77"), KWH) == {"total_cost.excl_vat": None}


def test_differences_come_with_a_sentence() -> None:
    """P6"""
    result = told(claims("10", "12"), CAPPED)
    assert result["differences"][0]["explanation"] == "The price limits were not applied."
    assert note(result, "max_price_applied")
