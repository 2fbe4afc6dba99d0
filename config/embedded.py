"""The embedded node: front door, Celery worker and Celery beat in one process.

Each line that looks odd answers a trap that was met (docs/decisions.md): the worker is a `WorkController`, for
`app.Worker` takes over stdout and logging; its pool is threads, for a fork would share an open SQLite; beat is given
its scheduler class, for `Service` ignores the setting and would run an empty one; uvicorn's own signal handling is
replaced, for it re-raises SIGTERM before Celery has drained.
"""

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator

import structlog
import uvicorn
from celery import beat, signals
from celery.exceptions import WorkerShutdown
from celery.worker import state
from celery.worker.worker import WorkController
from django.db import connections
from django_celery_beat.schedulers import DatabaseScheduler

from config.celery import app

log = structlog.get_logger(__name__)

WORKERS = 4
DRAIN_SECONDS = 10

_threads: list[threading.Thread] = []
_stopping = threading.Event()


def trouble() -> str:
    """Which job thread has died, for /readyz; empty when all live, or when this process runs none."""
    dead = [thread.name for thread in _threads if not thread.is_alive()]
    return f"stopped: {', '.join(dead)}" if dead else ""


class _Server(uvicorn.Server):
    """uvicorn that leaves the signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def serve(host: str, port: int, announce: Callable[[], None]) -> None:
    """Run until SIGINT or SIGTERM, then drain: no new requests, running requests and tasks end (10 s at most)."""
    signals.task_postrun.connect(_close_connections)
    controller = WorkController(
        app=app, pool_cls="threads", concurrency=WORKERS, loglevel="WARNING", without_gossip=True, without_mingle=True
    )
    service = beat.Service(app, scheduler_cls=DatabaseScheduler)
    _start("worker", controller.start)
    _start("beat", lambda: service.start(embedded_process=False))
    config = uvicorn.Config(
        "config.asgi:application",
        host=host,
        port=port,
        ws="websockets-sansio",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    announce()
    _Server(config).run()
    _stopping.set()
    service.stop(wait=False)
    state.should_stop = 0
    deadline = time.monotonic() + DRAIN_SECONDS
    for thread in _threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _start(name: str, run: Callable[[], object]) -> None:
    def guarded() -> None:
        try:
            run()
        except (SystemExit, WorkerShutdown):
            pass
        except Exception:
            log.exception("job thread died", thread=name)
        finally:
            connections.close_all()
            if not _stopping.is_set():
                log.error("job thread ended", thread=name)

    thread = threading.Thread(target=guarded, name=name, daemon=True)
    thread.start()
    _threads.append(thread)


def _close_connections(**_: object) -> None:
    """A task's thread may rest long; its connection should not."""
    connections.close_all()
