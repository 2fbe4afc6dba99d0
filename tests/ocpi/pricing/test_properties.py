"""What holds for every session; pricing notes 7."""

from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ocpi.pricing.case import Case
from ocpi.pricing.causes import Causes, figure
from ocpi.pricing.figures import Mode, Rounding, Stage
from ocpi.pricing.kinds import COSTS
from ocpi.pricing.readings import Readings
from ocpi.types import times
from tests.kit.pricing import Document, cdr, costs, element, excl, opened, period, price, tariff, told

AMOUNTS = st.decimals("0", "40", places=4)
PRICES = st.decimals("0", "9", places=4)
STEPS = st.sampled_from([0, 1, 60, 300, 900, 1000])
RATES = st.sampled_from([None, "0", "7", "19", "21.5"])


@st.composite
def components(draw: st.DrawFn) -> list[Document]:
    kinds = draw(st.lists(st.sampled_from(["ENERGY", "TIME", "PARKING_TIME", "FLAT"]), min_size=1, unique=True))
    return [price(kind, str(draw(PRICES)), vat=draw(RATES), step=draw(STEPS)) for kind in kinds]


@st.composite
def restrictions(draw: st.DrawFn) -> dict[str, Any]:
    return draw(
        st.sampled_from(
            [
                {},
                {"max_kwh": 20},
                {"min_duration": 1800},
                {"start_time": "10:30", "end_time": "12:00"},
                {"start_time": "22:00", "end_time": "10:15"},
                {"day_of_week": ["MONDAY", "SUNDAY"]},
            ]
        )
    )


@st.composite
def tariffs(draw: st.DrawFn) -> Document:
    some = st.builds(lambda parts, when: element(*parts, **when), components(), restrictions())
    elements = draw(st.lists(some, min_size=1, max_size=4))
    limits: Document = {}
    if draw(st.booleans()):
        limits["max_price"] = costs(str(draw(PRICES)), str(draw(PRICES)))
    if draw(st.booleans()):
        limits["min_price"] = costs(str(draw(PRICES)))
    return tariff(*elements, **limits)


@st.composite
def charges(draw: st.DrawFn) -> Document:
    stretches = draw(
        st.lists(
            st.builds(
                lambda minutes, kwh, kind: period(minutes, kwh=kwh, **({kind: True} if kind else {})),
                st.integers(1, 120),
                AMOUNTS,
                st.sampled_from(["time", "parking", None]),
            ),
            min_size=1,
            max_size=6,
        )
    )
    return cdr(*stretches)


@settings(max_examples=80, deadline=None)
@given(charges(), tariffs())
def test_tax_lines_add_up_and_the_result_survives_json(charge: Document, prices: Document) -> None:
    result = told(charge, prices)
    cost = result["total_cost"]
    assert sum(line["tax"] for line in result["tax_lines"]) == cost["incl_vat"] - cost["excl_vat"]
    assert sum(line["base"] for line in result["tax_lines"]) == cost["excl_vat"]


@settings(max_examples=80, deadline=None)
@given(charges(), tariffs())
def test_a_cdr_that_claims_the_result_agrees(charge: Document, prices: Document) -> None:
    names = ("total_cost", "total_energy_cost", "total_time_cost", "total_parking_cost", "total_fixed_cost")
    result = told(charge, prices)
    assert told(charge | {name: result[name] for name in names}, prices)["agrees"]


@settings(max_examples=80, deadline=None)
@given(charges(), tariffs(), st.builds(Rounding, st.sampled_from(Mode), st.sampled_from(Stage), st.integers(0, 4)))
def test_the_total_alone_is_that_of_the_figures(charge: Document, prices: Document, policy: Rounding) -> None:
    read = opened(charge, prices)
    case = Case(read.usage, read.offer, read.place, policy=policy)
    assert case.total == case.figures.total


@settings(max_examples=80, deadline=None)
@given(charges(), tariffs())
def test_no_rounding_is_ruled_out_that_gives_the_claim(charge: Document, prices: Document) -> None:
    """Those whose result cannot be near a claim are not worked out."""
    for cause in Causes(opened(charge, prices)):
        for field, part in product(("total_cost", *COSTS), ("excl_vat", "incl_vat")):
            if (given_by := figure(cause.figures[0], (field, part))) is not None:
                assert cause.explains((field, part), given_by), (cause.name, field)


@settings(max_examples=80, deadline=None)
@given(charges(), components(), st.data())
def test_splitting_a_period_changes_no_total(charge: Document, parts: list[Document], data: st.DataObject) -> None:
    """Under a price that stays, wherever the cut is."""
    prices = tariff(element(*parts))
    at = data.draw(st.integers(0, len(charge["charging_periods"]) - 1))
    share = data.draw(st.integers(1, 59))
    assert excl(_cut(charge, at, share), prices) == excl(charge, prices)


@settings(max_examples=60, deadline=None)
@given(charges(), tariffs())
@example(  # thirds of time, cut by the clock and by the duration
    cdr(period(1, kwh="0.0100", time=True), period(47, kwh="0.0002", time=True)),
    tariff(
        element(price("ENERGY", "0")),
        element(price("ENERGY", "0"), min_duration=1800),
        element(price("ENERGY", "0"), start_time="22:00", end_time="10:15"),
    ),
)
def test_the_linear_split_uses_what_was_used(charge: Document, prices: Document) -> None:
    """Cut where prices change, nothing gets lost: neither energy nor time."""
    case = opened(charge, prices)
    whole = case.priced.course.stretches
    parts = case.under(Readings(interpolated=True)).course.stretches
    assert all(whole.total(kind) == parts.total(kind) for kind in whole.amounts)


def _cut(charge: Document, at: int, share: int) -> Document:
    """The period cut after a number of sixtieths, all of its volumes with it."""
    stretches = charge["charging_periods"]
    starts = [times.parse(one["start_date_time"]) for one in stretches] + [times.parse(charge["end_date_time"])]
    length = int((starts[at + 1] - starts[at]).total_seconds())
    seconds = length * share // 60
    first, second = [], []
    for dimension in stretches[at]["dimensions"]:
        volume = dimension["volume"]
        part = (volume * share / 60).quantize(Decimal("0.0001"))
        if dimension["type"] != "ENERGY":
            part = Decimal(seconds) / 3600
            volume = Decimal(length) / 3600
        first.append(dimension | {"volume": part})
        second.append(dimension | {"volume": volume - part})
    middle = times.format(starts[at] + timedelta(seconds=seconds))
    halves = [
        {"start_date_time": stretches[at]["start_date_time"], "dimensions": first},
        {"start_date_time": middle, "dimensions": second},
    ]
    return charge | {"charging_periods": [*stretches[:at], *halves, *stretches[at + 1 :]]}
