"""A connected charger, as those who handle its messages know it."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from cpo_backend.ocpp.dialects import Dialect

SAMPLES = 5


@dataclass(slots=True, eq=False)
class Station:
    """One connection of a charger. `is_accepted`: whether staff have let it take part."""

    charger_id: int
    identity: str
    dialect: Dialect
    generation: UUID
    is_accepted: bool
    connected_at: datetime
    offsets: list[float] = field(default_factory=list)

    def clock_offset(self, told_at: datetime, received_at: datetime) -> float | None:
        """The median of how many seconds its clock is behind ours; None until it has been seen three times."""
        self.offsets.append((received_at - told_at).total_seconds())
        del self.offsets[:-SAMPLES]
        return self.offset

    @property
    def offset(self) -> float | None:
        """The same, as it was last measured."""
        if len(self.offsets) < (SAMPLES + 1) // 2:
            return None
        return sorted(self.offsets)[len(self.offsets) // 2]
