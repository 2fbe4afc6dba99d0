"""Charging periods from meter samples, states and tariffs; pricing notes 7."""

from decimal import Decimal
from typing import Any

import pytest

from ocpi.pricing.faults import BadInput
from ocpi.types.validation import check
from ocpi.v221.cdrs import ChargingPeriod
from tests.kit.metering import CHARGING, FINISHING, FULL, HELD, RESERVED, confirmed, history, made, running, seen
from tests.kit.pricing import MONDAY, costs, element, flat, price, tariff

PER_KWH = flat(price("ENERGY", "0.5"))
HOUR = {0: 1000, 60: 1010}
"""A register that counts 10 kWh in an hour."""


def test_without_borders_there_is_one_period() -> None:
    """P7"""
    members = made(PER_KWH, 60, kwh={0: 1000, 17: 1002, 60: 1010})
    assert seen(members) == [("10:00:00", {"ENERGY": "10", "TIME": "1"})]
    assert members["charging_periods"][0]["tariff_id"] == "T"
    assert members["total_cost"] == members["total_energy_cost"] == {"excl_vat": 5, "incl_vat": 5}
    assert (members["total_energy"], members["total_time"]) == (10, 1)
    assert "total_parking_time" not in members and "total_time_cost" not in members


def test_clock_borders_cut_in_local_time() -> None:
    """P7.1: from 12:30 in Berlin, which is 11:30 UTC; the energy is interpolated."""
    prices = tariff(element(price("ENERGY", "1"), start_time="12:30"), element(price("ENERGY", "0.5")))
    members = made(prices, 120, kwh={0: 5, 120: 17}, zone="Europe/Berlin")
    assert seen(members) == [("10:00:00", {"ENERGY": "9", "TIME": "1.5"}), ("11:30:00", {"ENERGY": "3", "TIME": "0.5"})]
    assert members["total_cost"]["excl_vat"] == Decimal("7.5")


def test_midnight_cuts_when_days_or_dates_are_used() -> None:
    """P7.1"""
    weekday = tariff(element(price("ENERGY", "1"), day_of_week=["MONDAY"]), element(price("ENERGY", "2")))
    date = tariff(element(price("ENERGY", "1"), end_date="2026-03-10"), element(price("ENERGY", "2")))
    for prices in (weekday, date):
        members = made(prices, 120, kwh={0: 0, 120: 12}, start=f"{MONDAY}23:00:00Z")
        assert [at for at, _ in seen(members)] == ["23:00:00", "00:00:00"]


def test_a_time_that_does_not_exist_cuts_at_the_first_instant_after() -> None:
    """P7.1: 02:30 is never that night in Berlin; at 01:00 UTC the clock shows 03:00."""
    prices = tariff(element(price("TIME", "12"), start_time="02:30"), element(price("TIME", "6")))
    members = made(prices, 60, start="2026-03-29T00:30:00Z", zone="Europe/Berlin")
    assert [at for at, _ in seen(members)] == ["00:30:00", "01:00:00"]


def test_a_time_that_comes_twice_cuts_twice() -> None:
    """P7.1: from 02:30 to 03:00, both times; between them it is before 02:30 again."""
    prices = tariff(element(price("TIME", "12"), start_time="02:30", end_time="03:00"), element(price("TIME", "6")))
    members = made(prices, 180, start="2026-10-25T00:00:00Z", zone="Europe/Berlin")
    assert [at for at, _ in seen(members)] == ["00:00:00", "00:30:00", "01:00:00", "01:30:00", "02:00:00"]


def test_durations_count_from_the_start_of_charging() -> None:
    """P7.2"""
    grace = tariff(element(price("TIME", "0"), max_duration=900), element(price("TIME", "6")))
    members = made(grace, 60, states={0: RESERVED, 20: CHARGING})
    assert seen(members) == [
        ("10:00:00", {"RESERVATION_TIME": "0.3333333333"}),
        ("10:20:00", {"TIME": "0.25"}),
        ("10:35:00", {"TIME": "0.4166666667"}),
    ]


def test_durations_within_a_reservation_count_from_its_start() -> None:
    """P7.2"""
    held = {"reservation": "RESERVATION"}
    prices = tariff(element(price("TIME", "0"), max_duration=600, **held), element(price("TIME", "6"), **held))
    members = made(prices, 60, states={0: RESERVED, 20: CHARGING})
    assert [at for at, _ in seen(members)] == ["10:00:00", "10:10:00", "10:20:00"]
    assert members["total_reservation_cost"]["excl_vat"] == 1


