"""Numbers and points in time of a document as exact values; lenient in form, strict in meaning."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ocpi.pricing.faults import BadInput
from ocpi.types import times

SECOND = 1_000_000
"""Points in time are whole microseconds since 1970, UTC."""

DAY = 86_400 * SECOND

_DIGITS = 16  # no quantity, price or rate has more before the point, nor as many zeros after it
_YEARS = range(1900, 9000)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMERAL = re.compile(r"[-+]?\d{1,40}(\.\d{1,40})?", re.ASCII)
_UNKNOWN_TIME = "1970-1-1T00:00:00Z"  # §mod_cdrs_cdr_object spells the unknown time like this


def number(value: Any) -> Decimal:
    """The value as an exact decimal; also a numeral in quotes, which some parties send. Raises `BadInput`."""
    if type(value) is int:
        value = Decimal(value)
    elif isinstance(value, str) and _NUMERAL.fullmatch(value):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        raise BadInput("is not a number")
    if not -_DIGITS < value.adjusted() < _DIGITS:
        raise BadInput("is out of range")
    return value


def instant(value: Any) -> int:
    """A point in time in microseconds; no designator is UTC, another offset is converted. Raises `BadInput`."""
    try:
        if value[10] != "T":
            raise ValueError
        moment = datetime.fromisoformat(value)
    except (ValueError, TypeError, IndexError, KeyError):
        moment = _odd_instant(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment.year not in _YEARS:
        raise BadInput("is out of range")
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def _odd_instant(value: Any) -> datetime:
    if value == _UNKNOWN_TIME:
        return _EPOCH
    try:
        return times.parse(value)
    except (ValueError, TypeError):
        raise BadInput("is not a date and time such as 2026-01-31T12:00:00Z") from None


def moment_of(instant: int) -> datetime:
    """The point in time as an aware UTC datetime; raises `OverflowError` beyond the year 9999."""
    return _EPOCH + timedelta(microseconds=instant)


def written(instant: int) -> str:
    """The point in time as OCPI writes it."""
    return times.format(moment_of(instant))
