"""The threads in which work is done: what comes meanwhile is done together."""

import asyncio
import threading
from collections.abc import Iterator, Sequence

import pytest

from cpo_backend.ocpp.rooms import MOST_TOGETHER, Room, Rooms


@pytest.fixture
def rooms(db: None) -> Iterator[Rooms]:
    found = Rooms()
    yield found
    found.close()


def test_work_that_comes_while_a_batch_is_done_is_the_next_batch(rooms: Rooms) -> None:
    batches: list[Sequence[int]] = []
    begun, go_on = threading.Event(), threading.Event()

    def double(works: Sequence[int]) -> list[int]:
        batches.append(works)
        begun.set()
        assert go_on.wait(10)
        return [2 * work for work in works]

    async def work() -> list[int | None]:
        first = asyncio.create_task(rooms.run_together(Room.ROUNDS, double, 0))
        await asyncio.to_thread(begun.wait, 10)
        others = [asyncio.create_task(rooms.run_together(Room.ROUNDS, double, number)) for number in range(1, 300)]
        await asyncio.sleep(0)
        go_on.set()
        return await asyncio.gather(first, *others)

    assert asyncio.run(work()) == [2 * number for number in range(300)]
    assert [len(batch) for batch in batches] == [1, MOST_TOGETHER, 99]


def test_a_batch_that_fails_has_no_outcomes_and_the_next_has(rooms: Rooms) -> None:
    def divide(works: Sequence[int]) -> list[int]:
        return [12 // work for work in works]

    async def work() -> list[int | None]:
        failed = [rooms.run_together(Room.ROUNDS, divide, number) for number in (0, 3)]
        return [*await asyncio.gather(*failed), await rooms.run_together(Room.ROUNDS, divide, 4)]

    assert asyncio.run(work()) == [None, None, 3]


def test_who_has_gone_meanwhile_keeps_no_one_from_an_outcome(rooms: Rooms) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait(works: Sequence[int]) -> Sequence[int]:
        begun.set()
        assert go_on.wait(10)
        return works

    async def work() -> int | None:
        gone = asyncio.create_task(rooms.run_together(Room.ROUNDS, wait, 1))
        await asyncio.to_thread(begun.wait, 10)
        gone.cancel()
        go_on.set()
        return await rooms.run_together(Room.ROUNDS, wait, 2)

    assert asyncio.run(work()) == 2
