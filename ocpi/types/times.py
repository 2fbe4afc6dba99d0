"""Points in time as OCPI writes them (§types_datetime_type)."""

import re
from datetime import UTC, datetime

# The bound on fractions only keeps hostile text short; what is beyond microseconds is cut off.
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.(\d{1,64}))?(?:Z|\+00:00)?", re.ASCII)


def parse(text: str) -> datetime:
    """An aware UTC time; raises `ValueError`.

    Takes `Z` or no designator, fractions of any length (truncated) and, liberally, `+00:00`, which the
    validator reports. A leap second is the last instant before it.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        if text[10:19] == "T23:59:60":
            return parse(f"{text[:17]}59{text[19:]}").replace(microsecond=999_999)
        raise ValueError("not a UTC date and time such as 2026-01-31T12:00:00Z")
    moment = datetime.fromisoformat(text[:19] + "Z")
    if fraction := match[1]:
        return moment.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    return moment


def format(moment: datetime) -> str:
    """The time in UTC with `Z`, milliseconds only when there are any: at most 24 of the 25 characters."""
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone is no point in time")
    precision = "milliseconds" if moment.microsecond >= 1000 else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).removesuffix("+00:00") + "Z"


def now() -> str:
    """The present, as OCPI writes it."""
    return format(datetime.now(UTC))
