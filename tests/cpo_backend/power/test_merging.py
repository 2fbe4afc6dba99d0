"""A profile of a partner never lifts a Session above its share, at no second."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpo_backend.profiles.schedules import Abilities, Unfit, at, capped, schedule, steps

PER_AMPERE = Decimal(690)
PERIODS = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(0, 320).map(lambda tenths: Decimal(tenths) / 10)),
    min_size=1,
    max_size=6,
)


def profile(periods: list[tuple[int, Decimal]], unit: str = "A", **more: Any) -> dict[str, Any]:
    told = [{"start_period": start, "limit": limit} for start, limit in periods]
    return {"charging_rate_unit": unit, "charging_profile_period": told, **more}


def limits(found: dict[str, Any]) -> list[tuple[int, Decimal]]:
    return [(period["start_period"], period["limit"]) for period in found["charging_profile_period"]]


def watts(found: dict[str, Any], second: int) -> Decimal:
    """What a charger would allow then."""
    told = [period for period in found["chargingSchedulePeriod"] if period["startPeriod"] <= second]
    factor = 1 if found["chargingRateUnit"] == "W" else PER_AMPERE
    return Decimal(told[-1]["limit"]) * factor


@given(
    PERIODS,
    st.integers(0, 22_080),
    st.one_of(st.none(), st.integers(0, 6000)),
    st.integers(-6000, 6000),
    st.sampled_from([Abilities(), Abilities(units=frozenset("W")), Abilities(units=frozenset("A"), periods=2)]),
    st.integers(0, 20_000),
)
def test_at_each_second_the_lower_counts(
    periods: Any, ceiling: int, duration: int | None, offset: int, abilities: Abilities, second: int
) -> None:
    more = {} if duration is None else {"duration": duration}
    wanted = profile(periods, **more)
    told = schedule(capped(wanted, Decimal(ceiling), PER_AMPERE, "A", offset), abilities, PER_AMPERE)
    assert "duration" not in told, "the share applies to the end"
    allowed = watts(told, second)
    assert allowed <= ceiling
    limit, _ = at(steps(wanted, offset), second)
    if limit is not None:
        assert allowed <= limit * PER_AMPERE
    if abilities.periods is None:
        assert allowed > min(ceiling, ceiling if limit is None else limit * PER_AMPERE) - PER_AMPERE


def test_before_its_begin_and_after_its_end_the_share_applies() -> None:
    wanted = profile([(0, Decimal(6)), (60, Decimal(32))], duration=120)
    assert limits(capped(wanted, Decimal(11_040), PER_AMPERE, "A", 300)) == [(0, 16), (300, 6), (360, 16)]


def test_a_profile_that_began_before_the_charging_goes_on() -> None:
    wanted = profile([(0, Decimal(6)), (60, Decimal(8)), (120, Decimal(10))])
    assert limits(capped(wanted, Decimal(11_040), PER_AMPERE, "A", -90)) == [(0, 8), (30, 10)]


def test_without_a_profile_it_is_the_share_in_the_unit_of_the_charger() -> None:
    assert limits(capped(None, Decimal(6900), PER_AMPERE, "A")) == [(0, 10)]
    assert limits(capped(None, Decimal(6900), None, "W")) == [(0, 6900)]


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(Unfit):
        capped(profile([(0, Decimal(6))]), Decimal(6900), None, "W")
