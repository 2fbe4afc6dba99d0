"""Threads that work for an event loop."""

import asyncio
import contextvars
import threading
import time

import pytest

from config.pool import ThreadPool


def test_results_and_exceptions_come_back_to_the_loop() -> None:
    async def story() -> None:
        pool = ThreadPool(2, "kit")
        assert await asyncio.gather(*(pool.run(pow, number, 2) for number in range(100))) == [n * n for n in range(100)]
        with pytest.raises(ZeroDivisionError):
            await pool.run(divmod, 1, 0)
        assert await pool.run(lambda: threading.current_thread().name) in ("kit_0", "kit_1")
        pool.close()

    asyncio.run(story())


def test_the_context_of_a_thread_stays_its_own() -> None:
    """Django keeps the connections to the database in it."""
    seen = contextvars.ContextVar("seen", default=0)

    def count() -> int:
        seen.set(seen.get() + 1)
        return seen.get()

    async def story() -> None:
        pool = ThreadPool(1, "kit")
        seen.set(100)
        assert [await pool.run(count) for _ in range(3)] == [1, 2, 3]
        pool.close()

    asyncio.run(story())


def test_closing_cancels_what_has_not_begun_and_waits_for_nothing() -> None:
    begun, release = threading.Event(), threading.Event()

    def work() -> str:
        begun.set()
        release.wait(5)
        return "done"

    async def story() -> None:
        pool = ThreadPool(1, "kit")
        first, second = pool.run(work), pool.run(work)
        await asyncio.to_thread(begun.wait, 5)
        pool.close()
        assert second.cancelled() and not first.done()
        release.set()
        assert await first == "done"

    asyncio.run(story())
    deadline = time.monotonic() + 5
    while any(thread.name == "kit_0" for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "the thread has not ended"
        time.sleep(0.01)


def test_who_has_given_up_is_not_told() -> None:
    async def story() -> None:
        pool, release = ThreadPool(1, "kit"), threading.Event()
        waiting = pool.run(release.wait, 5)
        waiting.cancel()
        release.set()
        assert await pool.run(int, "7") == 7
        pool.close()

    asyncio.run(story())
