"""Requests wait in groups, run in one thread, and end in exactly one way each."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.inference.batching import Batcher, BatchSettings, BatchTask
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Sequence


class Kitchen:
    """Doubles numbers; keeps the batches it saw; waits with the first one until its door is opened."""

    def __init__(self, *, closed: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.keys: list[object] = []
        self.entered = threading.Event()
        self.door = threading.Event()
        if not closed:
            self.door.set()

    def work(self, tickets: Sequence[BatchTask[int, int]]) -> None:
        self.batches.append([ticket.request for ticket in tickets])
        self.keys.append(tickets[0].key)
        self.entered.set()
        assert self.door.wait(30)
        for ticket in tickets:
            if ticket.claim():
                ticket.answer = 2 * ticket.request


async def enter(kitchen: Kitchen) -> None:
    assert await asyncio.to_thread(kitchen.entered.wait, 30)


def test_what_arrives_while_a_batch_runs_forms_the_next() -> None:
    kitchen = Kitchen(closed=True)
    batcher: Batcher[int, int] = Batcher(kitchen.work)

    async def scene() -> list[int]:
        first = asyncio.create_task(batcher.submit(0, key="k", rows=1, timeout_s=None))
        await enter(kitchen)
        rest = [asyncio.create_task(batcher.submit(one, key="k", rows=1, timeout_s=None)) for one in range(1, 6)]
        await asyncio.sleep(0)
        kitchen.door.set()
        return await asyncio.gather(first, *rest)

    assert asyncio.run(scene()) == [0, 2, 4, 6, 8, 10]
    assert kitchen.batches == [[0], [1, 2, 3, 4, 5]]
    batcher.close()


@given(
    requests=st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(1, 6)), max_size=30),
    most=st.integers(1, 8),
)
def test_batches_keep_to_one_key_and_to_the_largest_size(requests: list[tuple[str | None, int]], most: int) -> None:
    kitchen = Kitchen()
    batcher: Batcher[int, int] = Batcher(kitchen.work, BatchSettings(max_rows=most))

    async def scene() -> list[int]:
        return await asyncio.gather(
            *(batcher.submit(index, key=key, rows=rows, timeout_s=None) for index, (key, rows) in enumerate(requests))
        )

    assert asyncio.run(scene()) == [2 * index for index in range(len(requests))]
    batcher.close()
    served = Counter(index for batch in kitchen.batches for index in batch)
    assert served == Counter(range(len(requests)))
    for batch in kitchen.batches:
        assert len({requests[index][0] for index in batch}) == 1
        assert len(batch) == 1 or sum(requests[index][1] for index in batch) <= most
        assert len(batch) == 1 or requests[batch[0]][0] is not None, "without a key a request runs alone"
        assert batch == sorted(batch)


def test_a_larger_request_runs_alone_or_is_refused() -> None:
    kitchen = Kitchen()
    alone: Batcher[int, int] = Batcher(kitchen.work, BatchSettings(max_rows=4))
    assert asyncio.run(alone.submit(7, key="k", rows=5, timeout_s=None)) == 14
    alone.close()
    strict: Batcher[int, int] = Batcher(kitchen.work, BatchSettings(max_rows=4, refuse_larger=True))
    with pytest.raises(Failure, match="Task size 5 is larger than maximum input batch size 4"):
        asyncio.run(strict.submit(7, key="k", rows=5, timeout_s=None))
    strict.close()


def test_a_full_queue_refuses_and_recovers() -> None:
    kitchen = Kitchen(closed=True)
    batcher: Batcher[int, int] = Batcher(kitchen.work, BatchSettings(max_waiting=2))

    async def scene() -> list[int | BaseException]:
        first = asyncio.create_task(batcher.submit(0, key="k", rows=1, timeout_s=None))
        await enter(kitchen)
        rest = [asyncio.create_task(batcher.submit(one, key="k", rows=1, timeout_s=None)) for one in (1, 2, 3)]
        await asyncio.wait(rest, return_when=asyncio.FIRST_COMPLETED)
        kitchen.door.set()
        answers = await asyncio.gather(first, *rest, return_exceptions=True)
        return [*answers, await batcher.submit(9, key="k", rows=1, timeout_s=None)]

    zero, one, two, three, nine = asyncio.run(scene())
    assert (zero, one, two, nine) == (0, 2, 4, 18)
    assert isinstance(three, Failure)
    assert three.code is Code.UNAVAILABLE
    batcher.close()


def test_a_deadline_that_passes_in_the_queue_keeps_the_request_from_running() -> None:
    kitchen = Kitchen(closed=True)
    batcher: Batcher[int, int] = Batcher(kitchen.work)

    async def scene() -> int:
        first = asyncio.create_task(batcher.submit(0, key="k", rows=1, timeout_s=None))
        await enter(kitchen)
        with pytest.raises(Failure, match="the deadline passed") as caught:
            await batcher.submit(1, key="k", rows=1, timeout_s=0.001)
        assert caught.value.code is Code.DEADLINE_EXCEEDED
        kitchen.door.set()
        return await first

    assert asyncio.run(scene()) == 0
    batcher.close()
    assert kitchen.batches == [[0]]


def test_a_deadline_that_passes_while_it_runs_takes_the_claim() -> None:
    kitchen = Kitchen(closed=True)
    claimed: list[bool] = []

    def work(tickets: Sequence[BatchTask[int, int]]) -> None:
        kitchen.entered.set()
        assert kitchen.door.wait(30)
        claimed.extend(ticket.claim() for ticket in tickets)

    batcher: Batcher[int, int] = Batcher(work)

    async def scene() -> None:
        with pytest.raises(Failure, match="the deadline passed"):
            await batcher.submit(1, key="k", rows=1, timeout_s=0.001)
        kitchen.door.set()

    asyncio.run(scene())
    batcher.close()
    assert claimed == [False]


def test_a_claimed_answer_leaves_though_its_deadline_passes() -> None:
    kitchen = Kitchen(closed=True)

    def work(tickets: Sequence[BatchTask[int, int]]) -> None:
        assert all(ticket.claim() for ticket in tickets)
        kitchen.entered.set()
        assert kitchen.door.wait(30)
        for ticket in tickets:
            ticket.answer = ticket.request

    batcher: Batcher[int, int] = Batcher(work)

    async def scene() -> int:
        asked = asyncio.create_task(batcher.submit(5, key="k", rows=1, timeout_s=0.001))
        await enter(kitchen)
        done, _ = await asyncio.wait([asked], timeout=0.05)
        assert not done
        kitchen.door.set()
        return await asked

    assert asyncio.run(scene()) == 5
    batcher.close()


def test_failures_reach_their_own_request_and_defects_the_whole_batch() -> None:
    def work(tickets: Sequence[BatchTask[int, int]]) -> None:
        for ticket in tickets:
            if ticket.request == 13:
                raise ZeroDivisionError
            ticket.answer = Failure(Code.INTERNAL, "odd") if ticket.request % 2 else ticket.request

    batcher: Batcher[int, int] = Batcher(work)

    async def scene(*requests: int) -> list[int | BaseException]:
        asked = (batcher.submit(one, key="k", rows=1, timeout_s=None) for one in requests)
        return await asyncio.gather(*asked, return_exceptions=True)

    even, odd = asyncio.run(scene(2, 3))
    assert even == 2
    assert isinstance(odd, Failure)
    assert all(isinstance(one, ZeroDivisionError) for one in asyncio.run(scene(13, 2)))
    assert asyncio.run(scene(4)) == [4], "the batcher goes on"
    batcher.close()


@pytest.mark.parametrize(("took", "place"), [(0.001, "loop"), (0.003, "thread")])
def test_what_was_quick_runs_in_the_loop_next_time(took: float, place: str) -> None:
    now = [0.0]
    places: list[str] = []

    def work(tickets: Sequence[BatchTask[int, int]]) -> None:
        places.append("loop" if threading.current_thread() is threading.main_thread() else "thread")
        now[0] += took
        for ticket in tickets:
            ticket.answer = ticket.request

    batcher: Batcher[int, int] = Batcher(work, BatchSettings(quick_s=0.002), clock=lambda: now[0])

    async def scene() -> list[int]:
        asked = [(0, 1), (1, 1), (2, 2), (3, 3), (4, 1)]
        return [await batcher.submit(one, key="k", rows=rows, timeout_s=1.0) for one, rows in asked]

    assert asyncio.run(scene()) == [0, 1, 2, 3, 4]
    batcher.close()
    # Two rows are another size than one, three the same as two.
    assert places == ["thread", place, "thread", place, place]


def test_a_defect_in_the_loop_reaches_every_request_and_the_batcher_goes_on() -> None:
    def work(tickets: Sequence[BatchTask[int, int]]) -> None:
        for ticket in tickets:
            ticket.answer = 6 // ticket.request

    batcher: Batcher[int, int] = Batcher(work, BatchSettings(quick_s=1e9))
    seen: list[BaseException | None] = []

    async def scene() -> list[int | BaseException]:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context.get("exception")))
        first = await batcher.submit(1, key="k", rows=1, timeout_s=None)
        asked = (batcher.submit(one, key="k", rows=1, timeout_s=None) for one in (0, 2))
        broken = await asyncio.gather(*asked, return_exceptions=True)
        return [first, *broken, await batcher.submit(3, key="k", rows=1, timeout_s=None)]

    first, zero, two, three = asyncio.run(scene())
    assert (first, three) == (6, 2)
    # Two rows ran in the thread, where nobody else hears of it.
    assert isinstance(zero, ZeroDivisionError)
    assert isinstance(two, ZeroDivisionError)

    async def once_more() -> int | BaseException:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context.get("exception")))
        (outcome,) = await asyncio.gather(batcher.submit(0, key="k", rows=1, timeout_s=None), return_exceptions=True)
        return outcome

    assert isinstance(asyncio.run(once_more()), ZeroDivisionError)
    assert [type(one) for one in seen] == [ZeroDivisionError]
    batcher.close()
