"""Wake-ups: cheap for the one who changes something, coalesced, and allowed to get lost (beat repairs that).

A change costs its writer one entry in a set. A thread of the process publishes what has gathered every half second, so
a thousand changes in a burst are one task per lane: to look into a lane costs more than what a change adds to it.
"""

import threading
import time

import structlog
from celery.exceptions import CeleryError
from kombu.exceptions import OperationalError

from ocpi.store.catalogue import STORES

log = structlog.get_logger(__name__)

GATHER_SECONDS = 0.5
_EXPIRES_SECONDS = 30

_pending: set[tuple[str, str | int]] = set()
_something = threading.Event()
_starting = threading.Lock()
_publisher: threading.Thread | None = None


def changed(module: str) -> None:
    """Objects of a module changed: its lanes have something to look at."""
    _add(("lanes", module))


def connected(platform_id: int) -> None:
    """A platform was connected: pull from it, and bring it up to date."""
    _add(("platform", platform_id))
    for module in STORES:
        _add(("lanes", module))


def resolved(platform_id: int) -> None:
    """Results of commands, or news of charging profiles, wait for a platform."""
    _add(("results", platform_id))


def audit() -> None:
    """CDRs came in: they are to be audited."""
    _add(("audit", ""))


def _add(entry: tuple[str, str | int]) -> None:
    if entry in _pending:
        return
    _pending.add(entry)
    _ensure_publisher()
    _something.set()


def _ensure_publisher() -> None:
    global _publisher
    if _publisher is not None and _publisher.is_alive():
        return
    with _starting:
        if _publisher is None or not _publisher.is_alive():
            _publisher = threading.Thread(target=_publish_forever, name="wake-ups", daemon=True)
            _publisher.start()


def _publish_forever() -> None:
    while True:
        _something.wait()
        _something.clear()
        while _pending:
            _publish(_pending.pop())
        time.sleep(GATHER_SECONDS)


def _publish(entry: tuple[str, str | int]) -> None:
    from roaming import tasks

    what, argument = entry
    woken = {
        "lanes": tasks.wake_lanes,
        "platform": tasks.pull_platform,
        "results": tasks.deliver_results,
        "audit": tasks.audit_cdrs,
    }
    task = woken[what]
    try:
        task.apply_async((argument,) if argument != "" else (), expires=_EXPIRES_SECONDS)
    except (CeleryError, OperationalError, OSError) as error:
        log.warning("wake-up lost; beat will repeat it", task=task.name, error=str(error))
