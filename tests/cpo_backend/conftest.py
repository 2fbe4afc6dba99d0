"""A node that takes chargers."""

from collections.abc import Iterator

import pytest

from cpo_backend.models import Charger
from tests.kit import chargers


@pytest.fixture
def charger(transactional_db: None) -> Charger:
    """CP-1, registered with the EVSEs EVSE-1 and EVSE-2 as numbers 1 and 2."""
    return chargers.add_charger()


@pytest.fixture
def url(transactional_db: None) -> Iterator[str]:
    """Where chargers connect."""
    with chargers.door() as found:
        yield found
