"""Threads that work for an event loop.

What `concurrent.futures.ThreadPoolExecutor` does, for a loop's futures only: that makes two futures of each piece of
work, and locks and notifies both, which costs a request five times the CPU.
"""

import asyncio
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")
_Work = tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]


class ThreadPool:
    """A fixed number of threads. They begin with the first piece of work and do not keep the process alive."""

    def __init__(self, threads: int, name: str) -> None:
        self._threads, self._name = threads, name
        self._waiting: SimpleQueue[_Work | None] = SimpleQueue()
        self._started = False

    def run(self, function: Callable[..., Result], *args: Any) -> asyncio.Future[Result]:
        """What `function` returns or raises in a thread, for the running loop. The context is not copied."""
        if not self._started:
            self._start()
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.put((future, function, args))
        return future

    def close(self) -> None:
        """Cancel what no thread has begun, and end each thread after what it works on; waits for none."""
        while work := self._next():
            work[0].cancel()
        for _ in range(self._threads):
            self._waiting.put(None)

    def _next(self) -> _Work | None:
        try:
            return self._waiting.get_nowait()
        except Empty:
            return None

    def _start(self) -> None:
        self._started = True
        for number in range(self._threads):
            threading.Thread(target=self._work, name=f"{self._name}_{number}", daemon=True).start()

    def _work(self) -> None:
        while work := self._waiting.get():
            _do(*work)
            del work  # a request and its answer would live until the next


def _do(future: asyncio.Future[Any], function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    result, failure = None, None
    try:
        result = function(*args)
    except BaseException as error:
        failure = error
    try:
        future.get_loop().call_soon_threadsafe(_settle, future, result, failure)
    except RuntimeError:  # the loop is closed: nobody waits any more
        return


def _settle(future: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if future.done():  # given up
        return
    if failure is None:
        future.set_result(result)
    else:
        future.set_exception(failure)
