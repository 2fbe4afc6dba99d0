"""Some hundred transactions over bad lines; `make bench` has ten thousand (tests/bench/transactions_case.py)."""

import pytest

from tests.kit.storm import Plan, prepare, storm


@pytest.mark.parametrize("seed", [1, 2])
def test_energy_and_number_of_cdrs_are_exactly_right(url: str, seed: int) -> None:
    plan = Plan(seed=seed, chargers=6, transactions=12)
    prepare(plan)
    outcome = storm(url, plan)
    assert outcome.wrong[:10] == []
    assert outcome.cdrs == 72
