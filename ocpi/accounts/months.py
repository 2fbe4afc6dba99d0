"""Calendar months in a time zone. Pure."""

import re
from datetime import UTC, datetime
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

_WRITTEN = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


class Month(NamedTuple):
    """A month of a year; in order of time."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The month written YYYY-MM; raises ValueError."""
        match = _WRITTEN.fullmatch(text)
        if match is None or not 2000 <= int(match[1]) <= 9000:
            raise ValueError(f"not a month: {text!r}; expected YYYY-MM, for example 2026-03")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, moment: datetime, zone: str) -> Self:
        """The month that a moment is in where the clock shows this time zone."""
        local = moment.astimezone(ZoneInfo(zone))
        return cls(local.year, local.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def next(self) -> "Month":
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def previous(self) -> "Month":
        return Month(self.year - (self.number == 1), (self.number - 2) % 12 + 1)

    def begins(self, zone: str) -> datetime:
        """Its first instant (UTC)."""
        return datetime(self.year, self.number, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)

    def ends(self, zone: str) -> datetime:
        """The first instant after it (UTC)."""
        return self.next.begins(zone)
