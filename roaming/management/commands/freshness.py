"""`freshness`: how old what we hold of partners may be, and how far behind what they hold of ours is."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ocpi.cli import PARTLY, NodeCommand
from ocpi.types import times
from roaming import freshness
from roaming.delivery.freshness import Standing, standings
from roaming.delivery.records import BOUNDS
from roaming.freshness import Freshness
from roaming.models import Platform

_LONGEST = max(bound for bound, _ in BOUNDS if math.isfinite(bound))


class Command(NodeCommand):
    help = (
        "Of each platform and module: objects held, last received, last pulled, last confirmed. Of each platform and "
        "stream: objects it has not acknowledged, the oldest such change, how long changes take. Times in UTC. "
        "Exit code 3 when a stream is late by NODE_FRESHNESS."
    )

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        found = standings()
        late = sum(standing.is_late for standing in found)
        result = {
            "sources": [_source(source) for source in freshness.of(Platform.objects.all())],
            "delivered": [_delivered(standing) for standing in found],
            "late": late,
        }
        return result, PARTLY if late else 0

    def show(self, result: Mapping[str, Any]) -> None:
        for found in result["sources"]:
            self.stdout.write(
                f"{found['platform']} {found['module']}: {found['objects']} objects, "
                f"confirmed {found['confirmed_at'] or 'never'}"
            )
        for found in result["delivered"]:
            state = "LATE" if found["late"] else "paused" if found["paused"] else "on time"
            oldest = f", the oldest of {found['oldest_at']}" if found["oldest_at"] else ""
            self.stdout.write(
                f"to {found['platform']} {found['stream']}: {state}, {found['unacknowledged']} not acknowledged{oldest}"
            )


def _source(found: Freshness) -> dict[str, Any]:
    return {
        "platform": found.platform,
        "module": found.module,
        "objects": found.objects,
        "received_at": _written(found.received_at),
        "pulled_at": _written(found.pulled_at),
        "confirmed_at": _written(found.confirmed_at),
    }


def _delivered(standing: Standing) -> dict[str, Any]:
    is_measured = standing.p95 is not None and math.isfinite(standing.p95)
    return {
        "platform": standing.peer.name,
        "stream": standing.stream.value,
        "unacknowledged": standing.unacknowledged,
        "given_up": standing.given_up,
        "oldest_at": _written(standing.oldest_at),
        "p95_seconds": standing.p95 if is_measured else None,
        "p95_exceeds_seconds": _LONGEST if standing.p95 is not None and not is_measured else None,
        "last_success_at": _written(standing.last_success_at),
        "paused": standing.is_paused,
        "late": standing.is_late,
    }


def _written(moment: datetime | None) -> str | None:
    return times.format(moment) if moment else None
