"""What is odd about a list that a partner gave us: nothing that stops a run, but it explains what comes of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ocpi.types import times
from roaming.sync.crawling import Page

ENOUGH = 10  # objects from which on something can be said


@dataclass(slots=True)
class Oddities:
    """Looks at the pages of one run; `date_from` is what was asked for."""

    date_from: datetime | None
    whole: bool  # from its first page on
    received: int = 0
    older: int = 0
    empty: int = 0
    total: int | None = None
    stamps: set[str] = field(default_factory=set)

    def look(self, page: Page) -> None:
        self.received += len(page.items)
        self.empty += not page.items and page.following is not None
        self.total = page.total if page.total is not None else self.total
        for document in page.items:
            stamp = document.get("last_updated") if isinstance(document, dict) else None
            if isinstance(stamp, str):
                if len(self.stamps) < 2:
                    self.stamps.add(stamp)
                self.older += self._is_older(stamp)

    def _is_older(self, stamp: Any) -> bool:
        try:
            return self.date_from is not None and times.parse(stamp) < self.date_from
        except ValueError:
            return False

    def notes(self) -> list[str]:
        """In words for staff, and for the partner."""
        found = []
        if self.older:
            found.append(f"date_from is not kept to: {self.older} of {self.received} objects are older")
        if self.received >= ENOUGH and len(self.stamps) == 1:
            found.append(f"all {self.received} objects have the same last_updated, {next(iter(self.stamps))[:40]}")
        if self.whole and self.total is not None and self.total != self.received:
            found.append(f"X-Total-Count says {self.total}, {self.received} objects came")
        if self.empty:
            found.append(f"{self.empty} empty pages have a Link to the next")
        return found
