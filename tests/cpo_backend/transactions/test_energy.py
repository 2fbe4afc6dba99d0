"""The energy of a transaction, whatever its meter showed (notes 3.7)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cpo_backend.transactions.energy import Basis, Energy, Meter, Oddity, Point, reckon

START = datetime(2026, 3, 9, 10, 0, tzinfo=UTC)


def meter(
    start: int | None, stop: int | None, readings: dict[int, int] | None = None, *, bare: bool = False, **more: Any
) -> Energy:
    """Of an hour; readings and power by minute."""

    def points(found: dict[int, int] | None) -> list[Point]:
        items = (found or {}).items()
        return [Point(START + timedelta(minutes=at), Decimal(wh), bare) for at, wh in items]

    return reckon(
        Meter(
            start=START,
            end=START + timedelta(hours=1),
            meter_start=None if start is None else Decimal(start),
            meter_stop=None if stop is None else Decimal(stop),
            readings=points(readings),
            power=points(more.pop("power", None)),
            **more,
        )
    )


def test_the_meter_at_start_and_stop_decides() -> None:
    found = meter(1000, 8000, {20: 3000, 40: 6000})
    assert (found.wh, found.basis, found.oddities) == (7000, Basis.METER, [])
    assert [point.wh for point in found.curve] == [0, 2000, 5000, 7000]


def test_signed_values_win_over_all_others() -> None:
    found = meter(1000, 8000, {30: 4000}, signed=(Decimal(1000), Decimal(7990)))
    assert (found.wh, found.basis) == (6990, Basis.SIGNED)


def test_signed_values_that_count_backwards_are_not_used() -> None:
    found = meter(1000, 8000, signed=(Decimal(9000), Decimal(1000)))
    assert (found.wh, found.oddities) == (7000, [Oddity.SIGNED_BACKWARDS])


def test_without_a_stop_the_last_reading_decides() -> None:
    found = meter(1000, None, {20: 3000, 40: 6000})
    assert (found.wh, found.basis) == (5000, Basis.READINGS)


def test_without_any_register_power_over_time_decides() -> None:
    found = meter(None, None, power={0: 6000, 60: 6000})
    assert (found.wh, found.basis) == (6000, Basis.POWER)


def test_without_anything_it_is_nothing() -> None:
    assert (meter(None, None).wh, meter(1000, None).wh) == (0, 0)


def test_a_register_that_was_reset_counts_in_segments() -> None:
    found = meter(50_000, 2000, {10: 52_000, 20: 0, 40: 1000})
    assert (found.wh, found.oddities) == (4000, [Oddity.RESET])


def test_a_reset_shows_also_when_the_register_ends_above_its_start() -> None:
    found = meter(1000, 1200, {10: 2000, 20: 0, 40: 1000})
    assert (found.wh, found.oddities) == (2200, [Oddity.RESET])


def test_readings_of_the_transaction_alone_count_from_nothing() -> None:
    """Samples below a start that is the meter's whole life."""
    found = meter(500_000, 7000, {20: 2000, 40: 5000})
    assert (found.wh, found.oddities) == (7000, [Oddity.RELATIVE])
    assert meter(500_000, None, {20: 2000, 40: 5000}).wh == 5000


def test_readings_of_the_transaction_alone_shape_what_start_and_stop_say() -> None:
    found = meter(500_000, 507_000, {20: 2000, 40: 5000})
    assert (found.wh, [point.wh for point in found.curve]) == (7000, [0, 2000, 5000, 7000])


def test_kwh_told_as_wh_show_by_the_power() -> None:
    found = meter(12, 19, power={0: 7000, 60: 7000})
    assert (found.wh, found.oddities) == (7000, [Oddity.KILO])


def test_readings_without_a_unit_may_be_kwh() -> None:
    found = meter(12_000, 19_000, {20: 14, 40: 17}, bare=True)
    assert (found.wh, found.oddities) == (7000, [Oddity.BARE_KILO])
    assert [point.wh for point in found.curve] == [0, 2000, 5000, 7000]


def test_a_reading_that_cannot_be_is_left_out() -> None:
    found = meter(1000, 8000, {20: 3000, 30: 0, 40: 6000})
    assert (found.wh, found.oddities) == (7000, [Oddity.CONTRADICTED])
    assert [point.wh for point in found.curve] == [0, 2000, 5000, 7000]


def test_it_is_never_less_than_nothing() -> None:
    assert meter(8000, 1000).wh >= 0
    assert meter(None, None, power={0: -6000, 60: -6000}).wh == 0
