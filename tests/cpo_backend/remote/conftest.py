"""A charger that an eMSP commands."""

import pytest

from cpo_backend.models import Charger
from tests.kit import charging, remote
from tests.kit.platforms import register
from tests.kit.remote import Emsp


@pytest.fixture
def charger(transactional_db: None) -> Charger:
    """CP-1 with two EVSEs that are capable of everything, and a Tariff."""
    charging.add_tariff()
    found = charging.add_charger()
    remote.capable()
    return found


@pytest.fixture
def emsp(transactional_db: None) -> Emsp:
    """DE*MSP, connected."""
    return Emsp(register("EMSP:DE*MSP").client())