def test_a_tier_of_energy_is_hit_exactly_and_on_the_second() -> None:
    """P7.3: reached after 25.7 minutes and a bit."""
    tiers = tariff(element(price("ENERGY", "1"), max_kwh=3), element(price("ENERGY", "2")))
    members = made(tiers, 60, kwh={0: 0, 60: 7})
    assert seen(members) == [
        ("10:00:00", {"ENERGY": "3", "TIME": "0.4286111111"}),
        ("10:25:43", {"ENERGY": "4", "TIME": "0.5713888889"}),
    ]
    assert members["total_cost"]["excl_vat"] == 11


def test_the_tier_is_reached_between_the_samples_around_it() -> None:
    """P7.3: 10 kWh at once, then nothing for long."""
    tiers = tariff(element(price("TIME", "1"), max_kwh=5), element(price("TIME", "2")))
    members = made(tiers, 60, kwh={0: 0, 10: 10, 60: 10})
    assert [at for at, _ in seen(members)] == ["10:00:00", "10:05:00"]


def test_two_tiers_within_a_second_are_still_two_cuts() -> None:
    """P7.3"""
    tiers = tariff(
        element(price("ENERGY", "1"), max_kwh=1),
        element(price("ENERGY", "2"), max_kwh=Decimal("1.001")),
        element(price("ENERGY", "3")),
    )
    members = made(tiers, 1, kwh={0: 0, 1: 2})
    assert [volumes["ENERGY"] for _, volumes in seen(members)] == ["1", "0.001", "0.999"]


def test_a_tier_reached_with_the_last_sample_is_the_price_of_what_follows() -> None:
    """P7.3: min_kwh is inclusive."""
    prices = tariff(element(price("PARKING_TIME", "6"), min_kwh=10), element(price("PARKING_TIME", "60")))
    members = made(prices, 120, kwh=HOUR, states={60: FULL})
    assert members["total_cost"]["excl_vat"] == 6


def test_power_cuts_where_it_crosses_a_threshold() -> None:
    """P7.4: it falls from 50 to 20 kW in an hour, so it passes 32 kW after 36 minutes."""
    bands = tariff(element(price("ENERGY", "1"), max_power=32), element(price("ENERGY", "2")))
    members = made(bands, 60, kwh={0: 0, 36: 24, 60: 34}, power={0: 50, 60: 20, 61: 20}, states={61: FULL})
    found = seen(made(bands, 120, kwh={0: 0, 36: 24, 60: 34}, power={0: 50, 60: 20}))
    assert [at for at, _ in found] == ["10:00:00", "10:36:00"]
    assert found[0][1] == {"ENERGY": "24", "TIME": "0.6", "MIN_POWER": "32", "MAX_POWER": "50"}
    assert (found[1][1]["MIN_POWER"], found[1][1]["MAX_POWER"]) == ("20", "31.9999")
    assert members["total_energy"] == 34


def test_flapping_makes_no_periods() -> None:
    """P7.4: a band counts once it was kept for a minute; what is reported stays within the band."""
    bands = tariff(element(price("TIME", "1"), min_current=16), element(price("TIME", "2")))
    flapping = {0: 20, 10: 20, 10.2: 10, 10.4: 20, 20: 20, 30: 18}
    members = made(bands, 40, current=flapping)
    assert seen(members) == [("10:00:00", {"TIME": "0.6666666667", "MIN_CURRENT": "16", "MAX_CURRENT": "20"})]
    assert len(seen(made(bands, 40, current=flapping, steady_after=1))) == 3


def test_power_that_was_not_sampled_is_the_average_between_registers() -> None:
    """P7.4: 6 kW, then 48 kW."""
    bands = tariff(element(price("ENERGY", "1"), max_power=16), element(price("ENERGY", "2")))
    members = made(bands, 60, kwh={0: 0, 10: 1, 60: 41})
    assert [(at, volumes["MAX_POWER"]) for at, volumes in seen(members)] == [("10:00:00", "6"), ("10:10:00", "48")]
    assert members["total_cost"]["excl_vat"] == 81


def test_current_that_was_not_measured_is_not_made_up() -> None:
    """P7.4, P3.8: such a restriction cannot hold, and a note says so."""
    bands = tariff(element(price("TIME", "1"), max_current=16), element(price("TIME", "2")))
    generated = confirmed(history(bands, 60, kwh=HOUR))
    assert "MAX_CURRENT" not in seen(generated.members)[0][1]
    assert "current_not_measured" in [note.code for note in generated.notes]


def test_currents_are_reported_only_where_a_restriction_asks() -> None:
    """P7"""
    assert seen(made(PER_KWH, 60, current={0: 20}, power={0: 9}))[0][1] == {"TIME": "1"}


