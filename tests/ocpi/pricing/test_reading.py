"""What can be priced: shapes, lenient forms, and faults with their place."""

from decimal import Decimal
from typing import Any

import pytest

from ocpi.pricing import kinds
from ocpi.pricing.case import open_case
from ocpi.pricing.faults import BadInput
from tests.kit.pricing import cdr, codes, excl, flat, net, note, opened, period, price, told

PRICES = flat(price("ENERGY", "1"))
CHARGE = cdr(period(30, kwh=1), period(30, kwh=2))


def fault(document: Any, tariff: Any = PRICES) -> tuple[str, str]:
    with pytest.raises(BadInput) as caught:
        open_case(document, tariff)
    return caught.value.pointer, caught.value.message


def test_hours_of_many_digits_are_exact_seconds() -> None:
    hours = Decimal("0.1234567890123456789012345678901234567")
    charge = cdr(period(30, kwh=1))
    charge["charging_periods"][0]["dimensions"].append({"type": "TIME", "volume": hours})
    assert opened(charge, PRICES).usage.seconds == {kinds.TIME: [Decimal("444.44444044444444404444444440444444412")]}


def test_periods_out_of_order_are_sorted_and_noted() -> None:
    """P1.1"""
    prices = flat(price("ENERGY", "1"))
    prices["elements"][0]["restrictions"] = {"max_kwh": 1}
    mixed = CHARGE | {"charging_periods": CHARGE["charging_periods"][::-1]}
    assert excl(mixed, prices) == "1"
    result = told(mixed, prices)
    assert "periods_out_of_order" in codes(result)
    assert [one["at"] for one in result["periods"]] == ["/charging_periods/1", "/charging_periods/0"]


def test_a_period_outside_the_session_is_priced_and_noted() -> None:
    """P1.1"""
    result = told(CHARGE | {"start_date_time": "2026-03-09T10:10:00Z"}, PRICES)
    assert net(result) == "3"
    assert note(result, "period_outside_session")["at"] == "/charging_periods/0/start_date_time"


def test_what_is_reported_twice_in_a_period_is_added() -> None:
    charge = cdr(period(30, kwh=1))
    charge["charging_periods"][0]["dimensions"] *= 2
    assert excl(charge, PRICES) == "2"
    assert "duplicate_dimension" in codes(told(charge, PRICES))


def test_a_running_session_is_priced_as_if_it_ended_now() -> None:
    """P7"""
    running = CHARGE | {"kwh": 3, "status": "ACTIVE", "last_updated": "2026-03-09T10:45:00Z"}
    for name in ("end_date_time", "total_energy", "total_time"):
        del running[name]
    result = told(running, PRICES)
    assert result["total_time"] == Decimal("0.75")
    assert note(result, "running_session")["until"] == "2026-03-09T10:45:00Z"
    ended = 1773051000 * 1_000_000  # 10:10 UTC
    assert opened(running, PRICES, end=ended).usage.end == ended


def test_the_names_of_2_1_1_are_understood() -> None:
    charge = CHARGE | {"stop_date_time": CHARGE["end_date_time"], "location": {"country": "DEU"}, "total_cost": 3}
    del charge["end_date_time"]
    result = told(charge, PRICES, zone=None)
    assert result["total_cost"] == {"excl_vat": 3} and result["time_zone"] == "Europe/Berlin"


def test_times_with_an_offset_or_without_designator_are_understood() -> None:
    charge = cdr(period(30, kwh=1))
    charge["charging_periods"][0]["start_date_time"] = "2026-03-09T11:00:00+01:00"
    charge["start_date_time"] = "2026-03-09T10:00:00"
    assert told(charge, PRICES)["periods"][0]["start"] == "2026-03-09T10:00:00Z"


def test_a_numeral_in_quotes_is_a_number() -> None:
    charge = cdr(period(30))
    charge["charging_periods"][0]["dimensions"] = [{"type": "ENERGY", "volume": "1.5"}]
    assert excl(charge, PRICES) == "1.5"


