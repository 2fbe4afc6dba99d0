"""Everything dies while ten thousand objects change: does every partner end up with the truth, and how soon?

The short form of this is a test: tests/flows/test_faults.py. Here no pause is cut short: what is measured after the
last fault are claims of dead workers, pauses of lanes, and the minute between probes of a partner that was away.
"""

from tests.bench.options import Options
from tests.bench.report import Figure
from tests.kit.faults import VICTIMS, Plan, play

_PLAN = Plan(seed=2026, changes=10_000, rate=60, kills=6, share=0.02, patience=900, sites=60)
_TARGET = 300


def faults(options: Options) -> list[Figure]:
    """Servers and processes of its own, on whatever core is free."""
    directory = options.directory / "faults"
    directory.mkdir()
    outcome = play(_PLAN, directory)
    died = ", ".join(f"{victim} {outcome.kills[victim]}" for victim in VICTIMS)
    return [
        Figure(
            "faults",
            f"{_PLAN.changes:,} changes, kill -9 of {died}; four partners, three of them unreliable",
            f"all hold the truth {outcome.settled:.0f} s after the last fault; {outcome.bills} CDRs, each once",
            f"≤ {_TARGET} s",
            None,
            outcome.settled <= _TARGET,
            {"objects": outcome.objects, "requests": outcome.requests, "repeated_by_the_cpo": outcome.repeated},
        )
    ]
