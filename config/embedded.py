"""The embedded node: front door, Celery worker and Celery beat in one process.

Each line that looks odd answers a trap that was met (docs/decisions.md): the worker is a `WorkController`, for
`app.Worker` takes over stdout and logging; its pool is threads, for a fork would share an open SQLite; beat is given
its scheduler class, for `Service` ignores the setting and would run an empty one; uvicorn's own signal handling is
replaced, for it re-raises SIGTERM before Celery has drained; and a thread that does not end in time is left by
`os._exit`, for the interpreter waits for pool threads without bound.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

import structlog
import uvicorn
from celery import beat
from celery.worker import state
from celery.worker.worker import WorkController
from django.db import connections

from config.beat import LeasedScheduler
from config.celery import app
from config.http1 import FrontDoor
from cpo_backend.ocpp.limits import LARGEST_FRAME
from roaming.exchanges.log import exchange_log

log = structlog.get_logger(__name__)

WORKERS = 4
DRAIN_SECONDS = 10
# How long beat may sleep, and so delay the end; it also finds changed schedules after as long.
BEAT_SECONDS = 1

_threads: list[threading.Thread] = []


def trouble() -> str:
    """Which job thread has died, for /readyz; empty when all live, or when this process runs none."""
    dead = [thread.name for thread in _threads if not thread.is_alive()]
    return f"stopped: {', '.join(dead)}" if dead else ""


def listen(host: str, port: int) -> socket.socket:
    """Take the address before anything else is touched; raises OSError when it is taken or not ours."""
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


class _Server(uvicorn.Server):
    """uvicorn that leaves the signals to us, and ends the jobs when it stops to take requests."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._beat = beat.Service(app, scheduler_cls=LeasedScheduler, max_interval=BEAT_SECONDS)
        self.ended_at: float | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        worker = WorkController(
            app=app,
            pool_cls="threads",
            concurrency=WORKERS,
            loglevel="WARNING",
            without_gossip=True,
            without_mingle=True,
        )
        self._start("worker", worker.start)
        self._start("beat", self._beat.start)
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.ended_at = time.monotonic()
        self._beat.stop()
        state.should_stop = os.EX_OK
        await super().shutdown(sockets)

    def _start(self, name: str, run: Callable[[], object]) -> None:
        def guarded() -> None:
            try:
                run()
            except Exception:
                log.exception("job thread died", thread=name)
            finally:
                connections.close_all()
                if self.ended_at is None:
                    log.error("job thread ended", thread=name)

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        thread.start()
        _threads.append(thread)


def serve(listener: socket.socket, on_started: Callable[[], None]) -> None:
    """Run until SIGINT or SIGTERM, then drain: no new requests, running requests and tasks end (10 s at most)."""
    from config.asgi import application

    config = uvicorn.Config(
        application,
        http=FrontDoor,
        loop="config.loop:Loop",
        ws="websockets-sansio",
        ws_max_size=LARGEST_FRAME,
        ws_ping_interval=45,
        ws_ping_timeout=30,
        ws_per_message_deflate=False,  # it would cost each charger more memory than all the rest
        backlog=2048,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = _Server(config, on_started)
    # To the end of the process: a second signal while jobs drain must not kill them.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    server.run([listener])
    _leave((server.ended_at or time.monotonic()) + DRAIN_SECONDS)


def _leave(deadline: float) -> None:
    """Wait for the job threads and the pools' threads, but not beyond the deadline: their work is a row, found again
    at the next start."""
    waited_for = [thread for thread in threading.enumerate() if thread in _threads or not thread.daemon]
    waited_for.remove(threading.current_thread())
    for thread in waited_for:
        thread.join(max(0.0, deadline - time.monotonic()))
    if stuck := [thread.name for thread in waited_for if thread.is_alive()]:
        log.warning("left while at work", threads=stuck, seconds=DRAIN_SECONDS)
        exchange_log.close()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(os.EX_OK)
