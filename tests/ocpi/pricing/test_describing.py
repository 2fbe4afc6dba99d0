"""What a driver is told about a tariff."""

from typing import Any

import pytest

from ocpi.pricing.describing import describe
from ocpi.pricing.faults import BadInput
from tests.kit.pricing import costs, element, flat, price, tariff

ENERGY = price("ENERGY", "0.5", vat="20", step=1)
WEEK = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]


def when(**restrictions: Any) -> str:
    """The words for a restriction."""
    sentence = describe(tariff(element(price("ENERGY", "1"), **restrictions)))[0]
    return sentence.removeprefix("Energy: 1.00 EUR per kWh").removesuffix("; otherwise free.").strip()


def test_prices_are_shown_with_vat() -> None:
    assert describe(flat(ENERGY)) == ["Energy: 0.60 EUR per kWh.", "Prices include 20% VAT."]


def test_without_vat_it_says_so() -> None:
    """No rate is no VAT, which is not the same as a rate of zero (§mod_tariffs_pricecomponent_class)."""
    assert describe(flat(price("ENERGY", "0.5")))[-1] == "No VAT applies."
    assert describe(flat(price("ENERGY", "0.5", vat="0")))[-1] == "Prices include 0% VAT."


def test_several_vat_rates_are_named_with_each_price() -> None:
    assert describe(flat(ENERGY, price("FLAT", "1", vat="7"), price("TIME", "2"))) == [
        "Energy: 0.60 EUR per kWh (incl. 20% VAT).",
        "Charging time: 2.00 EUR per hour (no VAT).",
        "Start fee: 1.07 EUR per session (incl. 7% VAT).",
    ]


def test_parking_and_charging_time_are_told_apart() -> None:
    grace = element(price("PARKING_TIME", "0"), max_duration=5400)
    after = element(price("PARKING_TIME", "6", step=900), price("TIME", "3", step=1))
    assert describe(tariff(grace, after))[:2] == [
        "Charging time: 3.00 EUR per hour.",
        "Time after charging: free in the first 1 h 30 min; otherwise 6.00 EUR per hour (in steps of 15 min).",
    ]


def test_alternatives_stand_in_the_order_in_which_they_are_tried() -> None:
    evening = element(price("ENERGY", "0.9", vat="20"), start_time="17:00", end_time="20:00", day_of_week=WEEK)
    never = element(price("ENERGY", "9", vat="20"))
    assert describe(tariff(evening, element(ENERGY), never)) == [
        "Energy: 1.08 EUR per kWh Mon-Fri 17:00-20:00; otherwise 0.60 EUR per kWh.",
        "Prices include 20% VAT.",
        "Times are local times of the charge point.",
    ]


@pytest.mark.parametrize(
    ("restrictions", "words"),
    [
        ({"start_time": "22:00", "end_time": "06:00"}, "22:00-06:00"),
        ({"start_time": "22:00"}, "22:00-24:00"),
        ({"end_time": "06:00"}, "00:00-06:00"),
        ({"day_of_week": ["SUNDAY", "SATURDAY"]}, "Sat and Sun"),
        ({"day_of_week": ["MONDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]}, "Mon and Wed-Fri"),
        ({"day_of_week": ["MONDAY", "WEDNESDAY", "FRIDAY"]}, "Mon, Wed and Fri"),
        ({"start_date": "2026-03-09", "end_date": "2026-03-10"}, "from 2026-03-09, before 2026-03-10"),
        ({"max_kwh": 10}, "for the first 10 kWh"),
        ({"min_kwh": 10}, "beyond 10 kWh"),
        ({"min_kwh": 10, "max_kwh": 20}, "from 10 to 20 kWh"),
        ({"max_duration": 1800}, "in the first 30 min"),
        ({"min_duration": 3601}, "from 1 h 1 s after the start"),
        ({"min_duration": 60, "max_duration": 90}, "from 1 min to 1 min 30 s after the start"),
        ({"min_power": 22}, "at 22 kW or more"),
        ({"max_power": 22}, "below 22 kW"),
        ({"min_current": 16, "max_current": 32}, "at 16 A or more but below 32 A"),
        ({"max_kwh": 10, "start_time": "22:00"}, "22:00-24:00, for the first 10 kWh"),
    ],
)
def test_restrictions_in_words(restrictions: Any, words: str) -> None:
    assert when(**restrictions) == words


@pytest.mark.parametrize("whole", [{"start_time": "09:00", "end_time": "09:00"}, {"end_time": "00:00"}, {"min_kwh": 0}])
def test_what_restricts_nothing_is_not_mentioned(whole: Any) -> None:
    """P3.4: as the engine reads it."""
    assert describe(tariff(element(price("ENERGY", "1"), **whole)))[0] == "Energy: 1.00 EUR per kWh."


def test_reservations_have_sentences_of_their_own() -> None:
    used, lost = ({"reservation": kind} for kind in ("RESERVATION", "RESERVATION_EXPIRES"))
    prices = tariff(
        element(price("TIME", "6"), **used), element(price("FLAT", "4"), **lost), element(price("FLAT", "1"))
    )
    assert describe(prices)[:3] == [
        "Start fee: 1.00 EUR per session.",
        "Reservation: 6.00 EUR per hour.",
        "Fee for a reservation that is not used: 4.00 EUR per reservation.",
    ]


def test_limits_are_shown_with_vat_when_it_is_known() -> None:
    limits = {"min_price": costs("1"), "max_price": costs("50", "60")}
    assert "A session costs at least 1.00 EUR plus VAT and at most 60.00 EUR." in describe(flat(ENERGY, **limits))
    assert "A session costs at least 1.00 EUR." in describe(flat(price("ENERGY", "1"), min_price=costs("1")))


def test_money_has_the_decimals_of_its_currency_and_more_if_needed() -> None:
    assert describe(flat(price("ENERGY", "60"), currency="JPY"))[0] == "Energy: 60 JPY per kWh."
    assert describe(flat(price("ENERGY", "0.333", vat="20")))[0] == "Energy: 0.3996 EUR per kWh."


def test_free_of_charge_is_said_in_a_word() -> None:
    assert describe(flat(price("FLAT", "0.00"))) == ["Charging is free."]


def test_many_prices_are_a_range() -> None:
    slots = [element(price("ENERGY", f"0.{hour + 10}"), start_time=f"{hour:02}:00") for hour in range(24)]
    assert describe(tariff(*slots))[0] == "Energy: 0.10 EUR to 0.33 EUR per kWh, one of 24 prices."


def test_validity_is_told() -> None:
    valid = {"start_date_time": "2026-01-01T00:00:00Z", "end_date_time": "2026-12-31T23:00:00Z"}
    assert describe(flat(ENERGY, **valid))[-1] == "Valid from 2026-01-01 00:00 UTC until 2026-12-31 23:00 UTC."


def test_what_cannot_be_priced_cannot_be_described() -> None:
    with pytest.raises(BadInput):
        describe({"elements": []})
