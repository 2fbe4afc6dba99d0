"""Charging profiles in the words of chargers, and back (notes 7)."""

from decimal import Decimal
from typing import Any

import pytest

from cpo_backend.profiles.schedules import Abilities, Unfit, abilities, active, schedule, watts_per_ampere

THREE_PHASES = Decimal(690)


def profile(*periods: tuple[int, str], unit: str = "A", **more: Any) -> dict[str, Any]:
    told = [{"start_period": start, "limit": Decimal(limit)} for start, limit in periods]
    return {"charging_rate_unit": unit, "charging_profile_period": told, **more}


def limits(found: dict[str, Any]) -> list[tuple[int, str]]:
    return [(period["startPeriod"], str(period["limit"])) for period in found["chargingSchedulePeriod"]]


def test_periods_are_sorted_and_begin_at_once() -> None:
    found = schedule(profile((900, "8"), (60, "16")), Abilities(), None)
    assert limits(found) == [(0, "16.0"), (900, "8.0")]


def test_of_two_periods_at_once_the_lower_counts() -> None:
    assert limits(schedule(profile((0, "16"), (0, "10")), Abilities(), None)) == [(0, "10.0")]


def test_duration_and_least_rate_are_kept() -> None:
    found = schedule(profile((0, "16"), duration=900, min_charging_rate=Decimal("6.5")), Abilities(), None)
    assert (found["duration"], str(found["minChargingRate"])) == (900, "6.5")
    assert "duration" not in schedule(profile((0, "16")), Abilities(), None)


def test_a_unit_that_the_charger_does_not_know_is_converted_downwards() -> None:
    watts, amperes = Abilities(units=frozenset("W")), Abilities(units=frozenset("A"))
    assert limits(schedule(profile((0, "16")), watts, THREE_PHASES)) == [(0, "11040.0")]
    found = schedule(profile((0, "11000"), unit="W"), amperes, THREE_PHASES)
    assert (found["chargingRateUnit"], limits(found)) == ("A", [(0, "15.9")])


def test_a_unit_that_cannot_be_converted_is_refused() -> None:
    with pytest.raises(Unfit):
        schedule(profile((0, "16")), Abilities(units=frozenset("W")), None)


def test_too_many_periods_become_fewer_that_never_allow_more() -> None:
    told = profile((0, "16"), (60, "15"), (120, "6"), (180, "32"))
    assert limits(schedule(told, Abilities(periods=2), None)) == [(0, "6.0"), (180, "32.0")]


@pytest.mark.parametrize("told", [profile(), profile((0, "-1")), profile((-1, "16")), profile((0, "1"), unit="HP")])
def test_a_profile_that_says_nothing_sensible_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(Unfit):
        schedule(told, Abilities(), None)


def test_what_a_charger_can_do_is_in_its_configuration() -> None:
    found = abilities(
        {
            "ChargingScheduleAllowedChargingRateUnit": ["Current", True],
            "ChargingScheduleMaxPeriods": ["24", True],
            "ChargeProfileMaxStackLevel": ["0", True],
        }
    )
    assert found == Abilities(frozenset("A"), 24, 0)
    assert abilities({"SmartChargingCtrlr.RateUnit": ["A,W", True]}).units == {"A", "W"}
    assert abilities({}) == Abilities()


def test_an_ampere_is_worth_the_phases_of_the_connector() -> None:
    assert watts_per_ampere({"power_type": "AC_3_PHASE"}) == 690
    assert watts_per_ampere({"power_type": "AC_1_PHASE"}) == 230
    assert watts_per_ampere({"power_type": "DC", "max_voltage": 400}) == 400
    assert watts_per_ampere({"power_type": "DC"}) is None


def test_what_a_charger_says_applies_is_told_with_its_start() -> None:
    told = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": Decimal("16")}]}
    assert active("2026-03-09T10:00:00Z", told, 600) == {
        "start_date_time": "2026-03-09T10:00:00Z",
        "charging_profile": {
            "start_date_time": "2026-03-09T10:00:00Z",
            "charging_rate_unit": "A",
            "charging_profile_period": [{"start_period": 0, "limit": Decimal("16.0")}],
            "duration": 600,
        },
    }
