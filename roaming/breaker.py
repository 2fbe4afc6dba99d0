"""Whether a platform can be used now: one rule for the relay, lanes, pulls, commands and authorization.

| the platform is    | and then                                             | it is                                |
|--------------------|------------------------------------------------------|--------------------------------------|
| usable (closed)    | `STRIKES` transport failures in a row, in `WINDOW`   | OFFLINE                              |
| usable             | quiet for NODE_QUIET seconds, and the probe fails    | OFFLINE                              |
| OFFLINE (open)     | anything is to be sent to it                         | OFFLINE; refused without calling     |
| OFFLINE            | it calls us                                          | OFFLINE; the next probe is due now   |
| OFFLINE            | a probe is under way (half-open) and fails           | OFFLINE                              |
| OFFLINE            | a probe is answered, or it registers anew            | usable; its lanes and pulls are woken |

A platform that refuses, whatever it says, is alive. That it calls us proves its client, not its server: it is probed
soon, never trusted at once. The state is the platform's row, shared by all processes through the directory; failures
are counted by each process for itself. Probes: `roaming/probing.py`. Source: §mod_hub_client_info_still_alive_check.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from django.db import transaction
from django.utils import timezone

from ocpi.client.messages import Answer, NotOcpi, PartnerError, TimedOut, Unreachable
from roaming import directory
from roaming.delivery_models import Delivery, Lane
from roaming.directory import Peer
from roaming.models import Platform
from roaming.sightings import sightings
from roaming.sync import wake

log = structlog.get_logger(__name__)

STRIKES = 5
WINDOW = 600.0  # seconds; lanes try again after pauses that grow to minutes
PROBE_INTERVAL = timedelta(minutes=1)
MOST_JITTER = timedelta(seconds=1)


class Strikes:
    """Transport failures in a row, by platform, as one process has met them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._struck: dict[int, deque[float]] = {}

    def failed(self, platform_id: int) -> bool:
        """Count a failure; True when it is the one too many."""
        with self._lock:
            struck = self._struck.setdefault(platform_id, deque(maxlen=STRIKES))
            struck.append(self._clock())
            return len(struck) == STRIKES and struck[-1] - struck[0] <= WINDOW

    def answered(self, platform_id: int) -> None:
        self._struck.pop(platform_id, None)

    def forget(self) -> None:
        self._struck.clear()


strikes = Strikes()


def is_transport_failure(error: Exception) -> bool:
    """Whether nobody was there: no connection, no answer in time, or a server's own error page."""
    return isinstance(error, Unreachable | TimedOut) or (isinstance(error, NotOcpi) and error.http_status >= 500)


def outage(peer: Peer) -> str:
    """What to say instead of calling; empty when the platform is usable. Why it failed is not for other partners."""
    return f"{peer.name} is OFFLINE since {peer.offline_since:%Y-%m-%dT%H:%M:%SZ}" if peer.offline_since else ""


def concerns(peer: Peer, url: str) -> bool:
    """Whether a failure at this URL says something of the platform: a response_url or a Link may lead anywhere."""
    server = urlsplit(url).netloc
    return any(urlsplit(endpoint).netloc == server for endpoint in peer.endpoints.values())


@contextmanager
def watched(platform_id: int) -> Iterator[None]:
    """Around a call to a platform: raises Unreachable instead while it is OFFLINE; what becomes of the call counts."""
    peer = directory.directory.picture().peers.get(platform_id)
    if peer and (reason := outage(peer)):
        raise Unreachable(reason)
    try:
        yield
    except PartnerError as error:
        judge(platform_id, [error])
        raise
    judge(platform_id, [])


def judge(platform_id: int, results: Sequence[Answer | PartnerError]) -> None:
    """Count what became of calls made together: one failure however many failed."""
    for result in results:
        if isinstance(result, PartnerError) and is_transport_failure(result):
            if strikes.failed(platform_id):
                trip(platform_id, str(result))
            return
    strikes.answered(platform_id)
    if sightings.note(platform_id):
        sightings.write()


@transaction.atomic
def trip(platform_id: int, reason: str) -> bool:
    """The platform is OFFLINE from now on; False when it was, or is not connected at all."""
    now = timezone.now()
    usable = Platform.objects.filter(pk=platform_id, state=Platform.State.CONNECTED, offline_since=None)
    if not usable.update(
        offline_since=now, probe_at=now + PROBE_INTERVAL, last_error_at=now, last_error=f"OFFLINE: {reason}"[:2000]
    ):
        return False
    log.warning("platform is OFFLINE", platform_id=platform_id, reason=reason)
    sightings.forget(platform_id)  # its next call is news
    directory.changed()
    return True


@transaction.atomic
def close(platform_id: int) -> bool:
    """The platform can be used again: what is due for it starts at once. False when it was not OFFLINE."""
    offline = Platform.objects.filter(pk=platform_id, offline_since__isnull=False)
    if not offline.update(offline_since=None, probe_at=None, failures=0):
        return False
    log.info("platform is back", platform_id=platform_id)
    strikes.answered(platform_id)
    again = timezone.now() + random.random() * MOST_JITTER  # many may come back at once, when it was our own outage
    Lane.objects.filter(platform_id=platform_id).update(retry_at=again)
    Delivery.objects.filter(platform_id=platform_id, retry_at__isnull=False).update(retry_at=again)
    directory.changed()
    transaction.on_commit(lambda: _wake(platform_id))
    return True


def _wake(platform_id: int) -> None:
    """Lanes send the difference to what the platform has, never what it missed."""
    wake.connected(platform_id)
    wake.resolved(platform_id)
