"""The reference of the fan-out: one Celery task for each delivery, as everybody writes it at first. No bookkeeping.

python -m celery -A tests.bench.bare_delivery worker --pool threads; BENCH_BROKER names the broker.
"""

import os

import httpx
from celery import Celery

app = Celery("bare", broker=os.environ.get("BENCH_BROKER", ""))
app.conf.update(task_ignore_result=True, task_acks_late=True, worker_prefetch_multiplier=1)

_client = httpx.Client(trust_env=False)


@app.task(name="deliver")
def deliver(url: str, headers: dict[str, str], body: str) -> None:
    """PATCH one EVSE at one partner."""
    _client.patch(url, headers=headers, content=body).raise_for_status()