def test_parking_is_time_in_which_the_vehicle_asks_for_nothing() -> None:
    """P7.5: load management is no parking."""
    prices = flat(price("TIME", "6"), price("PARKING_TIME", "12"))
    members = made(
        prices, 120, kwh={0: 0, 40: 8, 60: 8, 120: 8}, states={20: HELD, 30: CHARGING, 60: FULL, 90: FINISHING}
    )
    assert seen(members) == [("10:00:00", {"ENERGY": "8", "TIME": "1"}), ("11:00:00", {"PARKING_TIME": "1"})]
    assert (members["total_time"], members["total_parking_time"]) == (2, 1)
    assert members["total_parking_cost"]["excl_vat"] == 12


def test_energy_flows_only_while_charging() -> None:
    """P7.5: nothing but start and stop is known, and when the vehicle was full."""
    prices = tariff(element(price("ENERGY", "1"), start_time="12:00"), element(price("ENERGY", "2")))
    members = made(prices, 600, kwh={0: 0, 600: 20}, states={60: FULL})
    assert seen(members)[0] == ("10:00:00", {"ENERGY": "20", "TIME": "1"})
    assert members["total_cost"]["excl_vat"] == 40


def test_another_tariff_from_then_on() -> None:
    """P7.6: the driver chose another profile."""
    cheap = flat(price("ENERGY", "0.2"), id="CHEAP")
    members = made(PER_KWH, 60, kwh=HOUR, switches={30: cheap})
    assert [period["tariff_id"] for period in members["charging_periods"]] == ["T", "CHEAP"]
    assert members["tariffs"] == [PER_KWH, cheap]
    assert members["total_cost"]["excl_vat"] == Decimal("3.5")


def test_a_reservation_that_nobody_used_is_reservation_time_only() -> None:
    """P7.5, P2.3"""
    prices = tariff(element(price("TIME", "6"), reservation="RESERVATION_EXPIRES"), element(price("FLAT", "1")))
    members = made(prices, 30, states={0: RESERVED})
    assert seen(members) == [("10:00:00", {"RESERVATION_TIME": "0.5"})]
    assert (members["total_energy"], members["total_time"]) == (0, 0)
    assert members["total_cost"]["excl_vat"] == members["total_reservation_cost"]["excl_vat"] == 3


def test_nothing_is_charged_where_the_register_counts_backwards() -> None:
    """P7: a reset is no energy, and nothing is interpolated across it."""
    tiers = tariff(element(price("ENERGY", "1"), max_kwh=4), element(price("ENERGY", "2")))
    generated = confirmed(history(tiers, 40, kwh={0: 900, 10: 903, 20: 1, 30: 4, 40: 4}))
    assert generated.members["total_energy"] == 6
    assert [at for at, _ in seen(generated.members)] == ["10:00:00", "10:23:20"]
    assert [note.at for note in generated.notes if note.code == "register_decreased"] == ["/samples/2"]


def test_signed_values_decide_on_the_energy() -> None:
    """P7: what lies between them only says when; what contradicts them is disregarded."""
    tiers = tariff(element(price("ENERGY", "1"), max_kwh=2), element(price("ENERGY", "2")))
    told = history(tiers, 60, signed={0: "10.00001", 60: "20.00004"}, kwh={1: 9, 30: 12, 40: 99, 50: 11})
    generated = confirmed(told)
    assert generated.members["total_energy"] == Decimal("10.00003")
    assert [volumes["ENERGY"] for _, volumes in seen(generated.members)] == ["2", "8.00003"]
    flagged = [note.at for note in generated.notes if note.code == "sample_contradicts_signed"]
    assert flagged == ["/samples/0", "/samples/2", "/samples/3"]


def test_a_signed_value_without_its_other_half_is_flagged() -> None:
    """P7"""
    generated = confirmed(history(PER_KWH, 60, signed={60: 10}, kwh={0: 5}))
    assert generated.members["total_energy"] == 5
    assert "signed_value_missing" in [note.code for note in generated.notes]
    assert "signed_value_missing" not in [note.code for note in running(PER_KWH, 60, signed={0: 5}).notes]


def test_energy_before_charging_is_not_the_drivers() -> None:
    """P7.5: the register of a reserved EVSE is nobody's."""
    members = made(PER_KWH, 60, kwh={0: 10, 15: 12, 30: 13, 60: 18}, states={0: RESERVED, 20: CHARGING})
    assert members["total_energy"] == 6
    assert "ENERGY" not in seen(members)[0][1]


def test_neighbours_with_the_same_prices_are_one_period() -> None:
    """P7: the window and the tier are of elements that never apply."""
    prices = tariff(
        element(price("ENERGY", "1")),
        element(price("ENERGY", "2"), start_time="10:30"),
        element(price("ENERGY", "3"), min_kwh=2),
    )
    assert len(seen(made(prices, 60, kwh=HOUR))) == 1


