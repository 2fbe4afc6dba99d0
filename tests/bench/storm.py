"""Run in a node's environment: chargers on bad lines (tests/kit/storm.py).

python -m tests.bench.storm URL SEED CHARGERS TRANSACTIONS   # prints what came of it as JSON
"""

import json
import os
import sys
import time

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tests.kit.storm import Plan, prepare, storm

    url, *numbers = sys.argv[1:]
    seed, chargers, transactions = map(int, numbers)
    plan = Plan(seed=seed, chargers=chargers, transactions=transactions)
    prepare(plan)
    started = time.monotonic()
    outcome = storm(url, plan)
    print(json.dumps({"wrong": outcome.wrong, "cdrs": outcome.cdrs, "seconds": time.monotonic() - started}))


if __name__ == "__main__":
    main()
