"""Run the suite: `python -m tests.kit.services run --durable -- python -m tests.bench` (`make bench`).

It measures; a missed target is a verdict in the table, not a failure. Exit code 1 when a case could not run or was
answered with an error, 2 on bad usage.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from tests.bench import (
    audit_case,
    broadcast_case,
    charger_cases,
    delivery_cases,
    fault_case,
    get_all_case,
    hanging_case,
    module_cases,
    pricing_case,
    processes,
    reconcile_case,
    register_cases,
    relay_cases,
    report,
    routes_case,
    transactions_case,
    web_cases,
)
from tests.bench.options import Options
from tests.bench.processes import CaseFailed, Postgres
from tests.bench.report import Figure

CASES: dict[str, Callable[[Options], list[Figure]]] = {
    "page": web_cases.page,
    "patch": web_cases.patch,
    "depth": web_cases.depth,
    "authorize": module_cases.authorize,
    "session": module_cases.session,
    "cdr": module_cases.cdr,
    "tokens": module_cases.tokens,
    "relay": relay_cases.relay,
    "routes": routes_case.routes,
    "hanging": hanging_case.hanging,
    "broadcast": broadcast_case.broadcast,
    "get_all": get_all_case.get_all,
    "fan_out": delivery_cases.fan_out,
    "sustained": delivery_cases.sustained,
    "neighbours": delivery_cases.neighbours,
    "importing": delivery_cases.importing,
    "faults": fault_case.faults,
    "audit": audit_case.audit,
    "ocpp_messages": charger_cases.ocpp_messages,
    "ocpp_connections": charger_cases.ocpp_connections,
    "ocpp_metering": charger_cases.ocpp_metering,
    "ocpp_heartbeats": charger_cases.ocpp_heartbeats,
    "transactions": transactions_case.transactions,
    "pricing": pricing_case.pricing,
    "pull": register_cases.pull,
    "reconcile": reconcile_case.reconcile,
    "memory": register_cases.memory,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(CASES), help="run this case (may be repeated)")
    parser.add_argument("--seconds", type=float, default=3, help="length of one round (default: %(default)s)")
    parser.add_argument(
        "--rounds",
        type=int,
        default=3,
        help="rounds per target, medians count; one that the host has disturbed is taken again (default: %(default)s)",
    )
    parser.add_argument(
        "--rows",
        type=int,
        default=1_000_000,
        help="rows of the cases depth, authorize, tokens (default: %(default)s)",
    )
    found = parser.parse_args()
    if found.rows < 1000 or found.rounds < 1 or found.seconds < 1:
        parser.error("at least 1000 rows, 1 round, 1 second")
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        parser.error("DATABASE_URL must name PostgreSQL: use make bench")
    if not shutil.which("wrk"):
        parser.error("wrk is not installed (Debian package: wrk)")
    return found


def _run(name: str, options: Options) -> list[Figure]:
    print(f"{name} …", file=sys.stderr, flush=True)
    try:
        return CASES[name](options)
    except CaseFailed as error:
        print(f"{name} failed: {error}", file=sys.stderr)
        return [Figure(name, "could not be measured", "", error=str(error).splitlines()[0])]
    except Exception as error:
        traceback.print_exc()
        return [Figure(name, "could not be measured", "", error=f"{type(error).__name__}: {error}".splitlines()[0])]


def main() -> int:
    arguments = _arguments()
    under = report.conditions(vars(arguments))
    started, stolen = time.monotonic(), processes.stolen()
    postgres = Postgres(os.environ["DATABASE_URL"])
    figures: list[Figure] = []
    directory = Path(tempfile.mkdtemp(prefix="bench-"))
    options = Options(arguments.seconds, arguments.rounds, arguments.rows, directory, postgres)
    with postgres.on_core(processes.OTHER_CORE) as pinned:
        under["postgres_on_its_core"] = pinned
        for name in CASES:
            if not arguments.only or name in arguments.only:
                figures += _run(name, options)
    under["stolen_by_the_host"] = (processes.stolen() - stolen) / (time.monotonic() - started) / (os.cpu_count() or 1)
    report.show(figures, under)
    print(f"written to {report.save(figures, under)}", file=sys.stderr)
    failed = any(figure.error for figure in figures)
    if failed:
        print(f"logs: {directory}", file=sys.stderr)
    else:
        shutil.rmtree(directory)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
