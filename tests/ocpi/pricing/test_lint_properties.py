"""What the geometry says of a tariff is what the engine does in every case there is; pricing notes 8."""

from collections.abc import Iterator
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from ocpi.pricing import kinds
from ocpi.pricing.lint import space
from ocpi.pricing.lint.checking import lint
from ocpi.pricing.readings import RECOMMENDED
from ocpi.pricing.restrictions import Moment, Moments
from ocpi.pricing.subject import read
from ocpi.pricing.tariffs import USED, compiled
from tests.kit.pricing import Document, element, price, tariff

RESTRICTIONS = st.fixed_dictionaries(
    {},
    optional={
        "start_time": st.sampled_from(["00:00", "08:00", "20:00"]),
        "end_time": st.sampled_from(["00:00", "08:00", "12:00"]),
        "day_of_week": st.sampled_from([["MONDAY"], ["MONDAY", "SUNDAY"], ["TUESDAY", "WEDNESDAY", "THURSDAY"]]),
        "start_date": st.just("2026-03-09"),
        "end_date": st.sampled_from(["2026-03-10", "2026-03-12"]),
        "min_kwh": st.sampled_from([0, 5]),
        "max_kwh": st.sampled_from([5, 10]),
        "min_power": st.just(22),
        "max_current": st.just(16),
        "min_current": st.just(16),
    },
)


@st.composite
def tariffs(draw: st.DrawFn) -> Document:
    bounds = draw(st.lists(RESTRICTIONS, min_size=1, max_size=5))
    return tariff(*(element(price("ENERGY", f"0.{number + 1}"), **some) for number, some in enumerate(bounds)))


def cases(document: Document) -> Iterator[Moment]:
    """Every combination of cells."""
    cells = space.of(read(document).elements).cells
    for day, time, kwh, elapsed, power, current in product(*cells):
        gauges = {**(power.moment.gauges or {}), **(current.moment.gauges or {})}
        yield day.moment._replace(
            local=day.moment.local + time.moment.local,
            kwh=kwh.moment.kwh,
            elapsed=elapsed.moment.elapsed,
            gauges=gauges,
        )


@settings(max_examples=100, deadline=None)
@given(tariffs())
def test_dead_and_free_are_what_the_engine_never_and_sometimes_bills(document: Document) -> None:
    """P8"""
    ladder = compiled(document).tables[USED].ladders[kinds.ENERGY]
    rates = set(ladder.over(Moments(list(cases(document)), RECOMMENDED)))
    billed = {rate.element for rate in rates if rate}
    codes = {(finding.code, finding.pointer) for finding in lint(document)}
    for index in range(len(document["elements"])):
        never = {("dead_element", f"/elements/{index}"), ("unreachable_restriction", f"/elements/{index}/restrictions")}
        assert bool(never & codes) == (index not in billed)
    assert bool({("gap", "/elements"), ("weekday_gap", "/elements")} & codes) == (None in rates and bool(billed))
