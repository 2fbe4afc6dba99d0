"""Every frame that came or went, for staff: a bounded queue, and one thread that writes it down in batches.

A message never waits for its entry. Identifiers of drivers and passwords are hidden before anything is written.
"""

import hmac
import re
import threading
from collections import deque
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.utils import timezone

from cpo_backend import pruning
from cpo_backend.models import OcppMessage

log = structlog.get_logger(__name__)

MOST_WAITING = 20_000
BATCH = 500
PAUSE_SECONDS = 0.3
PRUNED = 5000
_MOST_PRUNED = 20_000_000  # in one go

_SECRET_KEYS = re.compile(r"AuthorizationKey|BasicAuthPassword", re.IGNORECASE)
_VALUES = re.compile(r'("(?:value|attributeValue)"\s*:\s*)"(?:[^"\\]|\\.)*"?')
_HIDDEN = r'\1"***"'
_DRIVERS = re.compile(r'("(?:idTag|parentIdTag|idToken)"\s*:\s*)"((?:[^"\\]|\\.)*)"?')


class _Frame(NamedTuple):
    at: datetime
    identity: str
    direction: str
    text: str | bytes
    message_id: str
    action: str
    error_code: str
    seconds: float | None


class FrameLog:
    """Without `threaded`, nothing is written before `flush` is called."""

    def __init__(self, *, threaded: bool = True) -> None:
        self._threaded = threaded
        self._waiting: deque[_Frame] = deque()
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._writing = threading.Lock()
        self.dropped = self.count_received = self.count_sent = 0

    def received(self, identity: str, text: str | bytes, id: str, action: str, code: str = "") -> None:
        self.count_received += 1
        self._note(identity, OcppMessage.Direction.IN, text, id, action, code, None)

    def sent(
        self, identity: str, text: str, id: str, action: str, code: str = "", seconds: float | None = None
    ) -> None:
        self.count_sent += 1
        self._note(identity, OcppMessage.Direction.OUT, text, id, action, code, seconds)

    def _note(
        self,
        identity: str,
        direction: str,
        text: str | bytes,
        id: str,
        action: str,
        code: str,
        seconds: float | None,
    ) -> None:
        if not settings.NODE_LOG_DAYS:
            return
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append(_Frame(datetime.now(UTC), identity, direction, text, id, action, code, seconds))
        if self._thread is None and self._threaded:
            self._ending = threading.Event()
            self._thread = threading.Thread(target=self._run, args=(self._ending,), name="frame log", daemon=True)
            self._thread.start()

    def _run(self, ending: threading.Event) -> None:
        last = False
        while not last:
            last = ending.wait(PAUSE_SECONDS)
            close_old_connections()
            try:
                self.flush()
            except Exception as error:
                log.warning("frames are not written yet", error=str(error), waiting=len(self._waiting))
        connection.close()

    def flush(self) -> None:
        """Write what waits; raises what the database raises, and then keeps what was not written."""
        with self._writing:
            while self._waiting:
                batch = [self._waiting[place] for place in range(min(BATCH, len(self._waiting)))]
                _write(batch)
                for _ in batch:
                    self._waiting.popleft()

    def close(self) -> None:
        """Write what waits and end the thread; the next entry would start another."""
        thread, self._thread = self._thread, None
        self._ending.set()
        if thread is not None:
            thread.join(timeout=5)


_COLUMNS = (
    "at",
    "identity",
    "direction",
    "message_id",
    "action",
    "error_code",
    "text",
    "size",
    "milliseconds",
)
_INTO = f"{OcppMessage._meta.db_table} ({', '.join(_COLUMNS)})"
_COPY = f"COPY {_INTO} FROM STDIN"
_INSERT = f"INSERT INTO {_INTO} VALUES ({', '.join(['%s'] * len(_COLUMNS))})"  # noqa: S608


def _write(batch: list[_Frame]) -> None:
    """All or none. Plain SQL: frames come by the thousand, and the ORM costs them five times as much."""
    rows = [_row(frame) for frame in batch]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _copy(cursor, rows)
        else:
            adapt = connection.ops.adapt_datetimefield_value
            cursor.executemany(_INSERT, [(adapt(at), *others) for at, *others in rows])


def _copy(cursor: Any, rows: list[tuple[Any, ...]]) -> None:
    # Nothing hangs on the last half second of a log: a power failure may cost it.
    cursor.execute("SET LOCAL synchronous_commit TO off")
    with connection.wrap_database_errors, cursor.copy(_COPY) as copy:
        for values in rows:
            copy.write_row(values)


def _row(frame: _Frame) -> tuple[Any, ...]:
    """In the order of `_COLUMNS`."""
    text = frame.text if isinstance(frame.text, str) else frame.text.decode(errors="replace")
    return (
        frame.at,
        frame.identity,
        frame.direction,
        frame.message_id[:36],
        frame.action[:50],
        frame.error_code[:50],
        shown(text, settings.NODE_LOG_BODY),
        len(text),
        None if frame.seconds is None else round(frame.seconds * 1000),
    )


def shown(text: str, cap: int) -> str:
    """The beginning of a frame as it may be kept: without passwords and NULs, drivers as a keyed hash of themselves."""
    kept = text[:cap].replace("\0", "")
    if _SECRET_KEYS.search(text):
        kept = _VALUES.sub(_HIDDEN, kept)
    return _DRIVERS.sub(lambda match: f'{match[1]}"{_hidden(match[2])}"', kept)


def without_secrets(payload: str) -> str:
    """A payload without the password it may set."""
    return _VALUES.sub(_HIDDEN, payload) if _SECRET_KEYS.search(payload) else payload


def _hidden(value: str) -> str:
    return f"~{hmac.digest(_pepper(), value.lower().encode(errors='replace'), 'sha256').hex()[:16]}"


@cache
def _pepper() -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), b"cpo_backend.ocpp.frame_log", "sha256")


def prune(batch: int = PRUNED) -> int:
    """Delete what is older than NODE_LOG_DAYS, in short transactions; returns how many entries that were."""
    old = OcppMessage.objects.filter(at__lt=timezone.now() - timedelta(days=settings.NODE_LOG_DAYS))
    return pruning.delete(old.order_by("at"), batch, _MOST_PRUNED)


frame_log = FrameLog()
