"""Implements `ocpi.ports.ExchangeLog`: a bounded queue, and one thread of the process that writes it down in batches.

A message never waits for its entry and never fails with it. When entries come faster than they can be written, first
their bodies are left out, then they themselves; both are counted.
"""

import atexit
import math
import os
import threading
import time
from collections import deque

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from ocpi.kept import kept
from ocpi.transport.transcripts import Transcript
from roaming.directory import directory
from roaming.exchanges import writing
from roaming.hub.routing import Kind

log = structlog.get_logger(__name__)

_LIST = b'{"data":['
MOST_WAITING = 20_000
MOST_HELD = 64 * 1024 * 1024  # bytes of bodies
PAGE = 1024  # bytes of a page that we gave: its first objects; they are all in the store
BATCH = 2000
PAUSE_SECONDS = 0.2
COMPLAIN_SECONDS = 60.0


class ExchangeLog:
    """Without `threaded`, nothing is written before `flush` is called."""

    def __init__(self, *, threaded: bool = True) -> None:
        self._threaded = threaded
        self.dropped = self.dropped_bodies = 0
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """Begin with nothing, as after a fork: what waits is the parent's, and so is the thread."""
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._waiting, self._held = deque[Transcript](), 0
        self._batch: list[Transcript] = []  # taken from the queue, but not written yet
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._complained_at, self._complained_of = -COMPLAIN_SECONDS, (0, 0)

    @property
    def waiting(self) -> int:
        """How many entries are not written yet."""
        return len(self._waiting) + len(self._batch)

    def note(self, transcript: Transcript) -> None:
        """Keep a request and its answer, with those of its onward leg; never waits, never raises."""
        if not kept.NODE_LOG_DAYS:
            return
        try:
            self._take(transcript)
        except Exception:
            log.exception("an exchange is not noted")

    def _take(self, transcript: Transcript) -> None:
        transcript.end()
        size, onward = _bounded(transcript), transcript.onward
        if onward is not None and (onward.request or onward.response):
            size += _bounded(onward)
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                self.dropped += len(transcript.legs)
                return
            if self._held + size > MOST_HELD:
                for leg in transcript.legs:
                    leg.request = leg.response = b""
                self.dropped_bodies += len(transcript.legs)
                size = 0
            self._held += size
            self._waiting.append(transcript)
            if self._thread is None and self._threaded:
                self._start()

    def _start(self) -> None:
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(self._ending,), name="exchange log", daemon=True)
        self._thread.start()

    def _run(self, ending: threading.Event) -> None:
        try:
            while not ending.wait(PAUSE_SECONDS):
                self._drain()
            self._drain()
        finally:
            connection.close()

    def _drain(self) -> None:
        """Write what waits; what the database does not take now is kept for the next time."""
        close_old_connections()
        trouble = ""
        try:
            self.flush()
        except Exception as error:
            trouble = f"{type(error).__name__}: {error}"
        self._complain(trouble)

    def flush(self) -> None:
        """Write what waits now, on the caller's connection; raises OperationalError when that is not possible.

        What comes meanwhile is left for the next time, where it makes one batch with many more.
        """
        with self._writing:
            batches = bool(self._batch) + math.ceil(len(self._waiting) / BATCH)
            for _ in range(batches):
                self._write(self._next())

    def _next(self) -> list[Transcript]:
        if not self._batch:
            with self._lock:
                taken = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                for transcript in taken:
                    self._batch += transcript.legs
                self._held = self._held - sum(map(_size, self._batch)) if self._waiting else 0
        return self._batch

    def _write(self, batch: list[Transcript]) -> None:
        """Write the next entries of the batch; one that can never be written does not take others with it."""
        try:
            writing.write(batch, directory.picture())
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                for half in (batch[:middle], batch[middle:]):
                    self._write(half)
                return
            self.dropped += 1
            log.warning("an exchange cannot be written", error=str(error), correlation_id=batch[0].ids.correlation_id)
        del self._batch[: len(batch)]

    def _complain(self, trouble: str) -> None:
        """Once a minute, of what was lost since and of what is wrong now."""
        lost = (self.dropped, self.dropped_bodies)
        if (lost == self._complained_of and not trouble) or time.monotonic() - self._complained_at < COMPLAIN_SECONDS:
            return
        self._complained_at, self._complained_of = time.monotonic(), lost
        log.warning(
            "exchanges are lost or late",
            dropped=self.dropped,
            dropped_bodies=self.dropped_bodies,
            waiting=self.waiting,
            error=trouble,
        )

    def close(self) -> None:
        """Write what waits and end the thread; the next entry would start another."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._ending.set()
        if thread is not None:
            thread.join(timeout=5)


def _bounded(transcript: Transcript) -> int:
    """Leave of the bodies what is to be kept, and return its bytes."""
    cap: int = kept.NODE_LOG_BODY
    asked, answered = len(transcript.request), len(transcript.response)
    if asked > cap:
        transcript.request = transcript.request[:cap]
    if answered > min(cap, PAGE):
        transcript.response = transcript.response[: min(cap, PAGE) if _is_page(transcript) else cap]
        answered = len(transcript.response)
    return min(asked, cap) + answered


def _is_page(transcript: Transcript) -> bool:
    """Whether it is a page of ours that somebody was given."""
    is_ours = transcript.direction == "IN" and transcript.method == "GET"
    return is_ours and transcript.response.startswith(_LIST) and transcript.route != Kind.DIRECT.name


def _size(transcript: Transcript) -> int:
    return len(transcript.request) + len(transcript.response)


exchange_log = ExchangeLog()
atexit.register(exchange_log.close)
