"""How much is too much: how often a platform may call, and how many requests may be under way.

Both are counted by each web process for itself; with several processes a platform may do as much in each.
"""

import asyncio
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

# Classes of requests. `lists`: pages of lists. `objects`: one object, pushed or read. `other`: versions, credentials.
CLASSES = ("authorize", "commands", "lists", "objects", "other")
_COMMANDING = (b"commands", b"chargingprofiles")
PATIENCE = 1 / 5  # of NODE_PARTNER_TIMEOUT: how long a request waits for a place
_DEPTH = 6  # parts of a path to an interface: "", ocpi, version, interface, module, below


def class_of(method: str, path: bytes) -> str:
    """The class of a request below `/ocpi/`; told from the path alone, so that it costs next to nothing."""
    parts = path.split(b"/", _DEPTH - 1)
    if len(parts) < _DEPTH - 1 or parts[3] not in (b"sender", b"receiver"):
        return "other"
    below = parts[5].rstrip(b"/") if len(parts) == _DEPTH else b""
    if parts[4] in _COMMANDING:
        return "commands" if parts[3] == b"receiver" else "objects"  # results come to the Sender interface
    if not below and method == "GET":
        return "lists"
    return "authorize" if method == "POST" and below.endswith(b"/authorize") else "objects"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in a minute, and at most `burst` at once after a pause."""

    per_minute: int
    burst: int


def rates(text: str) -> dict[str, Rate]:
    """Read NODE_RATES: `class=per_minute[/burst]`, comma-separated; 0 or a class left out is no limit.

    Raises ImproperlyConfigured.
    """
    found: dict[str, Rate] = {}
    for entry in filter(None, (entry.strip() for entry in text.split(","))):
        name, _, rate = entry.partition("=")
        per_minute, _, burst = rate.partition("/")
        if name not in CLASSES or not per_minute.isdecimal() or not (burst or "0").isdecimal():
            raise ImproperlyConfigured(f"NODE_RATES: {entry!r} is not CLASS=N or CLASS=N/BURST ({', '.join(CLASSES)})")
        if int(per_minute):
            found[name] = Rate(int(per_minute), int(burst or per_minute) or 1)
    return found


class Buckets:
    """Token buckets: one for each platform and class, full at first."""

    def __init__(self, rates: Mapping[str, Rate], clock: Callable[[], float] = time.monotonic) -> None:
        self.rates, self._clock = rates, clock
        self._levels: dict[tuple[int, str], tuple[float, float]] = {}  # what was left, and when

    def take(self, platform_id: int, name: str) -> float:
        """0 when the request may pass; otherwise the seconds until the next may."""
        rate = self.rates.get(name)
        if rate is None:
            return 0.0
        now, speed = self._clock(), rate.per_minute / 60
        left, since = self._levels.get((platform_id, name), (rate.burst, now))
        left = min(rate.burst, left + (now - since) * speed)
        if left < 1:
            return (1 - left) / speed
        self._levels[platform_id, name] = left - 1, now
        return 0.0


class Busy(Exception):
    """No place became free in time."""


class Place:
    """Held from `take` to `leave`, by as many as there are places. For one event loop.

    Unlike asyncio's semaphore it only counts while there is a free place, as there nearly always is.
    """

    __slots__ = ("_free", "_patience", "_waiting")

    def __init__(self, limit: int, patience: float) -> None:
        self._free, self._patience = limit, patience
        self._waiting = deque[asyncio.Future[None]]()

    def take(self) -> bool:
        """Whether a place was free, and is taken now; otherwise `wait` for one."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def wait(self) -> None:
        """Take the place that becomes free when it is our turn; raises Busy."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except BaseException as error:
            if not turn.cancelled():  # it came at the last moment
                self.leave()
            if isinstance(error, TimeoutError):
                raise Busy from None
            raise
        finally:
            self._waiting.remove(turn)

    def leave(self) -> None:
        """The place goes to who has waited longest."""
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Places:
    """At most `limit` requests at once to or from each platform; who comes on top waits, but not for long.
    0: no limit.

    Platforms have nothing in common: who waits for one holds up nobody else's.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._patience = limit or sys.maxsize, settings.NODE_PARTNER_TIMEOUT * PATIENCE
        self._places: dict[int, Place] = {}

    def at(self, platform_id: int) -> Place:
        place = self._places.get(platform_id)
        if place is None:
            place = self._places[platform_id] = Place(self._limit, self._patience)
        return place
