"""Calendar months by the clock that two parties have agreed on."""

from datetime import UTC, datetime

import pytest

from ocpi.accounts.months import Month


def test_a_month_begins_and_ends_by_the_local_clock() -> None:
    march = Month.parse("2025-03")
    assert march.begins("Europe/Amsterdam") == datetime(2025, 2, 28, 23, tzinfo=UTC)
    assert march.ends("Europe/Amsterdam") == datetime(2025, 3, 31, 22, tzinfo=UTC)  # summer time


def test_a_moment_is_in_another_month_elsewhere() -> None:
    moment = datetime(2025, 3, 31, 22, 30, tzinfo=UTC)
    assert (Month.of(moment, "UTC"), Month.of(moment, "Europe/Amsterdam")) == (Month(2025, 3), Month(2025, 4))


def test_the_year_turns_both_ways() -> None:
    assert Month(2025, 12).next == Month(2026, 1) and Month(2026, 1).previous == Month(2025, 12)


@pytest.mark.parametrize("text", ["2025-13", "2025-3", "202503", "2025-03-01", "1999-12", "٢٠٢٥-٠٣", ""])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="YYYY-MM"):
        Month.parse(text)
