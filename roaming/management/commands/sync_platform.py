"""`sync_platform`: pull from a partner now."""

import time
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from ocpi.cli import BAD_INPUT, FAILED, PARTLY, NodeCommand, fail, progress
from ocpi.v221.versions import ModuleID
from roaming.models import Platform
from roaming.sync import pull


class Command(NodeCommand):
    help = (
        "Pull the partner's objects now: what changed since the last complete run, or everything. Unusable objects are "
        "quarantined, never lost (exit code 3); exit code 1 when the partner failed."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the partner's platform")
        parser.add_argument("--module", choices=[module.value for module in pull.MODULES], help="default: all")
        parser.add_argument("--full", action="store_true", help="everything, not only what changed")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        platform = Platform.objects.filter(name=options["name"]).first()
        if platform is None or platform.state != Platform.State.CONNECTED:
            fail(f"no connected platform {options['name']!r}", BAD_INPUT)
        wanted = [ModuleID(options["module"])] if options["module"] else list(pull.MODULES)
        modules = [module for module in wanted if pull.may_pull(platform, module)]
        if not modules:
            fail(f"{platform} offers nothing that this node consumes", BAD_INPUT)
        runs = {module.value: self._pull(platform, module, options) for module in modules}
        failed = any(run["error"] for run in runs.values())
        partly = any(run["quarantined"] for run in runs.values())
        return runs, FAILED if failed else PARTLY if partly else 0

    def _pull(self, platform: Platform, module: ModuleID, options: Mapping[str, Any]) -> dict[str, Any]:
        started = time.monotonic()
        with progress(f"Pulling {module.value}", shown=not options["json"]) as advance:
            try:
                run = pull.pull(platform, module, full=options["full"], progress=advance)
            except pull.UnderWay as error:
                fail(str(error))
        seconds = time.monotonic() - started
        counts = {name: getattr(run, name) for name in ("pages", "created", "updated", "unchanged", "quarantined")}
        stored = run.created + run.updated + run.unchanged
        return {
            **counts,
            "full": run.full,
            "seconds": round(seconds, 3),
            "per_second": round(stored / seconds),
            "error": run.error,
        }
