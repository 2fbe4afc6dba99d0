"""Ten thousand transactions over bad lines, while the process that holds the chargers is killed again and again.

The short form of this is a test: tests/cpo_backend/transactions/test_storm.py.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time

from tests.bench import nodes, processes
from tests.bench.nodes import Node
from tests.bench.options import Options
from tests.bench.processes import CaseFailed
from tests.bench.report import Figure

_SEED, _CHARGERS, _EACH, _KILLS = 2026, 50, 200, 6
_PARTIES = "CPO:NL*OCP:Example Charging,EMSP:NL*OSP:Example Mobility"


def transactions(options: Options) -> list[Figure]:
    """Chargers of both versions; messages repeated, reordered, cut off; stops lost; kill -9."""
    with nodes.node("transactions", _PARTIES, options.directory) as node:
        command = [sys.executable, "-m", "tests.bench.storm", node.url, *map(str, (_SEED, _CHARGERS, _EACH))]
        with node.log.open("ab") as log:
            client = subprocess.Popen(command, cwd=processes.ROOT, env=node.env, stdout=subprocess.PIPE, stderr=log)
        # CDRs go out meanwhile: what comes late corrects them.
        with node.process("worker", processes.OTHER_CORE):
            kills = _kill_now_and_then(node, client)
            output, _ = client.communicate()
    if client.returncode:
        raise CaseFailed(node.log.read_text(errors="replace")[-1500:])
    found = json.loads(output)
    total = _CHARGERS * _EACH
    return [
        Figure(
            "transactions",
            f"{total:,} transactions over bad lines, {kills} times kill -9",
            f"{found['cdrs']:,} CDRs, {len(found['wrong'])} wrong, in {found['seconds']:.0f} s",
            f"{total:,} CDRs, each exactly right",
            None,
            found["cdrs"] == total and not found["wrong"],
            {"wrong": found["wrong"][:50]},
        )
    ]


def _kill_now_and_then(node: Node, client: "subprocess.Popen[bytes]") -> int:
    """The process that holds the chargers, until the client is done; returns how often it was killed."""
    chance, kills = random.Random(_SEED), 0
    while client.poll() is None:
        with node.process("ocpp", processes.PRODUCT_CORE) as process:
            dies_at = time.monotonic() + chance.uniform(10, 40)
            while client.poll() is None and (kills >= _KILLS or time.monotonic() < dies_at):
                time.sleep(0.2)
            if client.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
    return kills
