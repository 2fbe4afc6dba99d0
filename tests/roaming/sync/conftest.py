"""A CPO to be pulled from."""

from collections.abc import Callable

import pytest

from roaming.models import Platform
from tests.kit.peer import FakePeer
from tests.kit.platforms import register


@pytest.fixture
def cpo_peer(fake_peer: Callable[..., FakePeer]) -> FakePeer:
    return fake_peer(party="DE*CPO", role="CPO")


@pytest.fixture
def cpo_platform(cpo_peer: FakePeer) -> Platform:
    return register("CPO:DE*CPO", endpoints=cpo_peer.endpoints(), outbound_token=cpo_peer.token).platform
