"""Everything dies and comes back, and every partner ends up with the truth: nothing lost, nothing twice."""

from pathlib import Path

import pytest

from tests.kit import services
from tests.kit.faults import Plan, play


@pytest.fixture(autouse=True)
def _servers() -> None:
    try:
        services.postgres_bin()
        services.redis_server()
    except services.Missing as error:
        pytest.skip(str(error))


def test_every_partner_ends_up_with_the_truth_whatever_dies_meanwhile(tmp_path: Path) -> None:
    """R1.21, R8.8: by kill -9 of web, worker, beat and Redis, and crashes of PostgreSQL, among 300 changes."""
    outcome = play(Plan(seed=7, changes=300, rate=30, kills=1, share=0.1, patience=30, hurried=True), tmp_path)
    assert outcome.bills and min(outcome.kills.values()) > 0