def test_what_the_specification_does_not_list_is_disregarded() -> None:
    result = told(cdr(period(30, kwh=1, WARP_SPEED=9)), flat(price("ENERGY", "1"), price("KARMA", "5")))
    assert net(result) == "1"
    assert note(result, "unknown_value")["at"] == "/elements/0/price_components/1/type"


@pytest.mark.parametrize(
    ("pointer", "document"),
    [
        ("", []),
        ("", "a CDR"),
        ("/start_date_time", {}),
        ("/end_date_time", {"start_date_time": "2026-01-01T00:00:00Z"}),
        ("/start_date_time", CHARGE | {"start_date_time": "yesterday"}),
        ("/end_date_time", CHARGE | {"end_date_time": "0001-01-01T00:00:00Z"}),
        ("/charging_periods", CHARGE | {"charging_periods": []}),
        ("/charging_periods", CHARGE | {"charging_periods": None}),
        ("/charging_periods", CHARGE | {"charging_periods": "many"}),
        ("/charging_periods/0", CHARGE | {"charging_periods": [7]}),
        ("/charging_periods/0/start_date_time", CHARGE | {"charging_periods": [{}]}),
    ],
)
def test_what_cannot_be_priced_is_named_with_its_place(pointer: str, document: Any) -> None:
    assert fault(document)[0] == pointer


@pytest.mark.parametrize(
    ("pointer", "dimension"),
    [
        ("", 7),
        ("/type", {"volume": 1}),
        ("/volume", {"type": "ENERGY"}),
        ("/volume", {"type": "ENERGY", "volume": None}),
        ("/volume", {"type": "ENERGY", "volume": True}),
        ("/volume", {"type": "ENERGY", "volume": 1.5}),
        ("/volume", {"type": "ENERGY", "volume": "lots"}),
        ("/volume", {"type": "ENERGY", "volume": Decimal("1e400")}),
        ("/volume", {"type": "ENERGY", "volume": Decimal("NaN")}),
        ("/volume", {"type": "ENERGY", "volume": Decimal("Infinity")}),
    ],
)
def test_a_dimension_that_cannot_be_read_is_named_with_its_place(pointer: str, dimension: Any) -> None:
    charge = cdr(period(30, kwh=1), period(30, kwh=1))
    charge["charging_periods"][1]["dimensions"].append(dimension)
    assert fault(charge)[0] == f"/charging_periods/1/dimensions/1{pointer}"


@pytest.mark.parametrize(
    ("pointer", "tariff"),
    [
        ("", 7),
        ("/elements", {"id": "T"}),
        ("/elements/0", {"elements": [None]}),
        ("/elements/0/price_components", {"elements": [{}]}),
        ("/elements/0/price_components/0/type", {"elements": [{"price_components": [{}]}]}),
        ("/elements/0/price_components/0/price", {"elements": [{"price_components": [{"type": "FLAT"}]}]}),
        (
            "/elements/0/restrictions/min_kwh",
            {"elements": [{"price_components": [price("FLAT", "1")], "restrictions": {"min_kwh": "x"}}]},
        ),
        (
            "/elements/0/restrictions/start_date",
            {"elements": [{"price_components": [price("FLAT", "1")], "restrictions": {"start_date": "x"}}]},
        ),
        ("/min_price/excl_vat", PRICES | {"min_price": {"incl_vat": 1}}),
        ("/tax_included", PRICES | {"tax_included": "YES"}),
    ],
)
def test_a_tariff_that_cannot_be_read_is_named_with_its_place(pointer: str, tariff: Any) -> None:
    assert fault(CHARGE, tariff)[0] == pointer


def test_a_fault_in_a_tariff_of_the_document_has_its_place_there() -> None:
    charge = CHARGE | {"tariffs": [PRICES, {"id": "X"}]}
    assert fault(charge, None)[0] == "/tariffs/1/elements"


def test_the_same_content_is_compiled_once() -> None:
    one, other = opened(CHARGE, PRICES), opened(CHARGE, {**PRICES})
    assert one.selected.tariffs[0] is other.selected.tariffs[0]
