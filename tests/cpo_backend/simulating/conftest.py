"""A node at which can be charged."""

import pytest

from cpo_backend.models import Charger
from tests.kit import charging


@pytest.fixture
def charger(transactional_db: None) -> Charger:
    """CP-1 with two EVSEs, a Tariff, and a Token that may charge."""
    charging.add_tariff()
    charging.add_token()
    return charging.add_charger()
