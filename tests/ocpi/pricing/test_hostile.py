"""Whatever a partner sends: it is priced, or refused with a pointer, and never anything else."""

import copy
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from ocpi.pricing.faults import BadInput
from tests.kit.pricing import Document, cdr, costs, element, period, price, tariff, told

EVIL: list[Any] = [
    None,
    True,
    0,
    -1,
    10**30,
    Decimal("1e400"),
    Decimal("1e-400"),
    Decimal("-5.5"),
    "",
    "9" * 50,
    "1970-1-1T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "24:00",
    "2026-02-30",
    "RESERVATION",
    [],
    {},
    [None],
    {"a": 1},
    ["MONDAY", 3],
]

PRICES = tariff(
    element(price("TIME", "1", step=60), reservation="RESERVATION"),
    element(
        price("ENERGY", "1", vat="20", step=5),
        start_time="10:00",
        end_time="12:00",
        start_date="2026-01-01",
        day_of_week=["MONDAY"],
        max_kwh=20,
        max_power=20,
    ),
    element(price("PARKING_TIME", "2"), price("FLAT", "1"), min_duration=100),
    min_price=costs("1", "2"),
    max_price=costs("9", "10"),
)
GOOD = cdr(
    period(30, reservation=True, tariff_id="T"),
    period(30, kwh="10.1", time=True, MAX_POWER=11, tariff_id="T"),
    period(30, parking=True, tariff_id="T"),
    tariffs=[PRICES],
    total_cost=costs("5", "6"),
    total_parking_cost=costs("1"),
    cdr_location={"country": "DEU"},
)


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = document.items() if isinstance(document, dict) else enumerate(document)
    for name, value in members if isinstance(document, (dict, list)) else ():
        yield (*path, name)
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, name))


def spoiled(chance: random.Random) -> Document:
    """The good document with one to three members replaced or gone."""
    document = copy.deepcopy(GOOD)
    for _ in range(chance.randint(1, 3)):
        *above, last = chance.choice(list(places(document)))
        parent: Any = document
        for step in above:
            parent = parent[step]
        if isinstance(parent, dict) and chance.random() < 0.2:
            del parent[last]
        else:
            parent[last] = chance.choice(EVIL)
    return document


@pytest.mark.parametrize("seed", range(8))
def test_it_is_priced_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(20):
        document = spoiled(chance)
        try:
            told(document, zone=None)
        except BadInput as fault:
            assert fault.message
