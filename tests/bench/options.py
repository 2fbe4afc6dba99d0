"""What a run was asked for, and what every case is given."""

from dataclasses import dataclass
from pathlib import Path

from tests.bench.processes import Postgres


@dataclass(frozen=True, slots=True)
class Options:
    """How long, how often, how much; where logs and databases of files go."""

    seconds: float
    rounds: int
    rows: int
    directory: Path
    postgres: Postgres
