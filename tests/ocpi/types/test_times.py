"""Points in time are read liberally and written strictly (§types_datetime_type)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.types import times

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31T12:00:00", NOON),
        ("2026-01-31T12:00:00+00:00", NOON),
        ("2026-01-31T12:00:00.2Z", NOON.replace(microsecond=200_000)),
        ("2026-01-31T12:00:00.123", NOON.replace(microsecond=123_000)),
        ("2026-01-31T12:00:00.123456789Z", NOON.replace(microsecond=123_456)),
        ("2026-01-31T12:00:00.9999999999999Z", NOON.replace(microsecond=999_999)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_in_utc_is_read(text: str, moment: datetime) -> None:
    assert times.parse(text) == moment and times.parse(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2026-01-31", "2026-01-31 12:00:00Z", "2026-01-31T12:00Z", "2026-01-31T12:00:00z",
        "2026-01-31T12:00:00+01:00", "2026-01-31T12:00:00-00:00", "2026-01-31T12:00:00.Z", "2026-02-30T12:00:00Z",
        "2026-13-01T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T25:00:00Z", "1970-1-1T00:00:00Z",
        "0000-01-01T00:00:00Z", "2026-01-31T12:00:60garbage", "2026-W05-6T12:00:00Z", "2026-01-31T12:00:00Z\n",
        "٢٠٢٦-01-31T12:00:00Z", "2026-01-31T12:00:00." + "1" * 5000 + "Z", "2026-01-31T12:00:60Z",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        times.parse(text)


def test_milliseconds_are_written_only_when_there_are_any() -> None:
    assert times.format(NOON) == times.format(NOON.replace(microsecond=999)) == "2026-01-31T12:00:00Z"
    assert times.format(NOON.replace(microsecond=1_999)) == "2026-01-31T12:00:00.001Z"


def test_another_time_zone_is_written_in_utc() -> None:
    assert times.format(NOON.astimezone(timezone(timedelta(hours=2)))) == "2026-01-31T12:00:00Z"


def test_a_naive_time_is_not_written() -> None:
    with pytest.raises(ValueError):
        times.format(datetime(2026, 1, 31, 12))


@given(st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(UTC)))
def test_what_is_written_is_short_and_read_back_to_the_millisecond(moment: datetime) -> None:
    text = times.format(moment)
    assert len(text) <= 25
    assert times.parse(text) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
