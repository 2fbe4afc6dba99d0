"""`freshness`: how old what we hold of partners may be."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ocpi.cli import NodeCommand
from ocpi.types import times
from roaming import freshness
from roaming.models import Platform


class Command(NodeCommand):
    help = "Of each platform and module: objects held, last received, last pulled, last confirmed (UTC)."

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        sources = [
            {
                "platform": found.platform,
                "module": found.module,
                "objects": found.objects,
                "received_at": _written(found.received_at),
                "pulled_at": _written(found.pulled_at),
                "confirmed_at": _written(found.confirmed_at),
            }
            for found in freshness.of(Platform.objects.all())
        ]
        return {"sources": sources}, 0

    def show(self, result: Mapping[str, Any]) -> None:
        for found in result["sources"]:
            self.stdout.write(
                f"{found['platform']} {found['module']}: {found['objects']} objects, "
                f"confirmed {found['confirmed_at'] or 'never'}"
            )


def _written(moment: datetime | None) -> str | None:
    return times.format(moment) if moment else None
