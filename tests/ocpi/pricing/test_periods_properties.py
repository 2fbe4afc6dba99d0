"""What holds for every session we make a CDR of; pricing notes 7."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ocpi.pricing.periods.generating import cdr_figures
from ocpi.pricing.periods.history import Change, History, Sample, State, Switch
from ocpi.types import times
from tests.kit.metering import confirmed
from tests.kit.pricing import Document, costs, element, price, tariff

STARTS = ["2026-03-09T10:00:00Z", "2026-03-27T22:13:20Z", "2026-03-28T23:30:00Z", "2026-10-24T22:00:07Z"]
"""A Monday morning, the end of a Friday, the night that lacks an hour, and the one that has an hour twice."""

DAYS = ["MONDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
CLOCK = st.sampled_from(["00:00", "01:15", "02:00", "02:30", "03:00", "10:30", "11:00", "12:00", "22:00", "23:45"])
PRICES = st.decimals("0", "9", places=2)


def pairs(low: str, high: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A lower bound, an upper one, or both in order."""
    both = st.lists(values, min_size=2, max_size=2, unique=True).map(sorted)
    return st.one_of(
        values.map(lambda one: {low: one}),
        values.map(lambda one: {high: one}),
        both.map(lambda found: {low: found[0], high: found[1]}),
    )


RESTRICTIONS = st.lists(
    st.one_of(
        st.fixed_dictionaries({}, optional={"start_time": CLOCK, "end_time": CLOCK}),
        st.lists(st.sampled_from(DAYS), unique=True, min_size=1).map(lambda days: {"day_of_week": days}),
        pairs("start_date", "end_date", st.sampled_from(["2026-03-28", "2026-03-29", "2026-10-25"])),
        pairs("min_kwh", "max_kwh", st.sampled_from([1, 5, Decimal("7.5"), 10, 20])),
        pairs("min_duration", "max_duration", st.sampled_from([60, 900, 1800, 3600, 7200])),
        pairs("min_power", "max_power", st.sampled_from([4, 11, 22, 50])),
        pairs("min_current", "max_current", st.sampled_from([10, 16, 32, 63])),
    ),
    max_size=2,
).map(lambda some: {name: bound for one in some for name, bound in one.items()})


@st.composite
def components(draw: st.DrawFn, types: list[str]) -> list[Document]:
    found = draw(st.lists(st.sampled_from(types), min_size=1, unique=True))
    steps, rates = st.sampled_from([0, 1, 60, 900, 1000]), st.sampled_from([None, "0", "19"])
    return [price(kind, str(draw(PRICES)), vat=draw(rates), step=draw(steps)) for kind in found]


@st.composite
def elements(draw: st.DrawFn) -> Document:
    if draw(st.integers(0, 5)) == 0:
        kind = draw(st.sampled_from(["RESERVATION", "RESERVATION_EXPIRES"]))
        limits = draw(st.sampled_from([{}, {"max_duration": 600}, {"start_time": "10:05"}]))
        return element(*draw(components(["TIME", "FLAT"])), reservation=kind, **limits)
    return element(*draw(components(["ENERGY", "TIME", "PARKING_TIME", "FLAT"])), **draw(RESTRICTIONS))


@st.composite
def tariffs(draw: st.DrawFn, name: str = "T") -> Document:
    limits: Document = {}
    if draw(st.booleans()):
        limits["max_price"] = costs(str(draw(PRICES)), str(draw(PRICES)))
    if draw(st.booleans()):
        limits["min_price"] = costs(str(draw(PRICES)))
    return tariff(*draw(st.lists(elements(), min_size=1, max_size=5)), id=name, **limits)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A meter read every few minutes, at times with power and current, and states that come and go."""
    start = times.parse(draw(st.sampled_from(STARTS)))
    gaps = draw(st.lists(st.integers(1, 3000), min_size=1, max_size=12))
    instants = [start + timedelta(seconds=seconds) for seconds in accumulate(gaps, initial=0)]
    register = Decimal(draw(st.integers(0, 90_000_000))) / 10_000
    samples = []
    for instant in instants:
        register += Decimal(draw(st.sampled_from([0, 1, 1234, 30_000, 95_001]))) / 10_000
        gauges: Mapping[str, Any] = draw(
            st.fixed_dictionaries({}, optional={"power": st.integers(0, 60), "current": st.integers(0, 70)})
        )
        samples.append(Sample(instant, register, **{unit: Decimal(value) for unit, value in gauges.items()}))
    changes = [
        Change(start + timedelta(seconds=draw(st.integers(1, sum(gaps)))), state)
        for state in draw(st.lists(st.sampled_from(list(State)[1:]), max_size=4))
    ]
    if draw(st.integers(0, 3)) == 0 and changes:
        begun = min(change.at for change in changes)
        changes = [Change(start, State.RESERVED), *changes, Change(begun, State.CHARGING)]
    switches = [Switch(start + timedelta(seconds=draw(st.integers(1, sum(gaps)))), draw(tariffs("OTHER")))]
    return History(
        start=start,
        end=instants[-1],
        zone=draw(st.sampled_from(["UTC", "Europe/Berlin"])),
        tariff=draw(tariffs()),
        samples=samples,
        changes=changes,
        switches=switches if draw(st.booleans()) else [],
    )


@settings(max_examples=100, deadline=None)
@given(histories())
def test_what_we_generate_our_own_audit_confirms(told: History) -> None:
    """P7: it agrees, and no period spans a change of price."""
    confirmed(told)


@settings(max_examples=60, deadline=None)
@given(histories())
def test_the_energy_of_the_periods_is_the_difference_of_the_registers(told: History) -> None:
    """P7: exactly, whatever was cut where."""
    members = cdr_figures(told).members
    energies = [
        one["volume"]
        for period in members["charging_periods"]
        for one in period["dimensions"]
        if one["type"] == "ENERGY"
    ]
    assert sum(energies) == members["total_energy"]
    begun = told.start
    if told.changes[:1] == [Change(told.start, State.RESERVED)]:
        begun = min(change.at for change in told.changes[1:])
    registers = [sample.register or Decimal(0) for sample in told.samples]
    before = [sample.register or Decimal(0) for sample in told.samples if sample.at <= begun]
    assert members["total_energy"] == registers[-1] - before[-1]
