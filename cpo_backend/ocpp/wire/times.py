"""Points in time as chargers write them, and as we do."""

import re
from datetime import UTC, datetime, timedelta, timezone

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,32}))?\s*(Z|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)


def parse(text: str) -> datetime:
    """An aware UTC time, truncated to microseconds; raises ValueError. Without a time zone it is taken for UTC."""
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise ValueError("no date and time such as 2026-01-31T12:00:00Z")
    day, clock, fraction, zone = match.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=_zone(zone))
    try:
        return moment.replace(microsecond=int((fraction or "")[:6].ljust(6, "0"))).astimezone(UTC)
    except OverflowError:
        raise ValueError("beyond the calendar") from None


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-away if text[0] == "-" else away)


def read(text: str | None) -> datetime | None:
    """The same, where a time that is missing or no time means that there is none."""
    try:
        return parse(text) if text else None
    except ValueError:
        return None


def format(moment: datetime) -> str:
    """UTC with `Z` and milliseconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def now() -> str:
    return format(datetime.now(UTC))
