"""The wake-up that a Session or CDR is to be made: one task for all that falls due within a moment; beat repairs it."""

import threading
import time

import structlog
from celery.exceptions import CeleryError
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

_GATHER_SECONDS = 0.2
_EXPIRES_SECONDS = 30

_lock = threading.Lock()
_covered_until = 0.0


def wake() -> None:
    """Call after the commit; never raises. A task that has not begun yet will see what was committed."""
    global _covered_until
    with _lock:
        now = time.monotonic()
        if now < _covered_until:
            return
        _covered_until = now + _GATHER_SECONDS
    from cpo_backend import tasks

    try:
        tasks.make_bills.apply_async(countdown=_GATHER_SECONDS, expires=_EXPIRES_SECONDS)
    except (CeleryError, OperationalError, OSError) as error:
        log.warning("wake-up lost; beat will repeat it", error=str(error))
