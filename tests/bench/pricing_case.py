"""The pricing engine against the public Python engine, on the same CDRs.

The reference is measured where BENCH_PEER_PYTHON names an interpreter that has ocpi-tariffs-py installed from its
repository (what is on PyPI is empty).
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench import processes
from tests.bench.options import Options
from tests.bench.processes import CaseFailed
from tests.bench.report import Figure

_SIZES = (2, 20, 200)  # periods
_TARGET = 45  # microseconds for 20 periods
_BEGIN = datetime(2026, 3, 10, 8, tzinfo=UTC)
_QUARTER = timedelta(minutes=15)
_WAYS = ("from JSON", "from the document", "read before")
_MEMBER = Path(__file__).with_name("pricing_run.py")


def _cdr(periods: int, elements: Sequence[dict[str, Any]]) -> dict[str, Any]:
    from ocpi.types import times
    from tests.kit.objects import cdr, tariff

    return cdr(
        start_date_time=times.format(_BEGIN),
        end_date_time=times.format(_BEGIN + periods * _QUARTER),
        tariffs=[tariff(elements=list(elements))],
        charging_periods=[
            {
                "start_date_time": times.format(_BEGIN + number * _QUARTER),
                "tariff_id": tariff()["id"],
                "dimensions": [
                    {"type": "ENERGY", "volume": Decimal("2.137") + number % 7},
                    {"type": "TIME", "volume": Decimal("0.25")},
                ],
            }
            for number in range(periods)
        ],
    )


def _price(kind: str, amount: str, step: int) -> dict[str, Any]:
    return {"type": kind, "price": Decimal(amount), "vat": Decimal(21), "step_size": step}


_PLAIN = {"price_components": [_price("ENERGY", "0.31", 1), _price("TIME", "1.20", 60)]}
_BY_NIGHT = {
    "price_components": [_price("ENERGY", "0.25", 1)],
    "restrictions": {"start_time": "22:00", "end_time": "06:00"},
}
_TARIFFS = {"without restrictions": [_PLAIN], "cheaper by night": [_BY_NIGHT, _PLAIN]}


def pricing(options: Options) -> list[Figure]:
    """CDRs of 2, 20 and 200 periods, with and without restrictions."""
    from ocpi.types import codec

    figures = []
    for name, elements in _TARIFFS.items():
        files = []
        for size in _SIZES:
            files.append(str(options.directory / f"cdr-{size}.json"))
            Path(files[-1]).write_bytes(codec.encode(_cdr(size, elements)))
        ours = _run([sys.executable, str(_MEMBER)], files)
        peer = os.environ.get("BENCH_PEER_PYTHON")
        theirs = _run([peer, str(_MEMBER), "peer"], files) if peer else None
        figures += _figures(name, ours, theirs)
    return figures


def _run(command: Sequence[str], files: Sequence[str]) -> list[Any]:
    done = subprocess.run(
        command,
        input=json.dumps(files).encode(),
        capture_output=True,
        check=False,
        cwd=processes.ROOT,
        env={**os.environ, "PYTHONPATH": str(processes.ROOT)},
        preexec_fn=partial(processes.pin, processes.PRODUCT_CORE),
    )
    if done.returncode:
        raise CaseFailed(f"{' '.join(command)}: {done.stderr.decode()[-1500:]}")
    found: list[Any] = json.loads(done.stdout)
    return found


def _figures(name: str, ours: Sequence[Any], theirs: Sequence[Any] | None) -> list[Figure]:
    priced = {size: found[2] for size, found in zip(_SIZES, ours, strict=True)}
    per_period = (priced[200] - priced[20]) / 180
    shown = ", ".join(f"{size}: {microseconds:.0f} µs" for size, microseconds in priced.items())
    figures = [
        Figure(
            "pricing",
            f"a CDR of so many periods priced, {name}",
            f"{shown}; {per_period:.2f} µs a period",
            f"20 in ≤ {_TARGET} µs",
            None,
            priced[20] <= _TARGET,
            {"ours": ours, "theirs": theirs},
        )
    ]
    for column, way in enumerate(_WAYS if theirs else ()):
        ratios = [other[column] / found[column] for found, other in zip(ours, theirs or (), strict=True)]
        figures.append(
            Figure(
                "pricing",
                f"{name}, {way}, against ocpi-tariffs-py",
                ", ".join(f"{size}: {ratio:.1f} x" for size, ratio in zip(_SIZES, ratios, strict=True)),
                "≥ 10 x",
                ratios[1],
                ratios[1] >= 10,
            )
        )
    return figures
