"""The wake-up that there is something to send: within the process, and through Redis to the others where there is one.

It carries nothing and may get lost: the rows say what is to be done, and whoever holds sockets looks at them anyway.
"""

import threading
from collections.abc import Callable
from functools import cache

import redis
import structlog
from django.conf import settings

log = structlog.get_logger(__name__)

_CHANNEL = "ocpp:wake"
_RETRY_SECONDS = 2.0


class _Listener:
    """Calls back from any thread, and never again once it has ended."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self._callback, self._lock = callback, threading.Lock()
        self._ended = threading.Event()

    def wake(self) -> None:
        with self._lock:
            if not self._ended.is_set():
                self._callback()

    def end(self) -> None:
        with self._lock:
            self._ended.set()
        _listeners.remove(self)

    def subscribe(self) -> None:
        """Until the end; in a thread of its own."""
        while not self._ended.is_set():
            try:
                # No time limit on the socket: nothing may come for hours.
                with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=None) as client, client.pubsub() as found:
                    found.subscribe(_CHANNEL)
                    while not self._ended.is_set():
                        if (message := found.get_message(timeout=1.0)) and message["type"] == "message":
                            self.wake()
            except redis.RedisError as error:
                log.warning("no wake-ups over Redis", error=type(error).__name__)
                self._ended.wait(_RETRY_SECONDS)


_listeners: list[_Listener] = []


def wake() -> None:
    """Call after the commit; never raises."""
    wake_here()
    if settings.REDIS_URL:
        try:
            _client(settings.REDIS_URL).publish(_CHANNEL, b"")
        except redis.RedisError as error:
            log.warning("no wake-up over Redis", error=type(error).__name__)


def wake_here() -> None:
    """The same for this process alone."""
    for listener in list(_listeners):
        listener.wake()


def listen(callback: Callable[[], object]) -> Callable[[], None]:
    """Call `callback`, from any thread, at each wake-up; returns what ends that."""
    listener = _Listener(callback)
    _listeners.append(listener)
    if settings.REDIS_URL:
        threading.Thread(target=listener.subscribe, name="ocpp bus", daemon=True).start()
    return listener.end


@cache
def _client(url: str) -> "redis.Redis[bytes]":
    return redis.Redis.from_url(url, socket_timeout=1)
