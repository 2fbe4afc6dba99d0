"""Numbers and points in time of a document as exact values; lenient in form, strict in meaning."""

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ocpi.pricing.faults import BadInput
from ocpi.types import times

SECOND = 1_000_000
"""Points in time are whole microseconds since 1970, UTC."""

MILLISECOND = SECOND // 1000
DAY = 86_400 * SECOND

_WHOLE_SECOND = Decimal(1).scaleb(6)
_DIGITS = 16  # no quantity, price or rate has more before the point, nor as many zeros after it
_FIRST_DAY, _LAST_DAY = -25_567, 2_567_000  # 1900 and 8998, in days since 1970
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMERAL = re.compile(r"[-+]?\d{1,40}(\.\d{1,40})?", re.ASCII)
_UNKNOWN_TIME = "1970-1-1T00:00:00Z"  # §mod_cdrs_cdr_object spells the unknown time like this


def number(value: Any) -> Decimal:
    """The value as an exact decimal; also a numeral in quotes, which some parties send. Raises `BadInput`."""
    if type(value) is int or (isinstance(value, str) and _NUMERAL.fullmatch(value)):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        raise BadInput("is not a number")
    if not -_DIGITS < value.adjusted() < _DIGITS:
        raise BadInput("is out of range")
    return value


def text(value: Any) -> str | None:
    """The value if it is a string that says something; anything else is as good as absent."""
    return value if isinstance(value, str) and value else None


def instant(value: Any) -> int:
    """A point in time in microseconds; no designator is UTC, another offset is converted. Raises `BadInput`."""
    try:
        if value[10] != "T":
            raise ValueError
        since = datetime.fromisoformat(value) - _EPOCH
    except (ValueError, TypeError, IndexError, KeyError):
        since = _odd_instant(value) - _EPOCH
    if not _FIRST_DAY < since.days < _LAST_DAY:
        raise BadInput("is out of range")
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def _odd_instant(value: Any) -> datetime:
    if value == _UNKNOWN_TIME:
        return _EPOCH
    try:
        return times.parse(value)
    except (ValueError, TypeError):
        raise BadInput("is not a date and time such as 2026-01-31T12:00:00Z") from None


def seconds(microseconds: int) -> Decimal:
    """Microseconds as exact seconds."""
    whole, rest = divmod(microseconds, SECOND)
    return Decimal(microseconds).scaleb(-6) if rest else Decimal(whole)


def whole_second(instant: Decimal) -> int:
    """The nearest second to a point in time in microseconds."""
    return int(instant.quantize(_WHOLE_SECOND, ROUND_HALF_UP))


def moment_of(instant: int) -> datetime:
    """The point in time as an aware UTC datetime; raises `OverflowError` beyond the year 9999."""
    return _EPOCH + timedelta(microseconds=instant)


def instant_of(moment: datetime) -> int:
    """The instant of an aware datetime, to the millisecond, which is what OCPI can write. Raises `BadInput`."""
    if moment.tzinfo is None:
        raise BadInput("has no time zone")
    return (moment - _EPOCH) // timedelta(milliseconds=1) * MILLISECOND


def written(instant: int) -> str:
    """The point in time as OCPI writes it."""
    return times.format(moment_of(instant))
