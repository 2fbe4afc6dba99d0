"""`sync_platform`: pull from a partner now."""

import time
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from ocpi.cli import BAD_INPUT, FAILED, PARTLY, NodeCommand, fail, progress
from ocpi.types import times
from ocpi.v221.versions import ModuleID
from roaming.models import Platform
from roaming.sync import pull
from roaming.sync.cursors import UnderWay

COUNTS = (
    "pages",
    "created",
    "updated",
    "unchanged",
    "quarantined",
    "defects",
    "disappeared",
    "removed",
    "withheld",
    "dangling",
    "fetched",
)


class Command(NodeCommand):
    help = (
        "Pull the partner's objects now: what changed since the last complete run, or everything. Unusable objects are "
        "quarantined, never lost, and objects that have disappeared are kept where that looks like a mistake (exit "
        "code 3 for either); exit code 1 when the partner failed."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the partner's platform")
        parser.add_argument("--module", choices=[module.value for module in pull.MODULES], help="default: all")
        parser.add_argument("--full", action="store_true", help="everything, not only what changed")
        parser.add_argument(
            "--accept-disappearance",
            action="store_true",
            help="with --full: what is not on the list any more is gone, however much it is",
        )

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        platform = Platform.objects.filter(name=options["name"]).first()
        if platform is None or platform.state != Platform.State.CONNECTED:
            fail(f"no connected platform {options['name']!r}", BAD_INPUT)
        if options["accept_disappearance"] and not options["full"]:
            fail("--accept-disappearance needs --full: only a whole list tells what has disappeared", BAD_INPUT)
        wanted = [ModuleID(options["module"])] if options["module"] else list(pull.MODULES)
        modules = [module for module in wanted if pull.may_pull(platform, module)]
        if not modules:
            fail(f"{platform} offers nothing that this node consumes", BAD_INPUT)
        runs = {module.value: self._pull(platform, module, options) for module in modules}
        failed = any(run["error"] for run in runs.values())
        partly = any(run["quarantined"] or run["withheld"] for run in runs.values())
        return runs, FAILED if failed else PARTLY if partly else 0

    def _pull(self, platform: Platform, module: ModuleID, options: Mapping[str, Any]) -> dict[str, Any]:
        started = time.monotonic()
        with progress(f"Pulling {module.value}", shown=not options["json"]) as advance:
            try:
                accept = options["accept_disappearance"]
                run = pull.pull(platform, module, full=options["full"], accept=accept, progress=advance)
            except UnderWay as error:
                fail(str(error))
        seconds = time.monotonic() - started
        stored = run.created + run.updated + run.unchanged
        return {
            **{name: getattr(run, name) for name in COUNTS},
            "full": run.full,
            "resumed": run.resumed,
            "seconds": round(seconds, 3),
            "per_second": round(stored / seconds),
            "next_run_at": times.format(run.next_run_at) if run.next_run_at else None,
            "notes": run.notes.splitlines(),
            "error": run.error,
        }
