"""Run a command of the node and tell how much memory it took: prints {"result", "peak_mb", "code"}.

python -m tests.bench.peak sync_platform NAME --json …
"""

import contextlib
import io
import json
import os
import sys

from django.core.management import execute_from_command_line

from tests.bench.processes import Pinned


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    printed, code = io.StringIO(), 0
    with contextlib.redirect_stdout(printed):
        try:
            execute_from_command_line(["manage.py", *sys.argv[1:]])
        except SystemExit as ended:
            code = int(ended.code or 0)
    peak = Pinned(os.getpid()).memory()["VmHWM"]
    print(json.dumps({"result": json.loads(printed.getvalue()), "peak_mb": peak, "code": code}))


if __name__ == "__main__":
    main()