def test_parking_is_not_cut_by_a_price_of_energy() -> None:
    """P7: a price counts only where its dimension is used."""
    prices = tariff(element(price("ENERGY", "1"), end_time="12:00"), element(price("ENERGY", "2")))
    members = made(prices, 240, kwh={0: 0, 60: 10}, states={60: FULL})
    assert [at for at, _ in seen(members)] == ["10:00:00", "11:00:00"]


def test_a_flat_fee_that_becomes_active_later_starts_a_period() -> None:
    """P7"""
    prices = tariff(element(price("FLAT", "3"), min_kwh=5), element(price("ENERGY", "1")))
    members = made(prices, 60, kwh=HOUR)
    assert len(seen(members)) == 2
    assert members["total_fixed_cost"]["excl_vat"] == 3


def test_a_period_never_hides_a_tier_and_a_time_at_once() -> None:
    """P7: seen as linear, 10 kWh would be reached before noon, at another price."""
    prices = tariff(element(price("ENERGY", "9"), end_time="12:00", min_kwh=10), element(price("ENERGY", "1")))
    members = made(prices, 240, kwh={0: 0, 130: 10, 240: 40})
    assert members["total_cost"]["excl_vat"] == 40
    assert len(seen(members)) == 2


def test_slots_of_a_day_ahead_price() -> None:
    """P7: one element per slot, and a ceiling at the end."""
    slots = [
        element(
            price("ENERGY", f"0.{hour + 10}"),
            start_date="2026-03-09",
            end_date="2026-03-10",
            start_time=f"{hour:02}:00",
            end_time=f"{(hour + 1) % 24:02}:00",
        )
        for hour in range(24)
    ]
    members = made(tariff(*slots, element(price("ENERGY", "9"))), 180, kwh={0: 0, 180: 3}, start=f"{MONDAY}21:30:00Z")
    assert [at for at, _ in seen(members)] == ["21:30:00", "22:00:00", "23:00:00", "00:00:00"]
    assert members["total_cost"]["excl_vat"] == Decimal("0.155") + Decimal("0.32") + Decimal("0.33") + Decimal("4.5")


def test_periods_are_valid_on_the_wire() -> None:
    """P7: every period has a dimension, also of a session of no length."""
    for told in (history(PER_KWH, 60, kwh=HOUR), history(PER_KWH, 0)):
        periods = confirmed(told).members["charging_periods"]
        assert periods and not [found for one in periods for found in check(one, ChargingPeriod)]


def test_a_running_session_costs_what_it_would_if_it_ended_now() -> None:
    """P7: with step_size and the minimum price; no energy is made up after the last sample."""
    prices = flat(price("ENERGY", "1", step=1000), min_price=costs("5"))
    generated = running(prices, 45, kwh={0: 10, 30: "12.5", 60: 99})
    assert generated.members.keys() == {"currency", "kwh", "charging_periods", "total_cost"}
    assert (generated.members["kwh"], generated.members["total_cost"]["excl_vat"]) == (Decimal("2.5"), 5)
    assert seen(generated.members) == [("10:00:00", {"ENERGY": "2.5", "TIME": "0.75"})]
    assert "running_session" in [note.code for note in generated.notes]


def test_a_reservation_that_still_waits_has_not_expired() -> None:
    """P2.3"""
    used, lost = ({"reservation": kind} for kind in ("RESERVATION", "RESERVATION_EXPIRES"))
    prices = tariff(element(price("TIME", "6"), **used), element(price("TIME", "60"), **lost))
    assert running(prices, 30, states={0: RESERVED}).members["total_cost"]["excl_vat"] == 3


@pytest.mark.parametrize(
    ("told", "pointer"),
    [
        (history(PER_KWH, -1), "/end"),
        (history(PER_KWH, 600_000), "/end"),
        (history(PER_KWH, None), "/end"),
        (history(PER_KWH, 60, states={10: RESERVED}), "/changes"),
        (history(PER_KWH, 60, zone="Mars"), ""),
        (history(PER_KWH, 60, signed={0: 20, 60: 10}), "/samples/1"),
        (history(PER_KWH, 60, switches={10: flat(price("TIME", "1"))}), "/tariffs"),
        (history(PER_KWH, 60, switches={10: flat(price("TIME", "1"), id="B", currency="CHF")}), "/tariffs"),
        (history({"id": "T", "currency": "EUR"}, 60), "/tariffs/T/elements"),
    ],
)
def test_a_history_that_cannot_be_is_refused(told: Any, pointer: str) -> None:
    with pytest.raises(BadInput) as fault:
        confirmed(told)
    assert fault.value.pointer == pointer
